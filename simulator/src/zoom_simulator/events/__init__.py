"""Every event type by name: a valid body on demand, also of what the simulator never brings about by itself."""
