"""The rules of the authorization server: codes, tokens, rotation, revocation and scopes."""
