"""The API's generated documents: an OpenAPI 3.1 description, a readable page and a table of operations."""
