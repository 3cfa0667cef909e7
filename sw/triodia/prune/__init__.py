"""Lyapunov Noise Pruning: spectrum, covariance, the steps, and the pipeline that runs them."""
