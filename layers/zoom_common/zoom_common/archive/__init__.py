"""Keeps recordings in S3: what is kept, how a file moves, what happens to the copy at Zoom, and how people read it."""
