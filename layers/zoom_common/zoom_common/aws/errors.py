"""Turns the errors of AWS's clients, boto3's and ours, into errors of the gateway.

Only transient failures are Unavailable: no connection, throttling, AWS's own 5xx. Everything else (an invalid request,
a missing permission, a missing table or key) is a fault of ours, and an InternalError.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    HTTPClientError,
    MetadataRetrievalError,
)
from botocore.exceptions import ConnectionError as NoConnectionError

from zoom_common.aws.retries import is_retryable
from zoom_common.errors import DependencyFailed, InternalError, Unavailable

if TYPE_CHECKING:
    from types import TracebackType

type AwsError = BotoCoreError | ClientError
type Meaning = Callable[[ClientError], Exception | None]

# What boto3 raises when no usable answer came, or when a role's credentials could not be fetched.
_TRANSIENT = (NoConnectionError, HTTPClientError, CredentialRetrievalError, MetadataRetrievalError)


def code_of(error: AwsError) -> str:
    """Return AWS's error code, or the name of the client's error. Both may be logged; messages may quote items."""
    if isinstance(error, ClientError):
        return str(error.response.get("Error", {}).get("Code", "ClientError"))
    return type(error).__name__


def is_transient(error: AwsError) -> bool:
    """Return whether the same request may succeed later."""
    if not isinstance(error, ClientError):
        return isinstance(error, _TRANSIENT)
    about: Mapping[str, Any] = error.response
    return is_retryable(about.get("ResponseMetadata", {}).get("HTTPStatusCode", 0), code_of(error))


def failure(error: AwsError, reason: str) -> DependencyFailed:
    """Return Unavailable with `reason` for a transient error, else InternalError.

    Neither holds the client's message.
    """
    if is_transient(error):
        return Unavailable(reason=reason, cause=code_of(error))
    return InternalError(where=reason, cause=code_of(error))


def translated(reason: str, meaning: Meaning | None = None) -> AbstractContextManager[None]:
    """Return a context manager that raises `failure` in place of a client's error. It can be entered again and again.

    `meaning` returns another error for a refusal that means something else, such as an invalid ciphertext.
    """
    return _Translated(reason, meaning)


class _Translated(AbstractContextManager[None]):
    # A class, because calls enter it many times: a generator would cost each of them a microsecond.

    __slots__ = ("_meaning", "_reason")

    def __init__(self, reason: str, meaning: Meaning | None) -> None:
        self._reason, self._meaning = reason, meaning

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None or not isinstance(error, BotoCoreError | ClientError):
            return
        meant = self._meaning(error) if self._meaning is not None and isinstance(error, ClientError) else None
        raise meant or failure(error, self._reason) from None
