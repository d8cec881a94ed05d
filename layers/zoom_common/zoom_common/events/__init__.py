"""Zoom's events: taken in once, published at least once with the same id."""
