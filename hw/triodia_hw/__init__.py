"""The machine: integer contract, image file, reference, gateware and Verilog export."""
