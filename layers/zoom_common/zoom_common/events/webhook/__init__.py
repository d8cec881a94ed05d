"""Zoom's deliveries: receives, verifies and queues them, and records the endpoint's state."""
