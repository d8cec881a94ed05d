"""The webhook's metrics, which are its log lines too. Standard library only."""

from __future__ import annotations

from collections.abc import Callable

from zoom_common.embedded_metrics import COUNT, MILLISECONDS, Metrics, line


class MetricLines:
    """Counts of `service` in `namespace`, one JSON line each. Properties are reasons and ids, never content."""

    def __init__(
        self, service: str, namespace: str, *, write: Callable[[str], object], clock: Callable[[], float]
    ) -> None:
        self._service = service
        self._namespace = namespace
        self._write = write
        self._clock = clock

    def count(self, name: str, *, reason: str = "", lag_ms: int | None = None, **properties: str) -> None:
        """Add one to the counter `name` of this service, and to the one of this `reason` where there is one.

        `lag_ms` is how long ago Zoom says that it happened.
        """
        values = {name: (1, COUNT)}
        if lag_ms is not None:
            values["WebhookLag"] = (lag_ms, MILLISECONDS)
        metrics = Metrics(values, [["service"], ["service", "reason"]] if reason else [["service"]])
        about = {"service": self._service, "reason": reason or None, **properties}
        self._write(line([metrics], about, namespace=self._namespace, at=self._clock()))
