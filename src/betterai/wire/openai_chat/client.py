"""The client half: our calls as requests, replies as our responses. Quirks of vendors are attributes and overrides."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import msgspec

from betterai.core.codec import TextCall
from betterai.core.exceptions import ProviderError
from betterai.core.message import CacheMark, Reasoning
from betterai.core.model import ModelConfig
from betterai.core.response import FinishReason, ProviderResponse
from betterai.core.settings import AudioOutput, PromptCache, ReasoningControl, StreamOptions, WebSearch
from betterai.core.tools import CustomTool, JsonObject, JsonSchema, PlainText, ServerTool, Tool, ToolChoice
from betterai.core.usage import Usage
from betterai.core.wire import WireRequest, WireResponse
from betterai.wire.errors import make_error
from betterai.wire.openai_chat.messages import PROTOCOL, MessageBuilder, merge_extra
from betterai.wire.openai_chat.replies import parse_choices
from betterai.wire.openai_chat.shapes import ChatShape, ErrorShape, decoder_for
from betterai.wire.openai_chat.stream import ChatStream
from betterai.wire.openai_chat.usage import parse_usage
from betterai.wire.report import Report

_SAMPLING = frozenset(
    {"temperature", "top_p", "presence_penalty", "frequency_penalty", "logit_bias", "logprobs", "top_logprobs"}
)
_PLAIN = {
    name: name
    for name in (
        "temperature", "top_p", "seed", "n", "frequency_penalty", "presence_penalty", "logit_bias", "logprobs",
        "top_logprobs", "parallel_tool_calls", "verbosity", "modalities", "moderation", "service_tier", "store",
        "metadata", "user", "safety_identifier",
    )
}  # fmt: skip
_BESIDE = frozenset({"options", "extra_body", "extra_headers", "extra_query", "spelling", "stream_options"})
_ERROR_DECODER = msgspec.json.Decoder(strict=False)


class OpenAIChat:
    """Chat Completions as OpenAI documents them. A compatible vendor subclasses this and states its deviations."""

    protocol: ClassVar[str] = PROTOCOL
    accepts: ClassVar[Mapping[str, frozenset[str]]] = {
        "image": frozenset({"bytes", "url"}),
        "audio": frozenset({"bytes"}),
        "document": frozenset({"bytes", "file_id"}),
    }
    path: ClassVar[str] = "/chat/completions"
    max_tokens_fields: ClassVar[tuple[str, ...]] = ("max_completion_tokens", "max_tokens")
    """The names that the vendor takes, the preferred one first."""
    unsupported: ClassVar[Mapping[str, str]] = {}
    """Settings that the vendor does not take, and why."""
    extra_fields: ClassVar[frozenset[str]] = frozenset()
    """Settings beyond the protocol that the vendor takes under their own names: top_k, min_p."""
    sampling: ClassVar[frozenset[str]] = _SAMPLING
    """Settings that reasoning models turn down."""
    rename: ClassVar[Mapping[str, str]] = {}
    stream_usage: ClassVar[bool] = True
    """Whether usage in streams is asked for with `stream_options`; else it always comes."""
    developer_role: ClassVar[bool] = True
    message_names: ClassVar[bool] = True
    json_schema: ClassVar[bool] = True
    reasoning_field: ClassVar[str] = ""
    """The message field in which thoughts go back; "" where the vendor takes none."""
    finish_reasons: ClassVar[Mapping[str, FinishReason]] = {
        "stop": "stop",
        "length": "length",
        "tool_calls": "tool_calls",
        "function_call": "tool_calls",
        "content_filter": "content_filter",
        "error": "error",
    }
    shape: ClassVar[type[ChatShape]] = ChatShape
    decoder: ClassVar[msgspec.json.Decoder[ChatShape]] = decoder_for(ChatShape)

    def __init_subclass__(cls) -> None:
        cls.decoder = decoder_for(cls.shape)

    # ── out ──

    def build_request(self, call: TextCall) -> WireRequest:
        """The call as a request. Raises `UnsupportedParam` for what cannot be carried and changes the meaning."""
        report = Report(call.model)
        given = call.settings.given()
        body: dict[str, Any] = {
            "model": call.model.id,
            "messages": MessageBuilder(self, call, report).build(call.input),
        }
        for name, value in given.items():
            if name not in _BESIDE and self._may_send(name, value, call, report):
                self._write(body, name, value, call, report)
        if call.stream:
            self._write_stream(body, given.get("stream_options"))
        elif "stream" in (call.settings.spelling or ()):
            body["stream"] = False
        elif "stream_options" in given:
            report.drop("stream_options", "they are for streams only")
        return WireRequest(
            url=self.path,
            body=body,
            headers=given.get("extra_headers") or {},
            query=given.get("extra_query") or {},
            reply="sse" if call.stream else "json",
            warnings=(*call.warnings, *report.warnings),
        )

    def _may_send(self, name: str, value: Any, call: TextCall, report: Report) -> bool:
        traits = call.model.traits
        if name in self.unsupported:
            report.drop(name, self.unsupported[name])
        elif name in self.sampling and traits.sampling != "always" and self._samples_not(call):
            report.drop(name, "the model takes no sampling settings while it reasons")
        elif name == "stop" and not traits.stop and value:
            report.drop(name, "the model takes no stop sequences")
        else:
            return True
        return False

    def _samples_not(self, call: TextCall) -> bool:
        return call.model.traits.sampling == "never" or is_reasoning(call)

    def _write(self, body: dict[str, Any], name: str, value: Any, call: TextCall, report: Report) -> None:
        if name in _PLAIN or name in self.extra_fields:
            body[self.rename.get(name, name)] = value
        elif name in _WRITERS:
            _WRITERS[name](self, body, value, call, report)
        else:
            report.drop(name, "this provider has no such setting")

    def _write_stream(self, body: dict[str, Any], options: StreamOptions | None) -> None:
        body["stream"] = True
        if options is None:
            options = StreamOptions()
        written: dict[str, bool] = {}
        if self.stream_usage:
            written["include_usage"] = options.include_usage is not False
        if options.include_obfuscation is not None:
            written["include_obfuscation"] = options.include_obfuscation
        if written:
            body["stream_options"] = written

    def _write_max_tokens(self, body: dict[str, Any], value: Any, call: TextCall, report: Report) -> None:
        allowed = call.model.traits.max_tokens_fields or self.max_tokens_fields
        spelled = next((name for name in call.settings.spelling or () if name in OpenAIChat.max_tokens_fields), "")
        field = spelled if spelled in allowed else allowed[0]
        if spelled and field != spelled:
            report.translate(spelled, f"the model takes it as {field}")
        body[field] = value

    def _write_stop(self, body: dict[str, Any], value: Any, call: TextCall, report: Report) -> None:
        body["stop"] = value

    def _write_tools(self, body: dict[str, Any], value: Any, call: TextCall, report: Report) -> None:
        if value and not call.model.traits.tools_while_reasoning and is_reasoning(call):
            report.drop("tools", "the model takes no tools here while it reasons", hint="set reasoning='none'")
        body["tools"] = value if value is None else [self.build_tool(tool, report) for tool in value]

    def build_tool(self, tool: Any, report: Report) -> dict[str, Any]:
        if isinstance(tool, ServerTool):
            return {"type": tool.type, **tool.config}
        if isinstance(tool, CustomTool):
            custom: dict[str, Any] = {"name": tool.name}
            if tool.description is not None:
                custom["description"] = tool.description
            if tool.format is not None:
                custom["format"] = tool.format
            body: dict[str, Any] = {"type": "custom", "custom": custom}
        else:
            body = {"type": "function", "function": self._build_function(tool, report)}
        if tool.opaque is not None and tool.opaque.protocol == PROTOCOL:
            merge_extra(body, tool.opaque.value)
        return body

    def _build_function(self, tool: Tool, report: Report) -> dict[str, Any]:
        function: dict[str, Any] = {"name": tool.name}
        for name in ("description", "parameters", "strict"):
            if (value := getattr(tool, name)) is not None:
                function[name] = value
        if tool.cache is not None:
            report.drop("tools.cache", "this protocol has no cache marks on tools")
        return function

    def _write_tool_choice(self, body: dict[str, Any], value: Any, call: TextCall, report: Report) -> None:
        traits = call.model.traits
        forced = value not in (None, "auto", "none") and not (
            isinstance(value, ToolChoice) and value.mode != "required"
        )
        if forced and not traits.forced_tools_while_reasoning and is_reasoning(call):
            report.drop(
                "tool_choice", "the model cannot be forced to call a tool while it reasons", hint="reasoning='none'"
            )
        body["tool_choice"] = build_tool_choice(value)

    def _write_response_format(self, body: dict[str, Any], value: Any, call: TextCall, report: Report) -> None:
        if isinstance(value, JsonSchema):
            allowed = call.model.traits.json_schema
            if not (self.json_schema if allowed is None else allowed):
                report.drop(
                    "response_format",
                    "no JSON Schema is taken here",
                    hint="use betterai.JsonObject() and say the shape",
                )
            body["response_format"] = {"type": "json_schema", "json_schema": build_json_schema(value)}
        elif isinstance(value, JsonObject):
            body["response_format"] = {"type": "json_object"}
        else:
            body["response_format"] = {"type": "text"} if isinstance(value, PlainText) else value

    def _write_reasoning_control(self, body: dict[str, Any], value: Any, call: TextCall, report: Report) -> None:
        if value is None:
            body["reasoning_effort"] = None
        elif call.model.traits.reasons == "never":
            report.drop("reasoning", "the model does not reason")
        else:
            self.write_reasoning_control(body, read_reasoning_control(value), call, report)

    def write_reasoning_control(
        self, body: dict[str, Any], control: ReasoningControl, call: TextCall, report: Report
    ) -> None:
        """Write how much to think. Vendors with other fields override this."""
        effort = control.effort
        if effort is None and control.budget is not None:
            effort = effort_for(control.budget)
            report.translate("reasoning", f"a budget of {control.budget} tokens was sent as effort {effort}")
        if effort is None and control.enabled is not None:
            effort = "medium" if control.enabled else "none"
        if effort is not None:
            body["reasoning_effort"] = self.fit_effort(effort, call.model, report)
        for name in ("include", "format", "summary"):
            if getattr(control, name) is not None:
                report.drop(f"reasoning.{name}", "this provider has no such setting")

    def fit_effort(self, effort: str, model: ModelConfig, report: Report) -> str:
        """The nearest effort that the model takes, reported where it is another."""
        efforts = model.traits.efforts
        if not efforts or effort in efforts or effort not in EFFORTS:
            return effort
        nearest = min(efforts, key=lambda known: abs(EFFORTS.index(known) - EFFORTS.index(effort)))
        report.translate("reasoning", f"the model has no effort {effort}: {nearest} was sent")
        return nearest

    def write_reasoning(self, body: dict[str, Any], part: Reasoning, model: ModelConfig, report: Report) -> None:
        """Give thoughts of an earlier turn back, where the vendor takes them."""
        if self.reasoning_field:
            body[self.reasoning_field] = body.get(self.reasoning_field, "") + part.text
        else:
            report.drop("messages.reasoning", "this provider takes no thoughts of earlier turns")

    def write_cache_mark(self, body: dict[str, Any], mark: CacheMark, report: Report) -> None:
        written = {name: value for name, value in (("mode", mark.mode or "explicit"), ("ttl", mark.ttl)) if value}
        body["prompt_cache_breakpoint"] = written

    def _write_cache(self, body: dict[str, Any], value: PromptCache, call: TextCall, report: Report) -> None:
        if value.key is not None:
            body["prompt_cache_key"] = value.key
        if value.retention is not None:
            body["prompt_cache_retention"] = value.retention
        options = {name: part for name, part in (("mode", value.mode), ("ttl", value.ttl)) if part is not None}
        if options:
            body["prompt_cache_options"] = options

    def _write_web_search(self, body: dict[str, Any], value: Any, call: TextCall, report: Report) -> None:
        if value is False:
            return
        options: dict[str, Any] = {}
        if isinstance(value, WebSearch):
            if value.context_size is not None:
                options["search_context_size"] = value.context_size
            if value.user_location is not None:
                options["user_location"] = value.user_location
        body["web_search_options"] = options

    def _write_audio(self, body: dict[str, Any], value: AudioOutput | None, call: TextCall, report: Report) -> None:
        if value is None:
            body["audio"] = None
        else:
            pairs = (("voice", value.voice), ("format", value.format))
            body["audio"] = {name: part for name, part in pairs if part is not None}

    def _write_prediction(self, body: dict[str, Any], value: Any, call: TextCall, report: Report) -> None:
        body["prediction"] = value if value is None else {"type": "content", "content": value}

    # ── in ──

    def parse_response(self, call: TextCall, reply: WireResponse) -> ProviderResponse:
        """The reply as our response. Raises `ProviderError` for an error inside a 200, or a body that is none."""
        body = reply.content
        try:
            shape = self.decoder.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise make_error(
                reply.status, reply.headers, message="", body=body, code="unreadable_reply", kind=ProviderError
            ) from error
        if (failed := self.error_of(shape)) is not None or not shape.choices:
            raise self.error_in_body(failed, reply)
        first, *others = parse_choices(self, call, shape)
        usage = self.usage_of(shape)
        return ProviderResponse(
            content=first.content,
            model=shape.model or call.model.id,
            message=first.message,
            usage=usage,
            tokens_used=usage.total_tokens if usage else None,
            finish_reason=first.finish_reason,
            raw_finish_reason=first.raw_finish_reason,
            logprobs=first.logprobs,
            alternatives=tuple(others),
            id=shape.id or "",
            body=body,
        )

    def usage_of(self, shape: ChatShape) -> Usage | None:
        """The usage that a reply or a chunk states. Vendors with another place for it override this."""
        return parse_usage(shape.usage)

    def finish_reason_of(self, word: str | None, *, refused: bool = False, called: bool = False) -> FinishReason | None:
        if word is None:
            return None
        if refused and word == "stop":
            return "refusal"
        if not word:
            return "tool_calls" if called else "stop"
        return self.finish_reasons.get(word, "other")

    def error_of(self, shape: ChatShape) -> ErrorShape | str | None:
        """The error that a reply or a chunk states. Vendors with another place for it override this."""
        return shape.error

    def error_in_body(self, error: ErrorShape | str | None, reply: WireResponse) -> ProviderError:
        """The error that a reply or an event with status 200 holds."""
        if error is None:
            return make_error(reply.status, reply.headers, body=reply.content, code="no_choices", kind=ProviderError)
        if isinstance(error, str):
            error = ErrorShape(message=error)
        status = error.status_code or (error.code if isinstance(error.code, int) else 0) or 500
        return self.parse_error(WireResponse(status=status, headers=reply.headers, body=reply.content))

    def parse_error(self, reply: WireResponse) -> ProviderError:
        """The error that a reply with an error status is."""
        body = reply.content
        code, message, about = read_error(body)
        return make_error(
            reply.status,
            reply.headers,
            code=code,
            message=message,
            about=about,
            body=body,
            kind=self.error_class(reply.status, code, message),
        )

    def error_class(self, status: int, code: str, message: str) -> type[ProviderError] | None:
        """A vendor's own words for known errors; None leaves it to the general rules."""
        return None

    def open_stream(self, call: TextCall) -> ChatStream:
        return ChatStream(self, call)


EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")


def effort_for(budget: int) -> str:
    """The effort that is nearest to a budget of thinking tokens."""
    if budget <= 0:
        return "none"
    return next((effort for limit, effort in ((2048, "low"), (8192, "medium")) if budget <= limit), "high")


def read_reasoning_control(value: str | int | bool | ReasoningControl) -> ReasoningControl:
    if isinstance(value, ReasoningControl):
        return value
    if isinstance(value, bool):
        return ReasoningControl(enabled=value)
    return ReasoningControl(budget=value) if isinstance(value, int) else ReasoningControl(effort=value)


def is_reasoning(call: TextCall) -> bool:
    """Whether the model will think, as far as its traits and the settings say."""
    reasons = call.model.traits.reasons
    if reasons == "always":
        return True
    if (value := call.settings.reasoning) is None:
        return reasons == "default"
    control = read_reasoning_control(value)
    if control.effort is not None:
        return control.effort != "none"
    return bool(control.budget) if control.budget is not None else control.enabled is not False


def build_tool_choice(value: str | ToolChoice | None) -> Any:
    if value is None or value in ("auto", "none", "required"):
        return value
    if isinstance(value, str):
        return {"type": "function", "function": {"name": value}}
    if value.allowed or len(value.names) > 1:
        tools = value.allowed or [{"type": value.kind, value.kind: {"name": name}} for name in value.names]
        return {"type": "allowed_tools", "allowed_tools": {"mode": value.mode, "tools": list(tools)}}
    return {"type": value.kind, value.kind: {"name": value.names[0]}} if value.names else value.mode


def build_json_schema(value: JsonSchema) -> dict[str, Any]:
    body: dict[str, Any] = {"name": value.name}
    for name in ("description", "schema", "strict"):
        if (item := getattr(value, name)) is not None:
            body[name] = item
    return body


def read_error(body: bytes) -> tuple[str, str, str]:
    """Code, message and named parameter from any of the envelopes that compatible vendors use."""
    try:
        value = _ERROR_DECODER.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return "", "", ""
    if isinstance(value, list) and value:
        value = value[0]
    if not isinstance(value, dict):
        return "", value if isinstance(value, str) else "", ""
    inner = value.get("error")
    found = inner if isinstance(inner, dict) else value
    message = inner if isinstance(inner, str) else found.get("message") or found.get("detail") or ""
    if not isinstance(message, str):
        message = msgspec.json.encode(message).decode()
    code = found.get("code") or found.get("type") or ""
    return str(code), message, str(found.get("param") or "")


_Writer = Callable[[OpenAIChat, dict[str, Any], Any, TextCall, Report], None]
_WRITERS: dict[str, _Writer] = {
    "max_tokens": OpenAIChat._write_max_tokens,
    "stop": OpenAIChat._write_stop,
    "tools": OpenAIChat._write_tools,
    "tool_choice": OpenAIChat._write_tool_choice,
    "response_format": OpenAIChat._write_response_format,
    "reasoning": OpenAIChat._write_reasoning_control,
    "cache": OpenAIChat._write_cache,
    "web_search": OpenAIChat._write_web_search,
    "audio": OpenAIChat._write_audio,
    "prediction": OpenAIChat._write_prediction,
}
