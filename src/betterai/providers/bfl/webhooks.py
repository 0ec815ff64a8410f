"""Black Forest Labs' webhooks: what a look at a job says, sent to `webhook_url` and signed with `webhook_secret`.

UNVERIFIED: the header `X-BFL-Signature: sha256=…` over the body (black-forest-labs/skills, webhook-integration, 2026),
and the names in the body. A time stands in the body, if at all: without one, an old
event cannot be told from a new one.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar

import msgspec
from msgspec import Struct

from betterai.core.jobs import JobStatus
from betterai.core.webhooks import WebhookEvent
from betterai.providers.bfl.jobs import FAILED, MODERATED
from betterai.wire.webhooks import HexWebhooks

DONE = frozenset({"ready", "success"})


class EventShape(Struct):
    status: str
    id: str | None = None
    task_id: str | None = None
    timestamp: datetime | float | None = None


class FluxWebhooks(HexWebhooks):
    header: ClassVar[str] = "x-bfl-signature"

    def read_time(self, headers: Mapping[str, str], data: Mapping[str, Any]) -> float | None:
        time = msgspec.convert(data, EventShape).timestamp
        return time.replace(tzinfo=time.tzinfo or UTC).timestamp() if isinstance(time, datetime) else time

    def read_event(self, data: Mapping[str, Any]) -> WebhookEvent:
        event = msgspec.convert(data, EventShape)
        job = event.id or event.task_id
        if not job:
            raise msgspec.ValidationError("an event that names no job")
        return WebhookEvent(type=event.status, job=job, status=_read_status(event.status.lower()))


def _read_status(word: str) -> JobStatus:
    if word in DONE:
        return "done"
    return "failed" if word in FAILED | MODERATED else "running"
