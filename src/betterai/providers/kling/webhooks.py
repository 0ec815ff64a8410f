"""Kling's callbacks: a task as a look at it says it, sent to `callback_url`.

The newer generation signs them, with HMAC-SHA256 as `webhook-signature: v1,…`. UNVERIFIED: that id, time and body are
signed as in Standard Webhooks, and that the body is the task itself. Of the older generation no signature is known: its
callbacks are refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct

from betterai.core.jobs import JobStatus
from betterai.core.webhooks import WebhookEvent
from betterai.wire.webhooks import StandardWebhooks

STATUSES: Mapping[str, JobStatus] = {
    "submitted": "running", "processing": "running", "succeeded": "done", "succeed": "done", "failed": "failed",
}  # fmt: skip


class InfoShape(Struct):
    external_task_id: str | None = None


class TaskShape(Struct):
    """In the words of both generations."""

    id: str | None = None
    status: str | None = None
    external_id: str | None = None
    task_id: str | None = None
    task_status: str | None = None
    task_info: InfoShape | None = None


class KlingWebhooks(StandardWebhooks):
    def read_event(self, data: Mapping[str, Any]) -> WebhookEvent:
        inner = data.get("data")
        task = msgspec.convert(inner if isinstance(inner, dict) else data, TaskShape)
        job, status = task.id or task.task_id, task.status or task.task_status
        if not job or not status:
            raise msgspec.ValidationError("a task without an id or a status")
        call = task.external_id or (task.task_info.external_task_id if task.task_info else None)
        return WebhookEvent(type=status, job=job, status=STATUSES.get(status), call=call or "")
