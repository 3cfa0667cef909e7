"""Commands of triodia-studies."""
