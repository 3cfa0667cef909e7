"""Verilog of a machine, and the files that go with it."""
