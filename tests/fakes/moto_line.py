"""A connection of the light clients that ends in moto: what botocore would have sent there, byte by byte."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from botocore.awsrequest import AWSPreparedRequest
from botocore.compat import HTTPHeaders
from moto.core.models import botocore_stubber

from zoom_common.aws.https import Answer


class MotoLine:
    """Stands for `aws.https.Connection`."""

    def __init__(self, endpoint: str, contexts: object) -> None:  # noqa: ARG002 - nobody's certificate is asked for
        self._endpoint = endpoint
        self._answer: Answer = (0, {}, b"")

    def close(self) -> None:
        """Nothing is held."""

    def send(
        self,
        headers: Mapping[str, str],
        body: bytes,
        seconds: float,
        *,
        path: str = "/",
        connect: bool = True,  # noqa: ARG002 - moto is always there
    ) -> None:
        """Let moto carry it out."""
        assert seconds > 0
        sent = HTTPHeaders()
        for name, value in headers.items():
            sent[name] = value
        request = AWSPreparedRequest("POST", f"{self._endpoint}{path}", sent, body, stream_output=False)
        answered: Any = botocore_stubber.process_request(request)
        assert answered is not None, "moto is off"
        status, about, answer = answered
        named = {str(name).lower().encode(): str(value).encode() for name, value in about.items()}
        self._answer = status, named, answer.encode() if isinstance(answer, str) else answer

    def answer(self, seconds: float | None = None) -> Answer:  # noqa: ARG002 - it is there
        """What moto said."""
        return self._answer
