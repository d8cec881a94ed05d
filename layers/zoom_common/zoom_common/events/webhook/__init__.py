"""Zoom's deliveries: received, verified, queued; and how the endpoint is doing."""
