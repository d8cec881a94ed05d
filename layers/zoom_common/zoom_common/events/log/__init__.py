"""The event log: what was received for each tenant. It also makes sure that an event is processed once."""
