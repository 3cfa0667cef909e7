"""Measurements of the machine against its limits; `make bench-hw`."""
