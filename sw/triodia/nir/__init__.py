"""Networks from and for other simulators, as graphs of NIR."""
