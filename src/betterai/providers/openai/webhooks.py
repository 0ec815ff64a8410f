"""OpenAI's webhooks (https://platform.openai.com/docs/guides/webhooks; the shapes of openai 3.57.0, 2026-11)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct

from betterai.core.jobs import JobStatus
from betterai.core.webhooks import WebhookEvent
from betterai.wire.webhooks import StandardWebhooks

ENDS: Mapping[str, JobStatus] = {
    "completed": "done", "succeeded": "done", "incomplete": "done", "failed": "failed", "expired": "failed",
    "cancelled": "cancelled", "canceled": "cancelled",
}  # fmt: skip
"""How a job stands, by the last word of an event's type: "video.completed"."""


class DataShape(Struct):
    id: str = ""


class EventShape(Struct):
    type: str
    id: str = ""
    data: DataShape = msgspec.field(default_factory=DataShape)


class OpenAIWebhooks(StandardWebhooks):
    """Of batches, answers in the background, films, evaluations, fine-tuning; other events have no status."""

    def read_event(self, data: Mapping[str, Any]) -> WebhookEvent:
        event = msgspec.convert(data, EventShape)
        return WebhookEvent(
            type=event.type, job=event.data.id, id=event.id, status=ENDS.get(event.type.rpartition(".")[2])
        )
