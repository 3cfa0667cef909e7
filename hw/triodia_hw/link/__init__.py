"""The link between host and board: frames, the board's welcome, a model of the board's side."""
