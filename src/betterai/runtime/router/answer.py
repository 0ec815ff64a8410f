"""What one attempt of a router gave."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from betterai.core.response import CallWarning, ProviderResponse, TextChunk
from betterai.runtime.attempts import Budget
from betterai.runtime.router.routes import Route


class Answer:
    """What a route gave: a whole response, or a stream that was read up to its first content."""

    __slots__ = ("began", "chunks", "continues", "granted", "held", "over", "response", "route", "share", "warnings")

    def __init__(self, route: Route, began: float, share: Budget) -> None:
        self.route = route
        self.began = began
        self.share = share
        self.granted = share.attempts
        self.warnings: tuple[CallWarning, ...] = ()
        self.continues = ""
        """What was said before by another route, which this one was told to go on from."""
        self.response: ProviderResponse | None = None
        self.chunks: AsyncGenerator[TextChunk, None] | None = None
        self.held: list[TextChunk] = []
        self.over = False

    async def close(self) -> None:
        """Close its stream, if that is a generator: a class may give any iterator."""
        if (close := getattr(self.chunks, "aclose", None)) is not None:
            await close()
