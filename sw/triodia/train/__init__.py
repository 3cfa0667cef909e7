"""Training: the differentiable model, backpropagation, readouts."""
