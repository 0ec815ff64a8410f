"""The client half of `/api/chat`: our calls as requests, replies as our responses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from betterai.core.codec import TextCall, TextReader
from betterai.core.exceptions import ProviderError
from betterai.core.response import ProviderResponse
from betterai.core.tools import AnyTool, JsonObject, JsonSchema, PlainText, Tool
from betterai.core.wire import WireRequest, WireResponse
from betterai.providers.ollama.native.errors import make_ollama_error
from betterai.providers.ollama.native.messages import MessageBuilder
from betterai.providers.ollama.native.options import OllamaOptions, RunnerOptions
from betterai.providers.ollama.native.replies import PROTOCOL, parse_reply
from betterai.providers.ollama.native.requests import OllamaReader
from betterai.providers.ollama.native.shapes import CHAT
from betterai.providers.ollama.native.stream import OllamaStream
from betterai.wire.calls import (
    asks_nothing,
    make_request,
    read_tool_choice,
    report_schema_words,
    report_stream_options,
    report_thoughts,
    take_options,
    takes_sampling,
)
from betterai.wire.error_bodies import UNREADABLE
from betterai.wire.errors import make_unreadable
from betterai.wire.functions import build_function
from betterai.wire.reasoning import effort_for, fit_effort, read_reasoning_control
from betterai.wire.report import Report
from betterai.wire.residue import write_back

_RUNNER = {
    "temperature": "temperature", "top_p": "top_p", "top_k": "top_k", "min_p": "min_p", "seed": "seed",
    "max_tokens": "num_predict", "frequency_penalty": "frequency_penalty", "presence_penalty": "presence_penalty",
}  # fmt: skip
"""Settings that are options of the runner, and their names there."""
_SAMPLING = frozenset({"temperature", "top_p", "top_k", "min_p", "frequency_penalty", "presence_penalty"})
_BESIDE = frozenset(
    {"options", "extra_body", "extra_headers", "extra_query", "spelling", "stream_options", "tool_choice"}
)


class OllamaNative:
    """Ollama's own protocol, which carries what the compatible one cannot: the size of the context, and thinking."""

    protocol: ClassVar[str] = PROTOCOL
    accepts: ClassVar[Mapping[str, frozenset[str]]] = {"image": frozenset({"bytes"})}
    path: ClassVar[str] = "/api/chat"
    vendor_options: ClassVar[frozenset[str]] = frozenset(OllamaOptions.__annotations__)
    efforts: ClassVar[tuple[str, ...]] = ("low", "medium", "high", "max")
    stream_usage: ClassVar[bool] = False
    reader: ClassVar[TextReader] = OllamaReader()

    def answers(self, path: str) -> bool:
        return path.endswith(self.path)

    # ── out ──

    def build_request(self, call: TextCall) -> WireRequest:
        """The call as a request. Raises `UnsupportedParam` for what cannot be carried and changes the meaning."""
        report, given = Report(call.model), call.settings.given()
        body: dict[str, Any] = {
            "model": call.model.id,
            "messages": MessageBuilder(call.model, report).build(call.input),
        }
        for name, value in given.items():
            if name not in _BESIDE:
                self._write(body, name, value, call, report)
        if "tool_choice" in given:
            self._write_tool_choice(body, call, report)
        self._write_options(body, call, report)
        if not call.stream or "stream" in (call.settings.spelling or ()):
            body["stream"] = call.stream
        report_stream_options(call, report)
        return make_request(call, report, self.path, body, stream="ndjson")

    def _write(self, body: dict[str, Any], name: str, value: Any, call: TextCall, report: Report) -> None:
        if name in _SAMPLING and not takes_sampling(call):
            report.drop(name, "the model takes no sampling settings while it reasons")
        elif name in _RUNNER:
            body.setdefault("options", {})[_RUNNER[name]] = value
        elif name in ("logprobs", "top_logprobs"):
            body[name] = value
        elif name in _WRITERS:
            _WRITERS[name](self, body, value, call, report)
        else:
            report.drop(name, "Ollama does not take it", harmless=asks_nothing(name, value))

    def _write_options(self, body: dict[str, Any], call: TextCall, report: Report) -> None:
        for name, value in take_options(call, self.vendor_options, report).items():
            if name == "options":
                body["options"] = {**body.get("options", {}), **value}
            elif name in RunnerOptions.__annotations__:
                body.setdefault("options", {})[name] = value
            else:
                body[name] = value

    def _write_stop(self, body: dict[str, Any], value: Any, call: TextCall, report: Report) -> None:
        if value and not call.model.traits.stop:
            report.drop("stop", "the model takes no stop sequences")
        body.setdefault("options", {})["stop"] = [value] if isinstance(value, str) else value

    def _write_tools(self, body: dict[str, Any], value: Any, call: TextCall, report: Report) -> None:
        body["tools"] = value if value is None else [self._build_tool(tool, call, report) for tool in value]

    def _build_tool(self, tool: AnyTool, call: TextCall, report: Report) -> dict[str, Any]:
        if not isinstance(tool, Tool):
            report.drop("tools", "tools are functions here: no custom ones, and none that the provider runs")
        assert isinstance(tool, Tool)
        if tool.cache is not None:
            report.drop("tools.cache", "there are no cache marks on tools here")
        if tool.strict is not None:
            report.drop("tools.strict", "tools are never enforced here")
        body = build_function(tool)
        write_back(body, tool.opaque, PROTOCOL, call.model, report, field="tools.opaque")
        return body

    def _write_tool_choice(self, body: dict[str, Any], call: TextCall, report: Report) -> None:
        """Nothing here says which tool to call: only those that may be called can be sent."""
        value = call.settings.tool_choice
        choice = read_tool_choice("auto" if value is None else value)
        if choice.mode == "none":
            body.pop("tools", None)
            report.translate("tool_choice", "no choice can be sent here, so no tools were sent")
            return
        free = choice.mode == "auto" and not (choice.names or choice.allowed)
        hint = "pass only the tools that may be called"
        report.drop("tool_choice", "no choice of tools can be sent here", hint=hint, harmless=free)

    def _write_response_format(self, body: dict[str, Any], value: Any, call: TextCall, report: Report) -> None:
        if isinstance(value, JsonSchema):
            body["format"] = value.schema if value.schema is not None else "json"
            report_schema_words(value, report)
        elif isinstance(value, JsonObject):
            body["format"] = "json"
        else:
            body["format"] = "" if isinstance(value, PlainText) else value

    def _write_reasoning(self, body: dict[str, Any], value: Any, call: TextCall, report: Report) -> None:
        """`think`: on, off, or an effort."""
        if value is None:
            body["think"] = None
            return
        if call.model.traits.reasons == "never":
            report.drop("reasoning", "the model does not reason")
            return
        control = read_reasoning_control(value)
        effort, enabled = control.effort, control.enabled
        if control.budget is not None:
            effort = effort or effort_for(control.budget)
            report.translate("reasoning", f"a budget of {control.budget} tokens was sent as effort {effort}")
        if effort == "none" or enabled is False:
            if effort not in (None, "none"):
                report.translate("reasoning", f"enabled=False was sent, and not effort {effort}")
            body["think"] = False
        elif effort is None or call.model.traits.efforts == ():
            if effort is not None:
                report.translate("reasoning", f"effort {effort} was sent as thinking on")
            if effort is not None or enabled:
                body["think"] = True
        else:
            body["think"] = fit_effort(effort, call.model.traits.efforts or self.efforts)
            if body["think"] != effort:
                report.translate("reasoning", f"the model has no effort {effort}: {body['think']} was sent")
        report_thoughts(control, ("include", "format", "summary"), report)

    # ── in ──

    def parse_response(self, call: TextCall, reply: WireResponse) -> ProviderResponse:
        """The reply as our response. Raises `ProviderError` for an error inside a 200, or a body that is none."""
        body = reply.content
        try:
            shape = CHAT.decode(body)
            if shape.error or shape.message is None:
                raise make_ollama_error(reply)
            return parse_reply(call, shape, body)
        except UNREADABLE as error:
            raise make_unreadable(reply) from error

    def parse_error(self, reply: WireResponse) -> ProviderError:
        """The error that a reply with an error status is."""
        return make_ollama_error(reply)

    def open_stream(self, call: TextCall) -> OllamaStream:
        return OllamaStream(call)


_WRITERS: Mapping[str, Callable[[OllamaNative, dict[str, Any], Any, TextCall, Report], None]] = {
    "stop": OllamaNative._write_stop,
    "tools": OllamaNative._write_tools,
    "response_format": OllamaNative._write_response_format,
    "reasoning": OllamaNative._write_reasoning,
}
