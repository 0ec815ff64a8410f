"""How many retries an address gets: where most fail, more of them only add to what keeps it from answering."""

from __future__ import annotations

ALLOWANCE = 100.0
"""Retries that an address gets before any call to it went well; never more are saved up. The quota of the AWS SDKs
(500, of which a retry of a throttled call takes 5) is as large.
"""

SHARE = 0.1
"""What a call that went well at once adds: so retries that are of no use stay under a tenth of the calls, as in gRPC's
usual `tokenRatio` (https://github.com/grpc/proposal/blob/master/A6-client-retries.md).
"""

MOST_KNOWN = 1024


class RetryQuota:
    """The retries that an address still gets, from all callers of the process. Updates that threads make at the same
    time may be lost: it is no more than an estimate.
    """

    __slots__ = ("left",)

    def __init__(self) -> None:
        self.left = ALLOWANCE

    def take(self) -> bool:
        """Whether there may be a retry."""
        if self.left < 1.0:
            return False
        self.left -= 1.0
        return True

    def give(self, *, retried: bool) -> None:
        """A call went well; one that was `retried` gives back what its last retry took."""
        if self.left < ALLOWANCE:
            self.left = min(ALLOWANCE, self.left + (1.0 if retried else SHARE))


_quotas: dict[str, RetryQuota] = {}


def find_quota(base_url: str) -> RetryQuota:
    """The quota of an address. Of very many, those that were first asked for are forgotten."""
    quota = _quotas.get(base_url)
    if quota is None:
        while len(_quotas) >= MOST_KNOWN:
            _quotas.pop(next(iter(_quotas)), None)
        quota = _quotas[base_url] = RetryQuota()
    return quota
