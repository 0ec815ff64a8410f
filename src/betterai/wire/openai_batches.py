"""Batches as OpenAI has them (https://platform.openai.com/docs/api-reference/batch, 2026-11).

A file of JSON lines is uploaded, a batch is made of it, and its answers are in two other files.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import Any, ClassVar
from urllib.parse import quote

import msgspec

from betterai.core.batches import BatchLimits, BatchPart, BatchState
from betterai.core.codec import BatchCall
from betterai.core.wire import Field, Multipart, WireRequest, WireResponse
from betterai.wire.batches import Answers, BatchSteps, State, Step, count, decode, items_in, read_lines
from betterai.wire.error_bodies import read_error_value
from betterai.wire.files import need_reply, read_object, unreadable

NAME = "betterai"
"""The key of a batch's metadata under which its name stands."""
PAGES = 20
"""How many pages of the list are looked through for a batch."""


class OpenAIBatches(BatchSteps):
    """OpenAI's own. A compatible vendor subclasses this and states its deviations."""

    protocol: ClassVar[str] = "openai_batches"
    limits = BatchLimits(requests=50_000, bytes=200_000_000, one_model=True)
    carries: ClassVar = {
        "text": {"openai_responses": "/v1/responses", "openai_chat": "/v1/chat/completions"},
        "embeddings": {"openai_embeddings": "/v1/embeddings"},
        "moderation": {"openai_moderations": "/v1/moderations"},
        "image": {"openai_images": "/v1/images/generations"},
    }
    states: ClassVar[Mapping[str, BatchState]] = {
        "completed": "done", "failed": "failed", "expired": "expired", "cancelled": "cancelled",
    }  # fmt: skip
    path: ClassVar[str] = "/batches"
    files_path: ClassVar[str] = "/files"
    completion_window: ClassVar[str] = "24h"

    def wrap(self, id: str, body: msgspec.Raw, target: str) -> Any:
        return {"custom_id": id, "method": "POST", "url": target, "body": body}

    def place(self, call: BatchCall) -> State:
        """What of a state says where it is asked."""
        return {}

    def ask(self, state: State, path: str, method: str = "GET", **fields: Any) -> WireRequest:
        """A request that may be repeated, unless it says otherwise."""
        return WireRequest(url=path, method=method, **{"safe_to_repeat": True, **fields})

    def prepare(self, call: BatchCall) -> Generator[Step, WireResponse | None, State]:
        state = self.place(call)
        form = Multipart(fields=(*self.upload_fields(), _file_field(call)))
        reply = need_reply((yield self.ask(state, self.files_path, "POST", body=form)))
        file = read_object(reply).get("id")
        if not isinstance(file, str) or not file:
            raise unreadable(reply)
        return {**state, "file": file}

    def upload_fields(self) -> tuple[Field, ...]:
        return (Field(name="purpose", value="batch"),)

    def build_submit(self, call: BatchCall, state: State) -> WireRequest:
        body = {
            "input_file_id": state["file"],
            "endpoint": call.input.target,
            "completion_window": self.completion_window,
            "metadata": {NAME: call.input.name},
        }
        return self.ask(state, self.path, "POST", body=body, safe_to_repeat=False)

    def search(self, call: BatchCall, state: State) -> Generator[Step, WireResponse | None, str]:
        after = ""
        for _ in range(PAGES):
            query = {"limit": "100", **({"after": after} if after else {})}
            page = decode(need_reply((yield self.ask(state, self.path, query=query))))
            batches = rows_of(page)
            for batch in batches:
                if read_name(batch) == call.input.name:
                    return str(batch.get("id") or "")
            after = str(batches[-1].get("id") or "") if batches and page.get("has_more") else ""
            if not after or _is_older(batches[-1], call.input.began):
                return ""
        return ""

    def build_look(self, state: State) -> WireRequest:
        return self.ask(state, f"{self.path}/{quote(state['id'], safe='')}")

    def read_look(self, fields: Mapping[str, Any]) -> BatchPart:
        return BatchPart(
            id=str(fields.get("id") or ""),
            state=self.find_state(fields.get("status")),
            raw_state=str(fields.get("status") or ""),
            counts=count(fields.get("request_counts"), succeeded="completed", failed="failed"),
            error=_describe_errors(fields.get("errors")),
        )

    def fetch(self, state: State, look: WireResponse) -> Answers:
        fields = decode(look)
        for name in ("output_file_id", "error_file_id"):
            if isinstance(file := fields.get(name), str) and file:
                path = f"{self.files_path}/{quote(file, safe='')}/content"
                reply = yield self.ask(state, path, reply="file")
                yield from read_lines(need_reply(reply).lines())

    def cancel(self, state: State) -> WireRequest | None:
        if "id" not in state:
            return None
        return self.ask(state, f"{self.path}/{quote(state['id'], safe='')}/cancel", "POST")


def rows_of(page: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The batches of a page of the list."""
    return [row for row in items_in(page, "data") if isinstance(row, Mapping)]


def read_name(batch: Mapping[str, Any]) -> Any:
    """The name that one of ours has."""
    metadata = batch.get("metadata")
    return metadata.get(NAME) if isinstance(metadata, Mapping) else None


def _file_field(call: BatchCall) -> Field:
    return Field(name="file", value=call.input.body, filename=f"{call.input.name}.jsonl", mime_type="application/jsonl")


def _is_older(batch: Mapping[str, Any], began: float) -> bool:
    """Whether a batch was made a day before ours was begun: the list has the newest first."""
    created = batch.get("created_at")
    return isinstance(created, int | float) and created < began - 86400


def _describe_errors(errors: Any) -> str:
    """Why a batch was refused as a whole: the first of its errors, and how many more there are."""
    data = items_in(errors, "data")
    if not data:
        return ""
    first = read_error_value(data[0])
    said = first.message or first.code
    line = data[0].get("line") if isinstance(data[0], Mapping) else None
    where = f" (line {line})" if isinstance(line, int) else ""
    return f"{said}{where}" + (f", and {len(data) - 1} more" if len(data) > 1 else "")
