"""Where API keys and bearers are kept, over DynamoDB in memory: their own conditions decide, nothing is imitated.

`tests/stores` holds both to what they do over moto. While one is `down`, its table does not answer.
"""

from __future__ import annotations

from botocore.exceptions import EndpointConnectionError

from tests.fakes import tables
from tests.fakes.dynamodb import MemoryDynamoDB
from zoom_common.access.bearers import Bearer, BearerStore
from zoom_common.access.key_store import ApiKeyStore
from zoom_common.access.keys import ApiKey
from zoom_common.aws.table import Table

AWAY = EndpointConnectionError(endpoint_url="https://dynamodb.example")


class MemoryApiKeys(ApiKeyStore):
    """These keys; `asked` counts the reads, `down` is what AWS's client raises."""

    def __init__(self, *keys: ApiKey, down: Exception | None = None, dynamodb: MemoryDynamoDB | None = None) -> None:
        self.dynamodb = tables.in_memory(dynamodb)
        super().__init__(Table(self.dynamodb.client(), tables.CONNECTIONS))
        for key in keys:
            self.add(key)
        self.dynamodb.fails = down or self.dynamodb.fails
        self.asked = 0

    def get(self, key_id: str) -> ApiKey | None:
        self.asked += 1
        return super().get(key_id)


class MemoryBearers(BearerStore):
    """These bearers."""

    def __init__(self, *bearers: Bearer, down: Exception | None = None, dynamodb: MemoryDynamoDB | None = None) -> None:
        self.dynamodb = tables.in_memory(dynamodb)
        super().__init__(Table(self.dynamodb.client(), tables.COORDINATION))
        for bearer in bearers:
            self.put(bearer)
        self.dynamodb.fails = down or self.dynamodb.fails
