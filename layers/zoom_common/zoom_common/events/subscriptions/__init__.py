"""Subscriptions: tenants ask for events by API, and get them as signed POSTs or messages of a queue of their own."""
