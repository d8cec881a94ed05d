"""REST API v2: one module per resource, one table of operations, one entry point for every request."""
