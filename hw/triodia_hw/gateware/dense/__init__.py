"""Gateware of the dense, time-stepped baseline."""
