"""Who is calling: API keys, people who signed in, principals and what they may do."""
