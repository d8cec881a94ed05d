"""Decides which failures of AWS are worth another try, and how long to pause before it. Standard library only.

https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html
"""

from __future__ import annotations

# In seconds, before jitter: the base that AWS's SDKs use for transient errors since 2026 (1 s before). See ADR 14.
_FIRST_PAUSE = 0.05

# What the SDKs' standard mode retries.
RETRYABLE_STATUS = frozenset({500, 502, 503, 504})
RETRYABLE = frozenset(
    {
        "BandwidthLimitExceeded",
        "EC2ThrottledException",
        "LimitExceededException",
        "PriorRequestNotComplete",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "RequestTimeout",
        "RequestTimeoutException",
        "SlowDown",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
        "TransactionInProgressException",
    }
)


def is_retryable(status: int, code: str) -> bool:
    """Return whether a refusal with this HTTP status and AWS error code may be transient."""
    return status in RETRYABLE_STATUS or code in RETRYABLE


def pause(tried: int, chance: float) -> float:
    """Return the seconds to wait after `tried` further tries: exponential, with full jitter (`chance` is 0 up to 1)."""
    return float(chance * _FIRST_PAUSE * 2**tried)


def code_of(text: str) -> str:
    """Return the error code in `com.amazonaws.dynamodb.v20120810#Name` or `Name:http://...`."""
    return text.partition(":")[0].rpartition("#")[2]
