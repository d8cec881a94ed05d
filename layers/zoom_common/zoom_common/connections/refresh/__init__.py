"""Refreshing grants: the decisions, the effects that carry them out, and the stores."""
