"""The API's own documents, generated: an OpenAPI 3.1 description, a readable page and a table of operations."""
