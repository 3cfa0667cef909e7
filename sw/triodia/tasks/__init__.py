"""Tasks and series on which networks are trained and tested."""
