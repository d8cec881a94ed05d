"""Request bodies as Zoom's contract describes them. Validation reads them; what goes to Zoom are the caller's bytes."""
