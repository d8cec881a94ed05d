"""The token vault: connections, their sealed tokens, refresh, and how an account is linked."""
