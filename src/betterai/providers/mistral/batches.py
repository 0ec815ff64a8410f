"""Mistral's batches (https://docs.mistral.ai/studio-api/batch-processing, 2026-11): a job over a file of JSON lines."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import Any, ClassVar
from urllib.parse import quote

import msgspec

from betterai.core.batches import BatchLimits, BatchPart, BatchState
from betterai.core.codec import BatchCall
from betterai.core.wire import WireRequest, WireResponse
from betterai.wire.batches import Answers, State, Step, count, decode, items_in, read_lines
from betterai.wire.error_bodies import read_error_value
from betterai.wire.files import need_reply
from betterai.wire.openai_batches import NAME, PAGES, OpenAIBatches, read_name, rows_of

PAGE = 100


class MistralBatches(OpenAIBatches):
    """Answers are in files, or in the job itself where it was small."""

    protocol: ClassVar[str] = "mistral_batches"
    path = "/batch/jobs"
    limits = BatchLimits(requests=1_000_000, bytes=512_000_000, one_model=True)
    carries: ClassVar = {
        "text": {"openai_chat": "/v1/chat/completions"},
        "embeddings": {"openai_embeddings": "/v1/embeddings"},
        "moderation": {"openai_moderations": "/v1/moderations"},
    }
    states: ClassVar[Mapping[str, BatchState]] = {
        "SUCCESS": "done", "FAILED": "failed", "TIMEOUT_EXCEEDED": "expired", "CANCELLED": "cancelled",
    }  # fmt: skip

    def wrap(self, id: str, body: msgspec.Raw, target: str) -> Any:
        return {"custom_id": id, "body": body}

    def build_submit(self, call: BatchCall, state: State) -> WireRequest:
        body = {
            "input_files": [state["file"]],
            "endpoint": call.input.target,
            "model": call.model.id,
            "metadata": {NAME: call.input.name},
        }
        return self.ask(state, self.path, "POST", body=body, safe_to_repeat=False)

    def search(self, call: BatchCall, state: State) -> Generator[Step, WireResponse | None, str]:
        for page in range(PAGES):
            query = {"page": str(page), "page_size": str(PAGE)}
            jobs = rows_of(decode(need_reply((yield self.ask(state, self.path, query=query)))))
            for job in jobs:
                if read_name(job) == call.input.name:
                    return str(job.get("id") or "")
            if len(jobs) < PAGE:
                return ""
        return ""

    def read_look(self, fields: Mapping[str, Any]) -> BatchPart:
        errors = items_in(fields, "errors")
        first = read_error_value(errors[0]) if errors else None
        return BatchPart(
            id=str(fields.get("id") or ""),
            state=self.find_state(fields.get("status")),
            raw_state=str(fields.get("status") or ""),
            counts=count(fields, succeeded="succeeded_requests", failed="failed_requests"),
            error=first.message if first is not None else "",
        )

    def fetch(self, state: State, look: WireResponse) -> Answers:
        fields = decode(look)
        yield from read_lines(map(msgspec.json.encode, items_in(fields, "outputs")))
        for name in ("output_file", "error_file"):
            if isinstance(file := fields.get(name), str) and file:
                reply = yield self.ask(state, f"{self.files_path}/{quote(file, safe='')}/content", reply="file")
                yield from read_lines(need_reply(reply).lines())
