"""KMS and SQS in memory, as far as the vault uses them."""

from __future__ import annotations

import json
from typing import Any, cast

from mypy_boto3_kms import KMSClient
from mypy_boto3_sqs import SQSClient

from zoom_common.errors import InternalError, Unavailable


class FakeKms:
    """Wraps a data key by writing its context beside it. `away` makes every call fail, `refused` every new key."""

    def __init__(self) -> None:
        self.refused = False
        self.away = False
        self.decrypts = self.made = 0

    def client(self) -> KMSClient:
        return cast("KMSClient", self)

    def generate_data_key(self, **request: Any) -> dict[str, Any]:
        if self.away:
            raise Unavailable(reason="kms_unavailable")
        if self.refused:
            raise InternalError(where="kms_unavailable", cause="AccessDeniedException")
        self.made += 1
        key = b"k" * 32
        wrapped = json.dumps([request["KeyId"], request["EncryptionContext"]]).encode()
        return {"CiphertextBlob": wrapped, "Plaintext": key}

    def decrypt(self, **request: Any) -> dict[str, Any]:
        if self.away:
            raise Unavailable(reason="kms_unavailable")
        self.decrypts += 1
        assert json.loads(request["CiphertextBlob"]) == [request["KeyId"], request["EncryptionContext"]]
        return {"Plaintext": b"k" * 32}


class FakeSqs:
    """Takes messages. `away` makes every call fail."""

    def __init__(self) -> None:
        self.away = False
        self.bodies: list[str] = []
        self.delays: list[int] = []

    def client(self) -> SQSClient:
        return cast("SQSClient", self)

    def send_message(self, **request: Any) -> dict[str, Any]:
        if self.away:
            raise Unavailable(reason="escrow_unavailable")
        self.bodies.append(request["MessageBody"])
        return {}

    def send_message_batch(self, **request: Any) -> dict[str, Any]:
        self.bodies += [entry["MessageBody"] for entry in request["Entries"]]
        self.delays += [entry["DelaySeconds"] for entry in request["Entries"]]
        return {"Successful": request["Entries"]}
