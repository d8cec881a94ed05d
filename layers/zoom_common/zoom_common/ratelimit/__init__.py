"""The rate limits of Zoom's accounts, shared by all functions: per second, per day, and per API key."""
