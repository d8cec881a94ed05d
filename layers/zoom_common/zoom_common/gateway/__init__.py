"""Makes one call to Zoom for one caller: connection, scopes, retries, Zoom's own answer."""
