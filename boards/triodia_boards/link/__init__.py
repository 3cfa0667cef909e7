"""The serial port, and the machine connected to it."""
