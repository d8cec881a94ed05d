"""Whose certificates are believed. AWS's endpoints need five roots; reading all the public ones costs a start 15 ms.

https://www.amazontrust.com/repository/
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping
from functools import cache, partial
from os.path import dirname

_AMAZON = f"{dirname(__file__)}/amazon_roots.pem"  # noqa: PTH120 - pathlib would cost the webhook's start its import
_AMAZONS = (".amazonaws.com", ".api.aws")


def contexts(host: str, environ: Mapping[str, str]) -> tuple[Callable[[], ssl.SSLContext], ...]:
    """How to check the certificate of `host`: Amazon's roots for its own names, else, and then, all public ones.

    `AWS_CA_BUNDLE` names the only ones to believe, as it does for every other AWS client.
    """
    bundle = environ.get("AWS_CA_BUNDLE")
    if bundle:
        return (partial(_context, bundle),)
    if host.endswith(_AMAZONS):
        return partial(_context, _AMAZON), partial(_context, None)
    return (partial(_context, None),)


@cache
def _context(bundle: str | None) -> ssl.SSLContext:
    """One for all connections: it is the reading of certificates that costs."""
    return ssl.create_default_context(cafile=bundle)
