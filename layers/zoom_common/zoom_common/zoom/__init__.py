"""Zoom's protocol, without I/O: it takes bytes, headers, time and secrets, and returns values or raises errors."""
