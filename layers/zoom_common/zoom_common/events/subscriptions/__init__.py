"""Subscriptions: tenants receive events as signed POSTs, or as messages in queues of their own."""
