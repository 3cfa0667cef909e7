"""Studies: plans of cells, each computed once and kept as a file, and the pages they make."""
