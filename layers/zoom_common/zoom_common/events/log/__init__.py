"""The event log: what was received for each tenant, which is also what makes an event processed once."""
