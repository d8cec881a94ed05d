"""Every event type by name, with a valid body on demand, also for events that never occur by themselves here."""
