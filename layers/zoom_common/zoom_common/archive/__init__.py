"""Archives recordings in S3: policies, moving files, what happens to the copy at Zoom, and reading."""
