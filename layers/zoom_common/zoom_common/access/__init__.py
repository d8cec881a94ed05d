"""Who is calling: API keys, principals and what they may do."""
