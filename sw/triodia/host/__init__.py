"""The host's side of the link: sessions, serial ports, and a board as a Python object."""
