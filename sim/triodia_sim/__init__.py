"""Co-simulation: the exported Verilog against the integer reference."""
