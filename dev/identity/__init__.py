"""A development identity provider: OpenID Connect with PKCE, for invented people.

It makes its key and its people at its first start and signs in anybody who can open its page. So it listens on this
machine only, on a port of its own. The front door may stand behind a tunnel; this provider must not.
"""
