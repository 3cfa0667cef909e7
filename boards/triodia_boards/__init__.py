"""Boards: top levels, synthesis, place-and-route, bitstreams and their reports."""
