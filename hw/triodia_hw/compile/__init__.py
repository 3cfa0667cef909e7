"""From an image to memory contents: placement, storage, loading. Imports no amaranth."""
