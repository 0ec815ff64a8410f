"""The client half: our calls as requests, replies as our responses. Quirks of vendors are attributes and overrides."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import msgspec

from betterai.core.codec import TextCall
from betterai.core.exceptions import ProviderError
from betterai.core.message import CacheMark, MediaPart, Reasoning
from betterai.core.model import ModelConfig
from betterai.core.response import FinishReason, ProviderResponse
from betterai.core.settings import AudioOutput, PromptCache, ReasoningControl, StreamOptions, WebSearch
from betterai.core.tools import AnyTool, JsonObject, JsonSchema, PlainText, ServerTool, Tool
from betterai.core.usage import Usage
from betterai.core.wire import WireRequest, WireResponse
from betterai.wire.calls import BESIDE, asks_nothing, check_forced_choice, make_request, take_options, takes_sampling
from betterai.wire.error_bodies import UNREADABLE, ErrorBody, read_error, read_error_value
from betterai.wire.errors import make_stated_error, make_unreadable
from betterai.wire.lenient import Reader
from betterai.wire.openai_chat.fields import FINISH_REASONS, PLAIN, SAMPLING
from betterai.wire.openai_chat.messages import PROTOCOL, MessageBuilder, build_media
from betterai.wire.openai_chat.reasoning import write_thinking_switch
from betterai.wire.openai_chat.replies import parse_choices
from betterai.wire.openai_chat.shapes import ChatShape, decoder_for
from betterai.wire.openai_chat.stream import ChatStream
from betterai.wire.openai_chat.tools import build_json_schema, build_tool, build_tool_choice
from betterai.wire.openai_chat.usage import parse_usage
from betterai.wire.prompt_cache import BREAKPOINT, build_breakpoint, build_cache
from betterai.wire.reasoning import effort_for, fit_effort, is_reasoning, read_reasoning_control
from betterai.wire.report import Report
from betterai.wire.residue import merge_extra


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
    sampling: ClassVar[frozenset[str]] = SAMPLING
    """Settings that reasoning models turn down."""
    rename: ClassVar[Mapping[str, str]] = {}
    stream_usage: ClassVar[bool] = True
    """Whether usage in streams is asked for with `stream_options`; else it always comes."""
    developer_role: ClassVar[bool] = True
    message_names: ClassVar[bool] = True
    prefill_field: ClassVar[str] = ""
    """The field that marks a last message of the assistant as one to go on with; "" where it needs none."""
    tool_media: ClassVar[bool] = False
    """Whether tool results may hold media."""
    cache_marks: ClassVar[bool] = True
    """Whether content parts may carry `prompt_cache_breakpoint`."""
    json_schema: ClassVar[bool] = True
    json_object: ClassVar[bool] = True
    functions_only: ClassVar[bool] = False
    """Whether the vendor has no other tools."""
    allowed_tools: ClassVar[bool] = True
    """Whether `tool_choice` may name several tools."""
    required_tool: ClassVar[str] = "required"
    """The word of `tool_choice` for any tool, but one."""
    cache_fields: ClassVar[frozenset[str]] = frozenset({"key", "mode", "ttl", "retention"})
    """What of `PromptCache` the vendor takes."""
    vendor_options: ClassVar[frozenset[str]] = frozenset()
    """Names of `settings.options[vendor]` that go into the body as they are."""
    efforts: ClassVar[tuple[str, ...] | None] = None
    """The efforts that the vendor takes, where those of the model are not known."""
    thinking_switch: ClassVar[bool] = False
    """Whether thinking is switched on and off by a `thinking` object."""
    think_tags: ClassVar[bool] = False
    """Whether thoughts come in `<think>` tags before the answer."""
    reasoning_field: ClassVar[str] = ""
    """The message field in which thoughts go back; "" where the vendor takes none."""
    reasoning_names: ClassVar[Mapping[str, str]] = {}
    """The fields for `include`, `format` and `summary` of a `ReasoningControl`, where the vendor has them."""
    thinking_parts: ClassVar[bool] = False
    """Whether thoughts go back as `thinking` parts of the content."""
    reference_parts: ClassVar[bool] = False
    """Whether sources come, and go back, as `reference` parts of the content."""
    annotations_back: ClassVar[bool] = False
    """Whether annotations of an answer go back with it."""
    server_tools: ClassVar[Mapping[str, str]] = {}
    """The vendor's types of tools that it runs by itself, by our names for them."""
    finish_reasons: ClassVar[Mapping[str, FinishReason]] = FINISH_REASONS
    shape: ClassVar[type[ChatShape]] = ChatShape
    decoder: ClassVar[Reader[ChatShape]] = decoder_for(ChatShape)

    def __init_subclass__(cls) -> None:
        cls.decoder = decoder_for(cls.shape)

    @property
    def cites(self) -> bool:
        """Whether sources of earlier answers go back."""
        return self.reference_parts or self.annotations_back

    def answers(self, path: str) -> bool:
        return path.endswith(self.path)

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
            if name not in BESIDE and self._may_send(name, value, call, report):
                self._write(body, name, value, call, report)
        if "options" in given:
            self._write_options(body, call, report)
        self._write_stream(body, call, report)
        return make_request(call, report, self.path, body)

    def _may_send(self, name: str, value: Any, call: TextCall, report: Report) -> bool:
        traits = call.model.traits
        if name in self.unsupported:
            report.drop(name, self.unsupported[name], harmless=asks_nothing(name, value))
        elif name in self.sampling and not takes_sampling(call):
            report.drop(name, "the model takes no sampling settings while it reasons")
        elif name == "stop" and not traits.stop and value:
            report.drop(name, "the model takes no stop sequences")
        else:
            return True
        return False

    def _write(self, body: dict[str, Any], name: str, value: Any, call: TextCall, report: Report) -> None:
        if name in PLAIN or name in self.extra_fields:
            body[self.rename.get(name, name)] = value
        elif name in _WRITERS:
            _WRITERS[name](self, body, value, call, report)
        else:
            report.drop(name, "this provider has no such setting")

    def _write_options(self, body: dict[str, Any], call: TextCall, report: Report) -> None:
        merge_extra(body, take_options(call, self.vendor_options, report))

    def _write_stream(self, body: dict[str, Any], call: TextCall, report: Report) -> None:
        options = call.settings.stream_options
        if not call.stream:
            if "stream" in (call.settings.spelling or ()):
                body["stream"] = False
            if options is not None:
                report.drop("stream_options", "they are for streams only")
            return
        body["stream"] = True
        if options is not None and not self.stream_usage and options.include_usage is not None:
            report.translate("stream_options", "usage comes in every stream of this provider")
        options = options or StreamOptions()
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
            why = "the model takes no tools here while it reasons"
            report.drop("tools", why, hint="set reasoning='none', or ask for Responses")
        body["tools"] = value if value is None else [self.build_tool(tool, report) for tool in value]

    def build_tool(self, tool: AnyTool, report: Report) -> dict[str, Any]:
        """One element of `tools`. Vendors with another form override this."""
        if self.functions_only and not isinstance(tool, Tool):
            report.drop("tools", "tools are functions here: no custom ones, and none that the provider runs")
        if isinstance(tool, ServerTool) and tool.type in self.server_tools:
            report.translate("tools.type", f"{tool.type} is called {self.server_tools[tool.type]} here")
            tool = msgspec.structs.replace(tool, type=self.server_tools[tool.type])
        return build_tool(tool, report)

    def _write_tool_choice(self, body: dict[str, Any], value: Any, call: TextCall, report: Report) -> None:
        check_forced_choice(call, report)
        written = build_tool_choice(value)
        body["tool_choice"] = self.required_tool if written == "required" else written
        if isinstance(written, dict) and written["type"] == "allowed_tools" and not self.allowed_tools:
            report.drop("tool_choice", "one tool can be named here, or any: not some of them", hint="pass fewer tools")

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
            if not self.json_object:
                report.drop("response_format", "JSON of any shape cannot be asked for here", hint="pass its schema")
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
        if self.thinking_switch:
            control = write_thinking_switch(body, control, call.model.traits, report)
        effort = control.effort
        if control.budget is not None:
            effort = effort or effort_for(control.budget)
            report.translate("reasoning", f"a budget of {control.budget} tokens was sent as effort {effort}")
        if effort is None and control.enabled is False:
            effort = "none"
        elif effort is None and control.enabled and call.model.traits.reasons not in ("always", "default"):
            effort = "medium"
            report.translate("reasoning", "reasoning was switched on as effort medium")
        elif effort is not None and control.enabled is not None and control.enabled != (effort != "none"):
            report.translate("reasoning", f"enabled={control.enabled} was sent as effort {effort}")
        if effort is not None and call.model.traits.efforts == ():
            report.drop("reasoning", "the model cannot be told how much to think")
        elif effort is not None:
            body["reasoning_effort"] = self.fit_effort(effort, call.model, report)
        for name in ("include", "format", "summary"):
            if (value := getattr(control, name)) is None:
                continue
            if name in self.reasoning_names:
                body[self.reasoning_names[name]] = value
            else:
                report.drop(f"reasoning.{name}", "this provider has no such setting")

    def fit_effort(self, effort: str, model: ModelConfig, report: Report) -> str:
        """The nearest effort that the model takes, reported where it is another."""
        nearest = fit_effort(effort, model.traits.efforts or self.efforts)
        if nearest != effort:
            report.translate("reasoning", f"the model has no effort {effort}: {nearest} was sent")
        return nearest

    def write_reasoning(self, body: dict[str, Any], part: Reasoning, model: ModelConfig, report: Report) -> None:
        """Give the text of earlier thoughts back, where the vendor takes it."""
        if self.reasoning_field:
            body[self.reasoning_field] = body.get(self.reasoning_field, "") + part.text
        else:
            report.drop("messages.reasoning", "this provider takes no thoughts of earlier turns")

    def build_media(self, part: MediaPart, report: Report) -> dict[str, Any]:
        """One content part of media that `accepts` allows. Vendors with other forms override this."""
        return build_media(part, report)

    def fit_tool_call_id(self, id: str) -> str:
        """The id of a call in the form that the vendor takes."""
        return id

    def write_cache_mark(self, body: dict[str, Any], mark: CacheMark, report: Report) -> None:
        """Mark a content part. Vendors with another form override this."""
        body[BREAKPOINT] = build_breakpoint(mark, report)

    def _write_cache(self, body: dict[str, Any], value: PromptCache | None, call: TextCall, report: Report) -> None:
        body.update(build_cache(value, self.cache_fields, report))

    def _write_web_search(self, body: dict[str, Any], value: Any, call: TextCall, report: Report) -> None:
        if value is False:
            return
        search = value if isinstance(value, WebSearch) else WebSearch()
        pairs = (("search_context_size", search.context_size), ("user_location", search.user_location))
        written = {name: part for name, part in pairs if part is not None}
        body["web_search_options"] = None if value is None else written

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
            if (failed := self.error_of(shape)) is not None or not shape.choices:
                raise self.error_in_body(failed, reply)
            return parse_choices(self, call, shape, self.usage_of(shape), body)
        except UNREADABLE as error:
            raise make_unreadable(reply) from error

    def usage_of(self, shape: ChatShape) -> Usage | None:
        """The usage that a reply or a chunk states. Vendors with another place for it override this."""
        return parse_usage(shape.usage, shape.service_tier)

    def finish_reason_of(self, word: str | None, *, refused: bool = False, called: bool = False) -> FinishReason | None:
        """Our word for the vendor's. No word at all, beside tool calls, is one vendor's way to say tool calls."""
        if word is None:
            return None
        if refused and word == "stop":
            return "refusal"
        if not word:
            return "tool_calls" if called else "other"
        return self.finish_reasons.get(word, "other")

    def error_of(self, shape: ChatShape) -> Any:
        """The error that a reply or a chunk states, as JSON values. Vendors with another place for it override this."""
        return shape.error or None

    def error_in_body(self, error: Any, reply: WireResponse) -> ProviderError:
        """The error that a reply or an event with status 200 holds: the same as if it had come with its own status."""
        body = reply.content
        found = read_error(body) if error is None else read_error_value({"error": error})
        if not found.message and error is None:
            return make_unreadable(reply, "no_choices")
        return self._make_error(found.status or read_error(body).status or found.likely_status, found, reply)

    def parse_error(self, reply: WireResponse) -> ProviderError:
        """The error that a reply with an error status is."""
        return self._make_error(reply.status, read_error(reply.content), reply)

    def _make_error(self, status: int, found: ErrorBody, reply: WireResponse) -> ProviderError:
        kind = self.error_class(status, found.code, found.message)
        return make_stated_error(found, reply, status=status, kind=kind)

    def error_class(self, status: int, code: str, message: str) -> type[ProviderError] | None:
        """A vendor's own words for known errors; None leaves it to the general rules."""
        return None

    def open_stream(self, call: TextCall) -> ChatStream:
        return ChatStream(self, call)


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
