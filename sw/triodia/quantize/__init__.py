"""From a trained network to an image, and inference with integers."""
