"""Studies and benchmarks: plans that use the library. The library never imports them."""
