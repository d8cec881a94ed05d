"""Runs Zoom's client libraries, as their authors published them, against the running gateway."""
