"""The link between a host and a board: frames, what a board says of itself, a model of its side."""
