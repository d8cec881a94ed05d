"""Webhooks: subscriptions, the endpoint challenge, signing, delivery and retries."""
