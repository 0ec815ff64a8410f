"""Counting the input tokens of a call (https://platform.openai.com/docs/api-reference/responses/input-tokens)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Never

import msgspec
from msgspec import UNSET, Struct

from betterai.core.codec import StreamState, TextCall
from betterai.core.exceptions import ProviderError, UnsupportedParam
from betterai.core.results import TokenCount
from betterai.core.wire import WireRequest, WireResponse
from betterai.wire.error_bodies import UNREADABLE
from betterai.wire.errors import make_unreadable
from betterai.wire.openai_responses.client import OpenAIResponses
from betterai.wire.openai_responses.protocol import PROTOCOL

_COUNTED = frozenset(
    {
        "tools", "tool_choice", "parallel_tool_calls", "response_format", "reasoning", "verbosity", "web_search",
        "options", "extra_body", "extra_headers", "extra_query", "spelling",
    }
)  # fmt: skip
"""Settings that are part of the input, or may be."""
_FIELDS = frozenset(
    {
        "model", "input", "instructions", "tools", "tool_choice", "parallel_tool_calls", "text", "reasoning",
        "previous_response_id", "conversation", "truncation",
    }
)  # fmt: skip
"""What the endpoint takes (openai 3.54.0, types/responses/input_token_count_params.py)."""


class CountShape(Struct, gc=False):
    input_tokens: int | None = None


_decode = msgspec.json.Decoder(CountShape, strict=False).decode


class OpenAIResponsesCount:
    """Asks for the count of what `codec` would send. Settings that change only the answer are left out: they count for
    nothing.
    """

    protocol: ClassVar[str] = PROTOCOL
    path: ClassVar[str] = "/responses/input_tokens"

    def __init__(self, codec: OpenAIResponses) -> None:
        self._codec = codec

    @property
    def accepts(self) -> Mapping[str, frozenset[str]]:
        return self._codec.accepts

    def answers(self, path: str) -> bool:
        return path.endswith(self.path)

    def build_request(self, call: TextCall) -> WireRequest:
        beside = {name: UNSET for name in call.settings.given() if name not in _COUNTED}
        counted = msgspec.structs.replace(call, settings=call.settings.replace(**beside), stream=False)
        request = self._codec.build_request(counted)
        written: Any = request.body
        body = {name: value for name, value in written.items() if name in _FIELDS}
        url = request.url.removesuffix(self._codec.path) + self.path
        return msgspec.structs.replace(request, url=url, body=body, reply="json", safe_to_repeat=True)

    def parse_response(self, call: TextCall, reply: WireResponse) -> TokenCount:
        """The count. Raises `ProviderError` for a body that holds none."""
        body = reply.content
        try:
            tokens = _decode(body).input_tokens
        except UNREADABLE as error:
            raise _unreadable(reply) from error
        if tokens is None:
            raise _unreadable(reply)
        return TokenCount(tokens=tokens, model=call.model.id, body=body)

    def parse_error(self, reply: WireResponse) -> ProviderError:
        return self._codec.parse_error(reply)

    def open_stream(self, call: TextCall) -> StreamState[Never]:
        raise UnsupportedParam("a count comes whole", param="stream")


def _unreadable(reply: WireResponse) -> ProviderError:
    return make_unreadable(reply)
