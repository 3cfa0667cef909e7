"""One file per board: device, pins, clock, serial port."""
