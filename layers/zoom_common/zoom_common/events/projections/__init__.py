"""What the events add up to: meetings, rosters, registrations, recordings and users, in whatever order events come."""
