"""Zoom's events: each is stored once and published at least once, always with the same id."""
