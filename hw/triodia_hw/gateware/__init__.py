"""The accelerator in Amaranth: processing elements on a broadcast bus."""
