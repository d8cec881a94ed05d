"""The HTTP endpoints of the authorization server, and its consent page."""
