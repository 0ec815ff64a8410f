"""What a provider tells by itself, over a webhook, of a job that it works on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from betterai.core.data import Data
from betterai.core.jobs import JobStatus


class WebhookEvent(Data, frozen=True, kw_only=True):
    """One event, whose signature was found to be good.

    `job` is the id of the job at the provider, `call` your call's own id where the provider sends it back, `status` how
    the job stands; None where the event is not of a job. `type` is the provider's own word. `id` is the same for each
    delivery of one event, "" where the provider numbers none; `sent` is in Unix seconds, None where it is not said.
    `data` is the whole body.
    """

    type: str
    job: str = ""
    status: JobStatus | None = None
    call: str = ""
    id: str = ""
    sent: float | None = None
    provider: str = ""
    data: Mapping[str, Any] = {}


class Webhooks(Protocol):
    """Reads the webhooks of a provider. Pure: the time is given."""

    def parse_webhook(
        self, headers: Mapping[str, str], body: bytes, *, secret: str, now: float, tolerance: float
    ) -> WebhookEvent:
        """The event of a request. Header names are lower case; `now` is in Unix seconds, `tolerance` in seconds.

        Raises `WebhookSignatureError`, `ConfigurationError` for a secret that is none, and `ProviderError` for a body
        that was signed and is no event.
        """
        ...
