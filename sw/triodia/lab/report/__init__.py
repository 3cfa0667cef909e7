"""HTML pages, self-contained, and the pictures on them."""
