"""REST API v2: one module per resource, one table of operations, one gate that every request passes."""
