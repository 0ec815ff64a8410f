"""Counting the input tokens of a call (https://platform.openai.com/docs/api-reference/responses/input-tokens)."""

from __future__ import annotations

from typing import Any, ClassVar, Never

import msgspec
from msgspec import UNSET, Struct

from betterai.core.codec import StreamState, TextCall
from betterai.core.exceptions import UnsupportedParam
from betterai.core.wire import WireResponse
from betterai.wire.lenient import Reader
from betterai.wire.openai_responses.client import OpenAIResponses
from betterai.wire.openai_responses.protocol import PROTOCOL
from betterai.wire.report import Report
from betterai.wire.token_counts import CallTokens

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


_decode = Reader(CountShape).decode


class OpenAIResponsesCount(CallTokens[OpenAIResponses]):
    """Settings that change only the answer are left out: they count for nothing."""

    protocol: ClassVar[str] = PROTOCOL
    path: ClassVar[str] = "/responses/input_tokens"

    def build_body(self, call: TextCall, report: Report) -> dict[str, Any]:
        beside = {name: UNSET for name in call.settings.given() if name not in _COUNTED}
        settings = call.settings.replace(**beside)
        request = self.codec.build_request(msgspec.structs.replace(call, settings=settings, stream=False, warnings=()))
        report.warnings.extend(request.warnings)
        written: Any = request.body
        return {name: value for name, value in written.items() if name in _FIELDS}

    def read_count(self, reply: WireResponse) -> int | None:
        return _decode(reply.content).input_tokens

    def open_stream(self, call: TextCall) -> StreamState[Never]:
        raise UnsupportedParam("a count comes whole", param="stream")
