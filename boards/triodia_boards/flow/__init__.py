"""From an image to a bitstream: synthesis, place-and-route, packing, patching."""
