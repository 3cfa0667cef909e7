"""Exact models of cycles and block RAMs, lower bounds, and energy counts. Imports no amaranth."""
