"""What one attempt of a router gave."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from math import inf

from betterai.core.response import CallWarning, ProviderResponse, TextChunk
from betterai.runtime.attempts import Budget
from betterai.runtime.router.routes import Route


class Answer(Budget):
    """What a route gave: a whole response, or a stream that was read up to its first content. It is also what the
    attempt may use of the call's budget.
    """

    __slots__ = ("began", "chunks", "continues", "granted", "held", "over", "response", "route", "warnings")

    def __init__(self, route: Route, began: float, attempts: int, deadline: float, first_byte: float = inf) -> None:
        self.attempts = self.granted = attempts
        self.deadline = deadline
        self.first_byte = first_byte
        self.repeats = False
        self.route = route
        self.began = began
        self.warnings: tuple[CallWarning, ...] = ()
        self.continues = ""
        """What was said before by another route, which this one was told to go on from."""
        self.response: ProviderResponse | None = None
        self.chunks: AsyncGenerator[TextChunk, None] | None = None
        self.held: list[TextChunk] | tuple[()] = ()
        self.over = False

    @property
    def used(self) -> int:
        """How many attempts were made on its behalf, by a provider that counts them."""
        return self.granted - self.attempts

    async def close(self) -> None:
        """Close its stream, if that is a generator: a class may give any iterator."""
        if (close := getattr(self.chunks, "aclose", None)) is not None:
            await close()
