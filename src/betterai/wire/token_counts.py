"""Counting the tokens of a conversation at providers that tokenize plain texts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Never

import msgspec

from betterai.core.codec import StreamState, TextCall
from betterai.core.exceptions import ProviderError
from betterai.core.message import AnyPart, MediaPart, ToolCall, ToolResult
from betterai.core.results import TokenCount
from betterai.core.wire import WireRequest, WireResponse
from betterai.wire.error_bodies import UNREADABLE, read_error
from betterai.wire.errors import make_error
from betterai.wire.report import Report


class TextTokens:
    """One text in, its tokens out. What a model reads beside the texts (roles, tools, media) is not counted, so the
    count is an estimate; what was left out is reported.
    """

    protocol: ClassVar[str]
    """That of the calls that are counted."""
    accepts: ClassVar[Mapping[str, frozenset[str]]] = {}
    path: ClassVar[str] = "/tokenize"
    text_field: ClassVar[str] = "text"
    list_field: ClassVar[str] = "tokens"
    """The field of the reply that lists the tokens."""
    at_root: ClassVar[bool] = False
    """Whether it is asked beside the `/v1` of the base URL; needs "base_url" among the provider's `codec_settings`."""
    estimated: ClassVar[bool] = True

    def answers(self, path: str) -> bool:
        return path.endswith(self.path)

    def build_request(self, call: TextCall) -> WireRequest:
        report = Report(call.model)
        given = call.settings.given()
        body = self.build_body(call, report)
        base = call.provider_settings.get("base_url", "").rstrip("/")
        return WireRequest(
            url=base.removesuffix("/v1") + self.path if self.at_root else self.path,
            body=body,
            headers=given.get("extra_headers") or {},
            query=given.get("extra_query") or {},
            safe_to_repeat=True,
            warnings=(*call.warnings, *report.warnings),
        )

    def build_body(self, call: TextCall, report: Report) -> dict[str, Any]:
        """What is asked. Vendors that know more than texts override this."""
        if call.settings.tools:
            report.warn("tools", "their tokens were not counted")
        return {"model": call.model.id, self.text_field: join_texts(call, report)}

    def parse_response(self, call: TextCall, reply: WireResponse) -> TokenCount | WireRequest:
        try:
            value = msgspec.json.decode(reply.content)
        except UNREADABLE:
            value = None
        tokens = value.get(self.list_field) if isinstance(value, dict) else None
        if not isinstance(tokens, list):
            raise make_error(
                reply.status, reply.headers, code="unreadable_reply", body=reply.content, kind=ProviderError
            )
        return TokenCount(tokens=len(tokens), estimated=self.estimated, model=call.model.id, body=reply.content)

    def parse_error(self, reply: WireResponse) -> ProviderError:
        found = read_error(reply.content)
        return make_error(
            reply.status, reply.headers, code=found.code, message=found.message, about=found.about, type=found.type,
            body=reply.content,
        )  # fmt: skip

    def open_stream(self, call: TextCall) -> StreamState[Never]:
        raise ProviderError("tokens are counted in one reply: there is no stream of them")


def join_texts(call: TextCall, report: Report) -> str:
    """All that is said in a conversation, a line a part; media are reported."""
    return "\n".join(text for message in call.input for text in _texts_of(message.parts, report) if text)


def _texts_of(parts: Iterable[AnyPart], report: Report) -> Iterable[str]:
    for part in parts:
        if isinstance(part, MediaPart):
            report.warn("messages.media", "the tokens of media were not counted")
        elif isinstance(part, ToolResult):
            yield from _texts_of(part.parts, report)
        elif isinstance(part, ToolCall):
            yield f"{part.name} {part.arguments}"
        else:
            yield part.text
