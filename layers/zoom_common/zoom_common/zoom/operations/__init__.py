"""Zoom's operations as a table. A new operation is a row, a model if its body is checked, and tests."""
