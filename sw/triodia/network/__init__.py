"""Networks: arrays, generators and files."""
