"""Work in bulk: one operation over many rows, in slices that may run twice or not at all."""
