"""What carries a launch out: one module for each engine behind the small protocol in `protocol`."""
