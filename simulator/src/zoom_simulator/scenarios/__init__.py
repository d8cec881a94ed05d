"""What happens in a meeting by name, in crowds and in scripts."""
