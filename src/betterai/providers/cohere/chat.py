"""Chat v2: our calls as requests, replies as our responses (https://docs.cohere.com/reference/chat, cohere 7.3.1)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from betterai.core.codec import TextCall, TextReader
from betterai.core.exceptions import ProviderError
from betterai.core.response import ProviderResponse
from betterai.core.settings import ReasoningControl
from betterai.core.tools import JsonObject, JsonSchema, PlainText
from betterai.core.wire import WireRequest, WireResponse
from betterai.providers.cohere.errors import make_cohere_error
from betterai.providers.cohere.messages import MessageBuilder
from betterai.providers.cohere.options import CohereOptions
from betterai.providers.cohere.replies import PROTOCOL, parse_reply
from betterai.providers.cohere.requests import CohereReader
from betterai.providers.cohere.schema import fit_schema
from betterai.providers.cohere.shapes import REPLY, MessageShape
from betterai.providers.cohere.stream import CohereStream
from betterai.providers.cohere.tools import write_tool_choice, write_tools
from betterai.wire.calls import (
    asks_nothing,
    make_request,
    report_schema_words,
    report_stream_options,
    report_thoughts,
    take_options,
    takes_sampling,
)
from betterai.wire.error_bodies import UNREADABLE
from betterai.wire.errors import make_unreadable
from betterai.wire.reasoning import read_reasoning_control
from betterai.wire.report import Report
from betterai.wire.residue import merge_extra

_NAMES = {
    "temperature": "temperature", "seed": "seed", "frequency_penalty": "frequency_penalty",
    "presence_penalty": "presence_penalty", "max_tokens": "max_tokens", "logprobs": "logprobs", "top_k": "k",
    "top_p": "p",
}  # fmt: skip
_SAMPLING = frozenset({"temperature", "top_p", "top_k", "frequency_penalty", "presence_penalty", "logprobs"})
_BESIDE = frozenset(
    {"options", "extra_body", "extra_headers", "extra_query", "spelling", "stream_options", "tools", "tool_choice"}
)


class CohereChat:
    """Cohere's own protocol, whole: documents and citations, plans before tool calls, thoughts."""

    protocol: ClassVar[str] = PROTOCOL
    accepts: ClassVar[Mapping[str, frozenset[str]]] = {
        "image": frozenset({"bytes", "url"}),
        "document": frozenset({"bytes"}),
    }
    path: ClassVar[str] = "/v2/chat"
    vendor_options: ClassVar[frozenset[str]] = frozenset(CohereOptions.__annotations__)
    stream_usage: ClassVar[bool] = False
    reader: ClassVar[TextReader] = CohereReader()

    def answers(self, path: str) -> bool:
        return path.endswith(self.path)

    # ── out ──

    def build_request(self, call: TextCall) -> WireRequest:
        """The call as a request. Raises `UnsupportedParam` for what cannot be carried and changes the meaning."""
        report, given = Report(call.model), call.settings.given()
        messages = MessageBuilder(call.model, report)
        body: dict[str, Any] = {"model": call.model.id, "messages": messages.build(call.input)}
        for name, value in given.items():
            if name not in _BESIDE:
                self._write(body, name, value, call, report)
        if "tools" in given:
            write_tools(body, call, report)
        if "tool_choice" in given:
            write_tool_choice(body, call, report)
        merge_extra(body, take_options(call, self.vendor_options, report))
        if messages.documents:
            body["documents"] = [*(body.get("documents") or ()), *messages.documents]
        if call.stream or "stream" in (call.settings.spelling or ()):
            body["stream"] = call.stream
        report_stream_options(call, report)
        return make_request(call, report, self.path, body)

    def _write(self, body: dict[str, Any], name: str, value: Any, call: TextCall, report: Report) -> None:
        if name in _SAMPLING and not takes_sampling(call):
            report.drop(name, "the model takes no sampling settings while it reasons")
        elif name in _NAMES:
            body[_NAMES[name]] = value
        elif name in _WRITERS:
            _WRITERS[name](body, value, call, report)
        else:
            report.drop(name, "Cohere does not take it", harmless=asks_nothing(name, value))

    # ── in ──

    def parse_response(self, call: TextCall, reply: WireResponse) -> ProviderResponse:
        """The reply as our response. Raises `ProviderError` for an error inside a 200, or a body that is none."""
        body = reply.content
        try:
            shape = REPLY.decode(body)
            if not isinstance(shape.message, MessageShape):
                raise make_cohere_error(reply)
            return parse_reply(call, shape, body)
        except UNREADABLE as error:
            raise make_unreadable(reply) from error

    def parse_error(self, reply: WireResponse) -> ProviderError:
        """The error that a reply with an error status is."""
        return make_cohere_error(reply)

    def open_stream(self, call: TextCall) -> CohereStream:
        return CohereStream(call)


def _write_stop(body: dict[str, Any], value: Any, call: TextCall, report: Report) -> None:
    if value and not call.model.traits.stop:
        report.drop("stop", "the model takes no stop sequences")
    body["stop_sequences"] = [value] if isinstance(value, str) else value


def _write_response_format(body: dict[str, Any], value: Any, call: TextCall, report: Report) -> None:
    if isinstance(value, JsonSchema):
        written: dict[str, Any] = {"type": "json_object"}
        if value.schema is not None:
            written["json_schema"] = fit_schema(value.schema) if value.derived else value.schema
        body["response_format"] = written
        report_schema_words(value, report)
    elif isinstance(value, JsonObject):
        body["response_format"] = {"type": "json_object"}
    else:
        body["response_format"] = {"type": "text"} if isinstance(value, PlainText) else value


def _write_reasoning(body: dict[str, Any], value: Any, call: TextCall, report: Report) -> None:
    """Thinking is on or off, with at most so many tokens."""
    if value is None:
        body["thinking"] = None
        return
    if call.model.traits.reasons == "never":
        report.drop("reasoning", "the model does not reason")
        return
    control: ReasoningControl = read_reasoning_control(value)
    enabled, budget = control.enabled, control.budget
    if budget is not None and budget <= 0:
        enabled, budget = False, None
        report.translate("reasoning", "a budget of 0 was sent as thinking off")
    if control.effort is not None:
        on = control.effort != "none"
        enabled = on if enabled is None else enabled
        report.translate("reasoning", f"effort {control.effort} was sent as thinking {'on' if enabled else 'off'}")
    if budget is not None and enabled is None:
        enabled = True
    if enabled is not None:
        thinking: dict[str, Any] = {"type": "enabled" if enabled else "disabled"}
        body["thinking"] = {**thinking, "token_budget": budget} if budget is not None else thinking
    report_thoughts(control, ("include", "format", "summary"), report)


_WRITERS: Mapping[str, Callable[[dict[str, Any], Any, TextCall, Report], None]] = {
    "stop": _write_stop,
    "response_format": _write_response_format,
    "reasoning": _write_reasoning,
}
