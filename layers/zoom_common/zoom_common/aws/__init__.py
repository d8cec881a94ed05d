"""AWS: one client, endpoints, signatures, TLS, and a DynamoDB table that knows its name and how it fails."""
