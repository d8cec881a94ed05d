"""How much of Zoom's rate limit many workers use together, and how often Zoom refuses them."""
