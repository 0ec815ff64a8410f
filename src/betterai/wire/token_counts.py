"""Counting the tokens of a call before it is made: at endpoints that take calls, and at those that take plain texts."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Generic, Never, TypeVar

import msgspec

from betterai.core.codec import StreamState, TextCall, TextExchange
from betterai.core.exceptions import ProviderError
from betterai.core.message import AnyPart, MediaPart, ToolCall, ToolResult
from betterai.core.results import TokenCount
from betterai.core.wire import WireRequest, WireResponse
from betterai.wire.error_bodies import UNREADABLE, read_error
from betterai.wire.errors import make_stated_error, make_unreadable
from betterai.wire.report import Report

T = TypeVar("T", bound=TextExchange)


class TokenCounter(ABC):
    """What all that count do alike: one request, one number."""

    protocol: ClassVar[str]
    """That of the calls that are counted."""
    path: ClassVar[str] = ""
    estimated: ClassVar[bool] = False

    @property
    def accepts(self) -> Mapping[str, frozenset[str]]:
        return {}

    def answers(self, path: str) -> bool:
        return path.endswith(self.path)

    def build_request(self, call: TextCall) -> WireRequest:
        """The call as a request for its count. Raises `UnsupportedParam` as asking for the answer does."""
        report = Report(call.model)
        body = self.build_body(call, report)
        return WireRequest(
            url=self.address(call),
            body=body,
            headers=self.build_headers(call, body, report),
            query=call.settings.extra_query or {},
            safe_to_repeat=True,
            warnings=(*call.warnings, *report.warnings),
        )

    def address(self, call: TextCall) -> str:
        return self.path

    @abstractmethod
    def build_body(self, call: TextCall, report: Report) -> dict[str, Any]:
        """What is asked."""

    def build_headers(self, call: TextCall, body: dict[str, Any], report: Report) -> Mapping[str, str]:
        return call.settings.extra_headers or {}

    def parse_response(self, call: TextCall, reply: WireResponse) -> TokenCount:
        """The count. Raises `ProviderError` for a body that holds none."""
        try:
            tokens = self.read_count(reply)
        except UNREADABLE as error:
            raise make_unreadable(reply) from error
        if tokens is None:
            raise make_unreadable(reply)
        return TokenCount(tokens=tokens, estimated=self.estimated, model=call.model.id, body=reply.content)

    @abstractmethod
    def read_count(self, reply: WireResponse) -> int | None:
        """The number that a reply states; None where it states none. What decoding raises is left to the caller."""

    @abstractmethod
    def parse_error(self, reply: WireResponse) -> ProviderError:
        """The error that a reply with an error status is."""

    def open_stream(self, call: TextCall) -> StreamState[Never]:
        raise ProviderError("tokens are counted in one reply: there is no stream of them")


class CallTokens(TokenCounter, Generic[T]):
    """Counts what `codec`, the vendor's for answers, would send: both read a call in the same way."""

    def __init__(self, codec: T) -> None:
        self.codec = codec

    @property
    def accepts(self) -> Mapping[str, frozenset[str]]:
        return self.codec.accepts

    def parse_error(self, reply: WireResponse) -> ProviderError:
        return self.codec.parse_error(reply)


class TextTokens(TokenCounter):
    """One text in, its tokens out. What a model reads beside the texts (roles, tools, media) is not counted, so the
    count is an estimate; what was left out is reported.
    """

    path: ClassVar[str] = "/tokenize"
    text_field: ClassVar[str] = "text"
    list_field: ClassVar[str] = "tokens"
    """The field of the reply that lists the tokens."""
    at_root: ClassVar[bool] = False
    """Whether it is asked beside the `/v1` of the base URL; needs "base_url" among the provider's `codec_settings`."""
    estimated: ClassVar[bool] = True

    def address(self, call: TextCall) -> str:
        base = call.provider_settings.get("base_url", "").rstrip("/")
        return base.removesuffix("/v1") + self.path if self.at_root else self.path

    def build_body(self, call: TextCall, report: Report) -> dict[str, Any]:
        """Vendors that know more than texts override this."""
        if call.settings.tools:
            report.warn("tools", "their tokens were not counted")
        return {"model": call.model.id, self.text_field: join_texts(call, report)}

    def read_count(self, reply: WireResponse) -> int | None:
        value = msgspec.json.decode(reply.content)
        tokens = value.get(self.list_field) if isinstance(value, dict) else None
        return len(tokens) if isinstance(tokens, list) else None

    def parse_error(self, reply: WireResponse) -> ProviderError:
        return make_stated_error(read_error(reply.content), reply)


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
