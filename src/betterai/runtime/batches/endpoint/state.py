"""How a batch at a provider stands, as its handle keeps it; and what follows of that for the whole and for a line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from betterai.core.batches import BatchCounts, BatchLine, BatchPart, BatchState, LineState, make_line_error
from betterai.core.data import Data
from betterai.core.exceptions import BetterAIError, JobInDoubt, ValidationError
from betterai.core.jobs import JobHandle
from betterai.core.model import Category
from betterai.runtime.batches.endpoint.parts import PartFile

_WITHOUT_ANSWER: Mapping[BatchState, LineState] = {
    "failed": "failed", "cancelled": "cancelled", "expired": "expired", "in_doubt": "in_doubt",
}  # fmt: skip


class Part(Data, frozen=True, kw_only=True):
    """One part as the handle keeps it. `state` is its codec's, None before anything was sent; `error` says why it was
    refused as a whole, with the provider's `code`; `in_doubt` that it may have been taken.
    """

    model: str
    target: str
    count: int
    size: int
    headers: Mapping[str, str] = {}
    state: Mapping[str, Any] | None = None
    submitted: bool = False
    in_doubt: bool = False
    error: str = ""
    code: str = ""


class Progress(Data, frozen=True, kw_only=True):
    """The state of a handle."""

    category: Category
    created: float
    parts: tuple[Part, ...]


def make_line(handle: JobHandle, look: BatchPart, part: Part, id: str) -> BatchLine:
    """The outcome of a request of a part that is over and has no answer."""
    state = _WITHOUT_ANSWER.get(look.state, "missing")
    error: BetterAIError
    if state == "in_doubt":
        error = JobInDoubt(part.error, code=part.code, hint="resume with retry_in_doubt=True to send it once more")
    else:
        error = make_line_error(state, look.error, **({"code": part.code} if part.code else {}))
    return BatchLine(id=id, state=state, error=error.locate(handle.provider, part.model))


def begin_part(file: PartFile) -> Part:
    return Part(model=file.model, target=file.target, headers=file.headers, count=file.count, size=file.size)


def read_progress(handle: JobHandle) -> Progress:
    try:
        return msgspec.convert(handle.state, Progress)
    except msgspec.ValidationError as error:
        raise ValidationError(f"this is no handle of a batch at a provider: {error}") from error


def with_parts(handle: JobHandle, parts: tuple[Part, ...]) -> JobHandle:
    state = msgspec.structs.replace(read_progress(handle), parts=parts)
    return msgspec.structs.replace(handle, state=msgspec.to_builtins(state))


def fill_counts(part: BatchPart, total: int) -> BatchCounts:
    """The counts of a part: what the provider does not count is running, or ended as the whole did."""
    counts = msgspec.structs.replace(part.counts, total=total)
    left = {"failed": "failed", "cancelled": "cancelled", "expired": "expired"}.get(part.state)
    if left is None or counts.running == 0:
        return counts
    return msgspec.structs.replace(counts, **{left: getattr(counts, left) + counts.running})


def join_states(states: Sequence[BatchState]) -> BatchState:
    """How the whole stands: over when all parts are; each line says for itself how it ended."""
    order: tuple[BatchState, ...] = ("running", "in_doubt", "cancelled", "expired", "done")
    return next((state for state in order if state in states), "failed")


def join_errors(parts: Sequence[BatchPart]) -> str:
    return "; ".join(dict.fromkeys(part.error for part in parts if part.error))
