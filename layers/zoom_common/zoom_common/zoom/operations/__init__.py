"""Zoom's operations as a table: a new one is a row, a model where its body is checked, and its tests."""
