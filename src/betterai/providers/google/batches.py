"""Batches of the Gemini API (https://ai.google.dev/gemini-api/docs/batch-api, 2026-11).

A file of JSON lines, and an operation over it. Answers are in another file, or in the operation itself where it was
begun with requests inline.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping
from typing import Any, ClassVar
from urllib.parse import quote

import msgspec

from betterai.core.batches import BatchAnswer, BatchCounts, BatchLimits, BatchPart, BatchState, LineState
from betterai.core.codec import BatchCall
from betterai.core.exceptions import UnsupportedParam
from betterai.core.results import FileUpload
from betterai.core.wire import WireRequest, WireResponse
from betterai.providers.google.files import GoogleFiles
from betterai.wire.batches import (
    JSON_REPLY,
    NOTHING,
    Answers,
    BatchSteps,
    State,
    Step,
    count,
    decode,
    is_given,
    items_in,
)
from betterai.wire.error_bodies import UNREADABLE, read_error_value
from betterai.wire.files import need_reply
from betterai.wire.lenient import Reader
from betterai.wire.openai_batches import PAGES

FILES = GoogleFiles()
_METHODS = {"generateContent": "batchGenerateContent", "embedContent": "asyncBatchEmbedContent"}
_STATES: Mapping[Any, LineState] = {
    "CANCELLED": "cancelled",
    1: "cancelled",
    "DEADLINE_EXCEEDED": "expired",
    4: "expired",
}
"""Errors of lines that were not worked on: by word, and by number (google.rpc.Code)."""
_HTTP: Mapping[Any, int] = {3: 400, 5: 404, 7: 403, 8: 429, 9: 400, 14: 503, 16: 401}
"""The HTTP statuses of the other numbers; 500 for those that are not here."""
_PREFIXES = ("BATCH_STATE_", "JOB_STATE_")


class _Line(msgspec.Struct):
    """A line of a file, or a response that is inline: its key stands in its metadata then."""

    key: str | None = None
    metadata: dict[str, Any] | None = None
    response: msgspec.Raw = NOTHING
    error: Any = None


_decode_line = Reader(_Line).decode


class GoogleBatches(BatchSteps):
    """Batches have a display name, by which one is found again."""

    protocol: ClassVar[str] = "gemini_batches"
    limits = BatchLimits(bytes=2_000_000_000, one_model=True)
    carries: ClassVar = {"text": {"gemini": "generateContent"}, "embeddings": {"gemini": "embedContent"}}
    states: ClassVar[Mapping[str, BatchState]] = {
        "SUCCEEDED": "done", "PARTIALLY_SUCCEEDED": "done", "FAILED": "failed", "EXPIRED": "expired",
        "CANCELLED": "cancelled",
    }  # fmt: skip

    id_field = "name"

    def wrap(self, id: str, body: msgspec.Raw, target: str) -> Any:
        return {"key": id, "request": _take_single(body) if target == "embedContent" else body}

    def prepare(self, call: BatchCall) -> Generator[Step, WireResponse | None, State]:
        part = call.input
        upload = FileUpload(
            media=part.body, filename=f"{part.name}.jsonl", mime_type="application/jsonl", size=part.size
        )
        return {"file": (yield from FILES.upload(upload)).id}

    def build_submit(self, call: BatchCall, state: State) -> WireRequest:
        name = call.model.id
        path = name if name.startswith(("models/", "tunedModels/")) else f"models/{name}"
        body = {"batch": {"displayName": call.input.name, "inputConfig": {"fileName": state["file"]}}}
        return WireRequest(url=f"/v1beta/{quote(path, safe='/@')}:{_METHODS[call.input.target]}", body=body)

    def read_submitted(self, state: State, reply: WireResponse) -> str:
        return super().read_submitted(state, reply).removeprefix("batches/")

    def search(self, call: BatchCall, state: State) -> Generator[Step, WireResponse | None, str]:
        token = ""
        for _ in range(PAGES):
            query = {"pageSize": "100", **({"pageToken": token} if token else {})}
            request = WireRequest(url="/v1beta/batches", method="GET", query=query, safe_to_repeat=True)
            page = decode(need_reply((yield request)))
            for operation in items_in(page, "operations"):
                if isinstance(operation, Mapping) and _metadata(operation).get("displayName") == call.input.name:
                    return str(operation.get("name") or "").removeprefix("batches/")
            token = str(page.get("nextPageToken") or "")
            if not token:
                return ""
        return ""

    def build_look(self, state: State) -> WireRequest:
        return WireRequest(url=_path(state), method="GET", safe_to_repeat=True)

    def read_look(self, fields: Mapping[str, Any]) -> BatchPart:
        metadata = _metadata(fields)
        word = str(metadata.get("state") or "")
        bare = next((word.removeprefix(prefix) for prefix in _PREFIXES if word.startswith(prefix)), word)
        error = read_error_value(fields["error"]) if fields.get("error") else None
        state = self.find_state(bare)
        if state == "running" and fields.get("done") is True:
            state = "done" if error is None else "failed"
        return BatchPart(
            id=str(fields.get("name") or ""),
            state=state,
            raw_state=word,
            counts=_count(metadata.get("batchStats")),
            error=error.message if error is not None else "",
        )

    def fetch(self, state: State, look: WireResponse) -> Answers:
        fields = decode(look)
        output = fields.get("response") or _metadata(fields).get("output")
        if not isinstance(output, Mapping):
            return
        for name in ("inlinedResponses", "inlinedEmbedContentResponses"):
            inner = items_in(output.get(name), "inlinedResponses")
            yield from _read_lines(map(msgspec.json.encode, inner))
        if isinstance(file := output.get("responsesFile"), str) and file:
            url = f"/v1beta/{quote(file, safe='/')}:download"
            query = {"alt": "media"}
            reply = yield WireRequest(url=url, method="GET", query=query, reply="file", safe_to_repeat=True)
            yield from _read_lines(need_reply(reply).lines())

    def cancel(self, state: State) -> WireRequest | None:
        return WireRequest(url=f"{_path(state)}:cancel", body={}, safe_to_repeat=True) if "id" in state else None


def _path(state: State) -> str:
    return f"/v1beta/batches/{quote(state['id'], safe='')}"


def _metadata(operation: Mapping[str, Any]) -> Mapping[str, Any]:
    found = operation.get("metadata")
    return found if isinstance(found, Mapping) else {}


def _count(stats: Any) -> BatchCounts:
    return count(stats, succeeded="successfulRequestCount", failed="failedRequestCount")


def _take_single(body: msgspec.Raw) -> Any:
    """The request of the one text: a plain call has a list of them."""
    requests = msgspec.json.decode(body).get("requests") or []
    if len(requests) != 1:
        raise UnsupportedParam("a line of a batch of embeddings has one text here", param="input")
    return requests[0]


def _read_lines(lines: Iterable[bytes]) -> Generator[BatchAnswer, None, None]:
    """The answers. One that is broken, or has no key, says nothing of whose it is: its request is found missing."""
    for line in lines:
        try:
            found = _decode_line(line)
        except UNREADABLE:
            continue
        if id := found.key or (found.metadata or {}).get("key"):
            yield _read_line(found, str(id))


def _read_line(line: _Line, id: str) -> BatchAnswer:
    if is_given(line.response):
        return BatchAnswer(id=id, reply=WireResponse(status=200, headers=JSON_REPLY, body=bytes(line.response)))
    stated = read_error_value(line.error or {})
    fields = line.error if isinstance(line.error, dict) else {}
    number, word = fields.get("code"), fields.get("status")
    if word in _STATES or number in _STATES:
        state = _STATES[word if word in _STATES else number]
        return BatchAnswer(id=id, state=state, code=stated.code, message=stated.message)
    status = number if isinstance(number, int) and 400 <= number < 600 else _HTTP.get(number, 500)
    body = msgspec.json.encode({"error": line.error})
    return BatchAnswer(id=id, state="failed", reply=WireResponse(status=status, headers=JSON_REPLY, body=body))
