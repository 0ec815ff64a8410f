"""Results of several requests as one: in order, usage and cost summed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import reduce
from operator import add
from typing import Any, TypeVar

import msgspec

from betterai.core.media import Media
from betterai.core.response import CallWarning, Timing
from betterai.core.results import EmbeddingResponse, Result, Speech

R = TypeVar("R", bound=Result)


def join_embeddings(results: Sequence[EmbeddingResponse], seconds: float) -> EmbeddingResponse:
    """The vectors of all, in order."""
    whole = _join(results, seconds)
    return msgspec.structs.replace(whole, vectors=tuple(vector for result in results for vector in result.vectors))


def join_speech(results: Sequence[Speech]) -> Speech:
    """The sound of all, one after another, as it came."""
    whole = _join(results, sum(result.timing.total for result in results if result.timing))
    sound = b"".join(result.audio.to_bytes() for result in results)
    words = [word for result in results for word in result.words or ()]
    audio = Media(kind="audio", mime_type=results[0].audio.mime_type, data=sound)
    return msgspec.structs.replace(whole, audio=audio, words=tuple(words) or None)


def _join(results: Sequence[R], seconds: float) -> R:
    first = results[0]
    attempts = tuple(attempt for result in results if result.timing for attempt in result.timing.attempts)
    return msgspec.structs.replace(
        first,
        usage=_sum(result.usage for result in results),
        cost=_sum(result.cost for result in results),
        warnings=_once(warning for result in results for warning in result.warnings),
        timing=Timing(total=seconds, attempts=attempts),
        body=b"",
    )


def _sum(values: Iterable[Any]) -> Any:
    """The sum; None where one of them is not known."""
    found = list(values)
    return None if any(value is None for value in found) else reduce(add, found)


def _once(warnings: Iterable[CallWarning]) -> tuple[CallWarning, ...]:
    kept: list[CallWarning] = []
    for warning in warnings:
        if warning not in kept:
            kept.append(warning)
    return tuple(kept)
