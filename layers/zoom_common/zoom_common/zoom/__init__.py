"""Zoom's protocol, pure: bytes, headers, time and secrets in; values or errors out."""
