"""The study of LNP: its plan of cells, their results, and the pages made from them."""
