"""Counting the tokens of a call before it is made (https://ai.google.dev/api/tokens)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, NoReturn

import msgspec
from msgspec import Struct

from betterai.core.codec import TextCall
from betterai.core.exceptions import ProviderError
from betterai.core.results import TokenCount
from betterai.core.wire import WireRequest, WireResponse
from betterai.wire.error_bodies import UNREADABLE
from betterai.wire.errors import make_error
from betterai.wire.gemini.client import Gemini
from betterai.wire.gemini.errors import read_failure
from betterai.wire.gemini.fields import PROTOCOL
from betterai.wire.report import Report


class CountedShape(Struct, gc=False, rename="camel"):
    total_tokens: int | None = None
    error: Any = None


_COUNTED = msgspec.json.Decoder(CountedShape, strict=False)
_METHOD = "countTokens"


class GeminiCount:
    """`:countTokens` for the same calls as a text codec, which writes them. `wrapped`: all of the request counts, and
    what is more than contents stands in `generateContentRequest` with the model's name; else only what the method has
    fields for.
    """

    protocol: ClassVar[str] = PROTOCOL
    wrapped: ClassVar[bool] = True
    fields: ClassVar[frozenset[str]] = frozenset({"contents", "systemInstruction", "tools", "generationConfig"})

    def __init__(self, text: Gemini) -> None:
        self._text = text

    @property
    def accepts(self) -> Mapping[str, frozenset[str]]:
        return self._text.accepts

    def answers(self, path: str) -> bool:
        return path.endswith(f":{_METHOD}")

    def build_request(self, call: TextCall) -> WireRequest:
        """The call as a request. Raises as the text codec does."""
        report = Report(call.model)
        body = self._text.build_body(call, report)
        if self.wrapped and body.keys() != {"contents"}:
            name = call.model.id
            model = name if "/" in name else f"models/{name}"
            body = {"generateContentRequest": {"model": model, **body}}
        else:
            body = {name: value for name, value in body.items() if name in self.fields}
        given = call.settings.given()
        return WireRequest(
            url=self._text.address(call, _METHOD),
            body=body,
            headers=given.get("extra_headers") or {},
            query=given.get("extra_query") or {},
            warnings=(*call.warnings, *report.warnings),
            safe_to_repeat=True,
        )

    def parse_response(self, call: TextCall, reply: WireResponse) -> TokenCount:
        """The count. Raises `ProviderError` for a body that has none: nothing to count is written as nothing."""
        body = reply.content
        try:
            shape = _COUNTED.decode(body)
        except UNREADABLE as error:
            raise self._fault(reply) from error
        if shape.error is not None:
            raise read_failure(reply)
        return TokenCount(tokens=shape.total_tokens or 0, model=call.model.id, provider=call.model.provider, body=body)

    def _fault(self, reply: WireResponse) -> ProviderError:
        return make_error(reply.status, reply.headers, body=reply.content, code="unreadable_reply", kind=ProviderError)

    def parse_error(self, reply: WireResponse) -> ProviderError:
        return read_failure(reply, reply.status)

    def open_stream(self, call: TextCall) -> NoReturn:
        raise ProviderError("counts are not streamed", code="no_stream")
