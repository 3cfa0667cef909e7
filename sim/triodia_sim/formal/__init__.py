"""Formal proofs about the gateware's units, for SymbiYosys."""
