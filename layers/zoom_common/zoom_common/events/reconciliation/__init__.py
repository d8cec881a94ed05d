"""Finds what Zoom reports and nobody told us, and tells it as events."""
