"""The state that results from events: meetings, rosters, registrations, recordings and users.

It is the same in whatever order events arrive.
"""
