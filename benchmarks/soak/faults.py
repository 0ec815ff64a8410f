"""What goes wrong in a soak, how often, and what a call may then end with."""

from __future__ import annotations

from typing import NamedTuple

ANSWER = "answer"


class Fault(NamedTuple):
    """`weight` is its share of whole calls and of streams; `whole` and `stream` are what a call may end with: "answer"
    or an error's class.
    """

    name: str
    weight: float
    whole: frozenset[str]
    stream: frozenset[str]


def fault(name: str, weight: float, whole: str, stream: str = "") -> Fault:
    return Fault(name, weight, frozenset(whole.split()), frozenset((stream or whole).split()))


FAULTS = {
    each.name: each
    for each in (
        fault("well", 60, ANSWER),
        fault("limited", 4, "RateLimitError"),
        fault("quota", 2, "QuotaExceededError RateLimitError"),
        fault("broken", 3, "OverloadedError ProviderError"),
        fault("overloaded", 3, "OverloadedError"),
        fault("flaky", 4, f"{ANSWER} OverloadedError"),
        fault("denied", 2, "AuthenticationError"),
        fault("refused", 2, "BadRequestError"),
        fault("html", 2, "OverloadedError ProviderError"),
        fault("page", 1, "ProviderError", "ProviderError StreamInterrupted"),
        fault("empty", 2, "ProviderError", "ProviderError StreamInterrupted"),
        fault("truncated", 2, "ProviderError APIConnectionError", "StreamInterrupted"),
        fault("malformed", 2, "ProviderError", "ProviderError StreamInterrupted"),
        fault("inside", 3, "ProviderError OverloadedError", "ProviderError OverloadedError StreamInterrupted"),
        fault("cut", 3, "APIConnectionError StreamInterrupted", "StreamInterrupted"),
        fault("reset", 3, "APIConnectionError"),
        fault("reset_later", 3, "APIConnectionError StreamInterrupted", "StreamInterrupted"),
        fault("stalled", 0.05, "IdleTimeout FirstByteTimeout", "IdleTimeout FirstByteTimeout StreamInterrupted"),
        fault("silent", 0.05, "FirstByteTimeout"),
    )
}
