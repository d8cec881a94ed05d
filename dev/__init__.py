"""What a developer runs on a laptop; nothing here is shipped."""
