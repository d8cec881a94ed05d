"""AWS's JSON APIs with the standard library alone: what a start cannot afford botocore for."""
