"""The board's side of the link, one component a file."""
