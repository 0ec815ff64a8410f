"""Counting the tokens of a call before it is made (https://ai.google.dev/api/tokens)."""

from __future__ import annotations

from typing import Any, ClassVar

from msgspec import Struct

from betterai.core.codec import TextCall
from betterai.core.wire import WireResponse
from betterai.wire.gemini.client import Gemini
from betterai.wire.gemini.errors import read_failure
from betterai.wire.gemini.fields import PROTOCOL
from betterai.wire.lenient import Reader
from betterai.wire.report import Report
from betterai.wire.token_counts import CallTokens


class CountedShape(Struct, gc=False, rename="camel"):
    total_tokens: int | None = None
    error: Any = None


_COUNTED = Reader(CountedShape)


class GeminiCount(CallTokens[Gemini]):
    """`:countTokens`. `wrapped`: all of the request counts, and what is more than contents stands in
    `generateContentRequest` with the model's name; else only what the method has fields for.
    """

    protocol: ClassVar[str] = PROTOCOL
    path: ClassVar[str] = ":countTokens"
    wrapped: ClassVar[bool] = True
    fields: ClassVar[frozenset[str]] = frozenset({"contents", "systemInstruction", "tools", "generationConfig"})

    def address(self, call: TextCall) -> str:
        return self.codec.address(call, "countTokens")

    def build_body(self, call: TextCall, report: Report) -> dict[str, Any]:
        body = self.codec.build_body(call, report)
        if self.wrapped and body.keys() != {"contents"}:
            name = call.model.id
            model = name if "/" in name else f"models/{name}"
            return {"generateContentRequest": {"model": model, **body}}
        return {name: value for name, value in body.items() if name in self.fields}

    def read_count(self, reply: WireResponse) -> int:
        """Nothing to count is written as nothing."""
        shape = _COUNTED.decode(reply.content)
        if shape.error is not None:
            raise read_failure(reply)
        return shape.total_tokens or 0
