"""Message Batches (https://platform.claude.com/docs/en/build-with-claude/batch-processing, 2026-11)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar
from urllib.parse import quote

import msgspec

from betterai.core.batches import BatchAnswer, BatchLimits, BatchPart, BatchState, LineState
from betterai.core.codec import BatchCall
from betterai.core.wire import WireRequest, WireResponse
from betterai.wire.batches import JSON_REPLY, NOTHING, Answers, BatchSteps, State, count, decode, is_given
from betterai.wire.error_bodies import UNREADABLE, read_error
from betterai.wire.files import need_reply
from betterai.wire.lenient import Reader

_STATES: Mapping[str, LineState] = {"canceled": "cancelled", "expired": "expired"}


class _Result(msgspec.Struct):
    type: str
    message: msgspec.Raw = NOTHING
    error: msgspec.Raw = NOTHING


class _Line(msgspec.Struct):
    custom_id: str
    result: _Result


_decode_line = Reader(_Line).decode


class AnthropicBatches(BatchSteps):
    """All requests are in one body, which is the file of lines itself. A batch has no name: one whose submit was not
    answered cannot be found again.
    """

    protocol: ClassVar[str] = "message_batches"
    limits = BatchLimits(
        requests=100_000, bytes=256_000_000, id_length=64, id_pattern="[a-zA-Z0-9_-]{1,64}"
    )  # fmt: skip
    carries: ClassVar = {"text": {"anthropic_messages": "/v1/messages"}}
    frame = (b'{"requests":[', b",", b"]}")
    headers_of_all: ClassVar = frozenset({"anthropic-version", "anthropic-beta"})
    path: ClassVar[str] = "/v1/messages/batches"

    def wrap(self, id: str, body: msgspec.Raw, target: str) -> Any:
        return {"custom_id": id, "params": body}

    def build_submit(self, call: BatchCall, state: State) -> WireRequest:
        return WireRequest(url=self.path, body=call.input.body, headers=call.input.headers)

    def build_look(self, state: State) -> WireRequest:
        return self._ask(state)

    def _ask(self, state: State, end: str = "", **fields: Any) -> WireRequest:
        url = f"{self.path}/{quote(state['id'], safe='')}{end}"
        return WireRequest(url=url, safe_to_repeat=True, **{"method": "GET", **fields})

    def read_look(self, fields: Mapping[str, Any]) -> BatchPart:
        names = {"succeeded": "succeeded", "failed": "errored", "cancelled": "canceled", "expired": "expired"}
        counts = count(fields.get("request_counts"), **names)
        state: BatchState = "running"
        if fields.get("processing_status") == "ended":
            state = "cancelled" if fields.get("cancel_initiated_at") else "expired" if counts.expired else "done"
        return BatchPart(
            id=str(fields.get("id") or ""),
            state=state,
            raw_state=str(fields.get("processing_status") or ""),
            counts=counts,
        )

    def fetch(self, state: State, look: WireResponse) -> Answers:
        if decode(look).get("results_url"):
            reply = need_reply((yield self._ask(state, "/results", reply="file")))
            for line in reply.lines():
                try:
                    found = _decode_line(line)
                except UNREADABLE:
                    continue
                yield _read_line(found)

    def cancel(self, state: State) -> WireRequest | None:
        return self._ask(state, "/cancel", method="POST") if "id" in state else None


def _read_line(line: _Line) -> BatchAnswer:
    result = line.result
    if result.type == "succeeded" and is_given(result.message):
        return BatchAnswer(
            id=line.custom_id, reply=WireResponse(status=200, headers=JSON_REPLY, body=bytes(result.message))
        )
    if result.type == "errored" and is_given(result.error):
        body = bytes(result.error)
        reply = WireResponse(status=read_error(body).likely_status, headers=JSON_REPLY, body=body)
        return BatchAnswer(id=line.custom_id, state="failed", reply=reply)
    return BatchAnswer(id=line.custom_id, state=_STATES.get(result.type, "failed"), code=result.type)
