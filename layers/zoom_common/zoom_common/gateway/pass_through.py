"""Calls of the pass-through. They are made like those of rows, with rate limit labels learned from Zoom's answers."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from zoom_common.access.principal import Principal
from zoom_common.deadline import Deadline
from zoom_common.errors import FieldError, GatewayError, InvalidRequest
from zoom_common.gateway.context import Call
from zoom_common.gateway.service import Answer
from zoom_common.zoom import pass_through
from zoom_common.zoom.operations.model import RateLabel
from zoom_common.zoom.pass_through import PassedOperation
from zoom_common.zoom.rate_limits import CATEGORY_HEADER

# A path with escapes as Zoom shall get them. API Gateway decodes one layer of those in the URL.
RAW_PATH_HEADER = "x-zoom-raw-path"

_MOST_LEARNED = 1000

_LABELS = {each.value.lower(): each for each in RateLabel}


@dataclass(slots=True)
class LearnedLabels:
    """The labels that Zoom's answers named, by method and shape of path. One container's, and bounded."""

    labels: OrderedDict[str, RateLabel] = field(default_factory=OrderedDict)

    def learn(self, operation: PassedOperation, headers: Mapping[str, str]) -> None:
        """Store the label that an answer names, if it names one."""
        label = _LABELS.get(headers.get(CATEGORY_HEADER, "").strip().lower().replace("_", "-"))
        if label is None:
            return
        self.labels[operation.shape] = label
        self.labels.move_to_end(operation.shape)
        while len(self.labels) > _MOST_LEARNED:
            self.labels.popitem(last=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a caller sends to the pass-through. Header names are in lower case."""

    method: str
    path: str
    query_string: str = field(default="", repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)


def call(
    asked: Asked, principal: Principal, deadline: Deadline, *, send: Callable[[Call], Answer], learned: LearnedLabels
) -> Answer:
    """Return Zoom's answer through `send`, which is `Gateway.call`.

    Raises what `send` raises, and what `zoom.pass_through.operation` raises for a path that is not passed on.
    """
    operation = pass_through.operation(asked.method, _raw_path(asked), learned=learned.labels)
    made = Call(
        principal=principal,
        operation=operation,
        ids={"path": operation.path},
        query_string=asked.query_string,
        headers=asked.headers,
        body=asked.body,
        deadline=deadline,
    )
    try:
        answer = send(made)
    except GatewayError as error:
        learned.learn(operation, error.headers)
        raise
    learned.learn(operation, answer.headers)
    return answer


def _raw_path(asked: Asked) -> str:
    raw = asked.headers.get(RAW_PATH_HEADER)
    if raw is None:
        return asked.path
    right = raw.isascii() and raw.startswith(pass_through.PREFIXES) and pass_through.same_path(asked.path, raw)
    if not right:
        raise InvalidRequest([FieldError("X-Zoom-Raw-Path", "The path of the request, encoded as Zoom wants it.")])
    return raw
