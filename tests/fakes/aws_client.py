"""boto3 clients for a Stubber: they know their service and reach nothing."""

from __future__ import annotations

from typing import Any

import boto3


def client(service: str) -> Any:
    """A client with made-up credentials."""
    session = boto3.session.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name="us-east-1")
    return session.client(service)  # type: ignore[call-overload]
