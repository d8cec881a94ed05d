"""Authorisation: consent page, codes, tokens, rotation and revocation."""
