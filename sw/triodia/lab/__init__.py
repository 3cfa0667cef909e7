"""Design-space exploration: complete, cached runs of the chain over grids of choices."""
