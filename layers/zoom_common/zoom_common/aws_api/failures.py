"""How the failures of AWS's clients are told, boto3's and ours: which of our parts is away, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from zoom_common.errors import Unavailable

if TYPE_CHECKING:
    from types import TracebackType

type Meaning = Callable[[ClientError], Exception | None]


def translated(
    reason: str, meaning: Meaning | None = None, *, keep_cause: bool = False
) -> AbstractContextManager[None]:
    """Turn what a client raises into Unavailable, without its message: it may quote what was to be stored.

    `meaning` says what a refusal means where it means something else, such as a condition that failed. `keep_cause` is
    for those who look at what was raised, and let it reach no log. It may be kept and entered again and again.
    """
    return _Translated(reason, meaning, keep_cause=keep_cause)


class _Translated(AbstractContextManager[None]):
    # A class, because calls enter it many times: a generator would cost each of them a microsecond.

    __slots__ = ("_keep_cause", "_meaning", "_reason")

    def __init__(self, reason: str, meaning: Meaning | None, *, keep_cause: bool) -> None:
        self._reason, self._meaning, self._keep_cause = reason, meaning, keep_cause

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None or not isinstance(error, BotoCoreError | ClientError):
            return
        meant = self._meaning(error) if self._meaning is not None and isinstance(error, ClientError) else None
        if meant is not None:
            raise meant from None
        raise Unavailable(reason=self._reason) from (error if self._keep_cause else None)
