"""A development identity provider: OpenID Connect with PKCE, for people who do not exist.

It makes its key and its people at its first start and signs anybody in who can open its page. So it listens on this
machine only, on a port of its own: the front door may stand behind a tunnel, this must never.
"""
