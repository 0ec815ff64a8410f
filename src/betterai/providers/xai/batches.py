"""xAI's batches (https://docs.x.ai/developers/advanced-api-usage/batch-api, 2026-11; recorded exchanges of 2026-08).

A container that has a name, requests that are put into it, and answers that can be had page by page as they come.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import Any, ClassVar
from urllib.parse import quote

import msgspec

from betterai.core.batches import BatchAnswer, BatchLimits, BatchPart, BatchState
from betterai.core.codec import BatchCall
from betterai.core.wire import WireRequest, WireResponse
from betterai.wire.batches import JSON_REPLY, NOTHING, Answers, BatchSteps, State, Step, count, decode, is_given
from betterai.wire.error_bodies import UNREADABLE, read_error_value
from betterai.wire.errors import make_unreadable
from betterai.wire.files import need_reply
from betterai.wire.lenient import Reader

PAGE = 100


class _Response(msgspec.Struct):
    chat_get_completion: msgspec.Raw = NOTHING


class _Result(msgspec.Struct):
    response: _Response | None = None
    error: Any = None


class _Item(msgspec.Struct):
    batch_request_id: str
    batch_result: _Result | None = None
    error: Any = None
    error_message: str | None = None


class _Page(msgspec.Struct):
    results: list[msgspec.Raw] | None = None
    pagination_token: str | None = None


_decode_page = Reader(_Page).decode
_decode_item = Reader(_Item).decode


class XAIBatches(BatchSteps):
    """Requests of Responses are answered as chat completions as well. One body of requests may have 25 MB."""

    protocol: ClassVar[str] = "xai_batches"
    limits = BatchLimits(requests=100_000, bytes=25_000_000)
    carries: ClassVar = {"text": {"openai_responses": "responses", "openai_chat": "chat_get_completion"}}
    reads: ClassVar = {"openai_responses": "openai_chat"}
    frame = (b'{"batch_requests":[', b",", b"]}")
    partial = True

    def wrap(self, id: str, body: msgspec.Raw, target: str) -> Any:
        return {"batch_request_id": id, "batch_request": {target: body}}

    def prepare(self, call: BatchCall) -> Generator[Step, WireResponse | None, State]:
        body = {"name": call.input.name}
        reply = need_reply((yield WireRequest(url="/batches", body=body, safe_to_repeat=True)))
        batch = decode(reply).get("batch_id")
        if not isinstance(batch, str) or not batch:
            raise make_unreadable(reply)
        return {"batch": batch}

    def build_submit(self, call: BatchCall, state: State) -> WireRequest:
        return WireRequest(url=f"{_path(state)}/requests", body=call.input.body)

    def read_submitted(self, state: State, reply: WireResponse) -> str:
        return str(state["batch"])

    def search(self, call: BatchCall, state: State) -> Generator[Step, WireResponse | None, str]:
        reply = need_reply((yield self.build_look(state)))
        return str(state["batch"]) if _count_taken(decode(reply)) else ""

    def build_look(self, state: State) -> WireRequest:
        return WireRequest(url=_path(state), method="GET", safe_to_repeat=True)

    def read_look(self, fields: Mapping[str, Any]) -> BatchPart:
        """There is no word for how it stands: it is over when nothing is pending of what there was."""
        inner = fields.get("state")
        counts = count(inner, succeeded="num_success", failed="num_error", cancelled="num_cancelled")
        state: BatchState = "running"
        if _count_taken(fields) and not count(inner, total="num_pending").total:
            state = "cancelled" if counts.cancelled or fields.get("cancel_time") else "done"
        return BatchPart(
            id=str(fields.get("batch_id") or ""),
            state=state,
            counts=counts,
            error=str(fields.get("cancel_by_xai_message") or ""),
        )

    def fetch(self, state: State, look: WireResponse) -> Answers:
        token = ""
        while True:
            query = {"limit": str(PAGE), **({"pagination_token": token} if token else {})}
            request = WireRequest(url=f"{_path(state)}/results", method="GET", query=query, safe_to_repeat=True)
            reply = need_reply((yield request))
            try:
                page = _decode_page(reply.content)
            except UNREADABLE as error:
                raise make_unreadable(reply) from error
            for item in page.results or ():
                try:
                    found = _decode_item(item)
                except UNREADABLE:
                    continue
                yield _read_item(found)
            following = page.pagination_token or ""
            if not following or following == token:
                return
            token = following

    def cancel(self, state: State) -> WireRequest | None:
        return WireRequest(url=f"{_path(state)}:cancel", body={}, safe_to_repeat=True) if "id" in state else None


def _path(state: State) -> str:
    return f"/batches/{quote(state['batch'], safe='')}"


def _count_taken(batch: Mapping[str, Any]) -> int:
    """How many requests were put into it."""
    return count(batch.get("state"), total="num_requests").total


def _read_item(item: _Item) -> BatchAnswer:
    result = item.batch_result
    if result is not None and result.response is not None and is_given(result.response.chat_get_completion):
        body = bytes(result.response.chat_get_completion)
        return BatchAnswer(id=item.batch_request_id, reply=WireResponse(status=200, headers=JSON_REPLY, body=body))
    stated = read_error_value((result.error if result is not None else None) or item.error or item.error_message or {})
    state = "cancelled" if "cancel" in stated.message.lower() else "failed"
    return BatchAnswer(id=item.batch_request_id, state=state, code=stated.code, message=stated.message)  # type: ignore[arg-type]
