"""Batches as data: many requests with ids of the caller's, answered line by line, later and cheaper."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

from betterai.core.data import Data
from betterai.core.exceptions import BetterAIError, ProviderError
from betterai.core.media import Media
from betterai.core.response import CallWarning
from betterai.core.settings import CallSettings
from betterai.core.usage import NOTHING, Cost, Usage
from betterai.core.wire import WireResponse

BatchState: TypeAlias = Literal["running", "done", "failed", "cancelled", "expired", "in_doubt"]
"""`done`: over, each line with an outcome of its own. `failed`: refused as a whole. `cancelled` and `expired` batches
may have answered lines all the same. `in_doubt`: some of it may or may not have been submitted. A word that the
provider uses and we do not know is `running`.
"""
LineState: TypeAlias = Literal["succeeded", "failed", "cancelled", "expired", "in_doubt", "missing"]
"""`missing`: the batch is over, and the provider gave nothing for this line. `in_doubt`: it was never asked, or it was
and nobody knows: only you can decide to repeat it.
"""


class BatchRequest(Data, frozen=True, kw_only=True):
    """One line of a batch. `id` is yours, and comes back with the answer: it is unique in its batch.

    `input` is what a plain call takes: messages (or a text) for text, texts for embeddings, a prompt for images.
    `model` is another one than the batch's, of the same provider. `settings` are laid over those of the batch.
    """

    id: str
    input: Any
    model: str = ""
    settings: CallSettings | None = None


class BatchLine(Data, frozen=True, kw_only=True, gc=True):
    """The outcome of one request: a `response` of its category where it succeeded, else a typed `error`.

    Lines come in no order; `id` says which request it was. `warnings` are what was said of the request when it was
    built; they stand in the response as well.
    """

    id: str
    state: LineState
    response: Any = None
    error: BetterAIError | None = None
    warnings: tuple[CallWarning, ...] = ()

    @property
    def usage(self) -> Usage | None:
        """What the line used: a failed one too, where it was answered and the answer does not fit."""
        answered = self.response if self.response is not None else getattr(self.error, "response", None)
        found: Usage | None = getattr(answered, "usage", None)
        return found

    @property
    def cost(self) -> Cost | None:
        """At the rates of batches; None where nothing was answered."""
        answered = self.response if self.response is not None else getattr(self.error, "response", None)
        found: Cost | None = getattr(answered, "cost", None)
        return found

    def unwrap(self) -> Any:
        """The response; raises the error of a line that has none."""
        if self.error is not None:
            raise self.error
        return self.response


class BatchCounts(Data, frozen=True, kw_only=True):
    """How many lines there are, and how they ended so far."""

    total: int = 0
    succeeded: int = 0
    failed: int = 0
    cancelled: int = 0
    expired: int = 0

    @property
    def ended(self) -> int:
        return self.succeeded + self.failed + self.cancelled + self.expired

    @property
    def running(self) -> int:
        return max(self.total - self.ended, 0)

    def __add__(self, more: BatchCounts) -> BatchCounts:
        return BatchCounts(**{name: getattr(self, name) + getattr(more, name) for name in self.__struct_fields__})


class BatchPart(Data, frozen=True, kw_only=True):
    """One batch at the provider: a batch of yours is several where it is more than the provider takes at once.

    `id` is the provider's, "" before it has one; `raw_state` its own word; `error` why it was refused as a whole.
    """

    id: str
    state: BatchState
    raw_state: str = ""
    counts: BatchCounts = BatchCounts()
    error: str = ""


class BatchStatus(Data, frozen=True, kw_only=True):
    """How a batch stands. `look_again` is in how many seconds it is worth to look again."""

    id: str
    provider: str
    state: BatchState
    counts: BatchCounts = BatchCounts()
    parts: tuple[BatchPart, ...] = ()
    look_again: float = 30.0

    @property
    def over(self) -> bool:
        """Whether nothing more will come."""
        return self.state != "running"

    @property
    def progress(self) -> float:
        """From 0 to 1."""
        if self.over:
            return 1.0
        return self.counts.ended / self.counts.total if self.counts.total else 0.0


class BatchTotals(Data, frozen=True, kw_only=True):
    """The sum of lines: how they ended, what they used, what they cost. An unknown cost of one makes it unknown."""

    counts: BatchCounts = BatchCounts()
    missing: int = 0
    in_doubt: int = 0
    usage: Usage | None = None
    cost: Cost = NOTHING

    def with_line(self, line: BatchLine) -> BatchTotals:
        """The sum with one line more."""
        counts, beside = self.counts, {"missing": self.missing, "in_doubt": self.in_doubt}
        if line.state in beside:
            beside[line.state] += 1
            counts = counts + BatchCounts(total=1)
        else:
            counts = counts + BatchCounts(**{"total": 1, line.state: 1})
        usage, cost = line.usage, line.cost
        if usage is not None and self.usage is not None:
            usage = self.usage + usage
        return BatchTotals(
            counts=counts,
            usage=usage if usage is not None else self.usage,
            cost=self.cost + cost if cost is not None else self.cost,
            **beside,
        )


class BatchLimits(Data, frozen=True, kw_only=True):
    """What a provider takes in one batch: so many requests, so many bytes of all and of one, ids of so many letters
    that match a pattern. None where nothing is known. `one_model`: all requests of one are for the same model.
    """

    requests: int | None = None
    bytes: int | None = None
    id_length: int | None = None
    id_pattern: str = ""
    one_model: bool = False


class BatchInput(Data, frozen=True, kw_only=True):
    """One batch as its codec submits it. `name` is ours, unique: by it a submit that broke off is found again.

    `body` are the lines within their frame, in a file; `target` the endpoint that all of them are for, `headers` those
    that all of them want. `began` is when it was begun, in Unix seconds.
    """

    name: str
    body: Media
    count: int
    size: int
    target: str
    category: str = "text"
    headers: Mapping[str, str] = {}
    began: float = 0.0


class BatchAnswer(Data, frozen=True, kw_only=True):
    """What a provider gave for one line: a `reply` as to a plain call, or the state that it ended in and why."""

    id: str
    state: LineState = "succeeded"
    reply: WireResponse | None = None
    code: str = ""
    message: str = ""
    request_id: str = ""


def make_line_error(state: LineState, message: str = "", **fields: Any) -> ProviderError:
    """The error of a line that has no answer."""
    words: Mapping[str, str] = {
        "cancelled": "the batch was cancelled before this line was worked on",
        "expired": "the batch expired before this line was worked on",
        "missing": "the batch is over, and the provider gave nothing for this line",
        "failed": "the line failed",
    }
    error = ProviderError(message or words.get(state, state), code=fields.pop("code", f"line_{state}"), **fields)
    error.hint = error.hint or "submit it again in another batch"
    return error
