"""Small programs that a measurement runs in an environment of their own, and asks for blocks of work by line."""
