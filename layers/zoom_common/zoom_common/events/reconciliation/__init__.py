"""Compares Zoom's reports with the log, and sends what is missing as events."""
