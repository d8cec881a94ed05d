"""Compares Zoom's reports with the event log, and sends missing events."""
