"""Compares the gateway with what people would use instead, in one run, on one machine, in ratios."""
