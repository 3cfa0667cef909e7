"""Lyapunov noise pruning: spectrum, covariance, the steps, and the pipeline that runs them."""
