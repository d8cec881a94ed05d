"""Serves the development identity provider."""

from __future__ import annotations

import argparse
from pathlib import Path

import uvicorn

from dev.identity.app import application
from dev.identity.provider import load
from dev.workspace import Workspace


def main() -> None:
    """Serve until stopped. Loopback only."""
    parser = argparse.ArgumentParser(prog="python -m dev.identity", description="Sign in people who do not exist.")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--folder", type=Path, required=True, help="where key and people are kept")
    parser.add_argument("--redirect-uri", action="append", required=True)
    parser.add_argument("--audience", required=True)
    parser.add_argument("--tenant", required=True)
    given = parser.parse_args()
    provider = load(
        Workspace(given.folder),
        port=given.port,
        redirect_uris=given.redirect_uri,
        audience=given.audience,
        tenant=given.tenant,
    )
    uvicorn.run(application(provider), host="127.0.0.1", port=given.port, log_level="warning", access_log=False)


if __name__ == "__main__":
    main()
