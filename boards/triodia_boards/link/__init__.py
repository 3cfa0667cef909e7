"""The serial port, and the machine behind it."""
