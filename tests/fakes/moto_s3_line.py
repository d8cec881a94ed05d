"""A line of the S3 client that ends in moto."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from botocore.awsrequest import AWSPreparedRequest
from botocore.compat import HTTPHeaders
from moto.core.models import botocore_stubber


class MotoS3Line:
    """Stands for `aws.s3_line.HttpLine`."""

    def __init__(self, host: str) -> None:
        self._host = host

    def exchange(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes | bytearray | memoryview, seconds: float
    ) -> tuple[int, Mapping[str, str], bytes]:
        """Let moto carry it out."""
        assert seconds > 0
        sent = HTTPHeaders()
        for name, value in {**headers, "content-length": str(len(body))}.items():
            sent[name] = value
        request = AWSPreparedRequest(method, f"https://{self._host}{target}", sent, bytes(body), stream_output=False)
        answered: Any = botocore_stubber.process_request(request)
        assert answered is not None, "moto is off"
        status, about, answer = answered
        named = {str(name).lower(): str(value) for name, value in about.items()}
        return status, named, answer.encode() if isinstance(answer, str) else answer
