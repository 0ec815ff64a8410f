"""The client half: our calls as requests, replies as our responses. Quirks of vendors are attributes and overrides."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import msgspec

from betterai.core.codec import TextCall, continue_turn
from betterai.core.exceptions import ProviderError
from betterai.core.response import CallWarning, FinishReason, ProviderResponse
from betterai.core.settings import PromptCache
from betterai.core.tools import JsonObject, JsonSchema, PlainText, ServerTool
from betterai.core.wire import WireRequest, WireResponse
from betterai.wire.anthropic_messages.cache import build_automatic, trim_marks
from betterai.wire.anthropic_messages.errors import make_message_error
from betterai.wire.anthropic_messages.messages import MessageBuilder
from betterai.wire.anthropic_messages.options import write_options
from betterai.wire.anthropic_messages.output import build_schema
from betterai.wire.anthropic_messages.reasoning import MIN_BUDGET, ThinkingWriter
from betterai.wire.anthropic_messages.replies import parse_message
from betterai.wire.anthropic_messages.shapes import PROTOCOL, MessageShape, decode_message
from betterai.wire.anthropic_messages.stream import MessageStream
from betterai.wire.anthropic_messages.tools import build_tool, build_tool_choice, build_web_search
from betterai.wire.anthropic_messages.usage import parse_usage
from betterai.wire.calls import BESIDE, asks_nothing, take_options
from betterai.wire.error_bodies import UNREADABLE
from betterai.wire.errors import make_unreadable
from betterai.wire.reasoning import read_reasoning_control
from betterai.wire.report import Report

DEFAULT_MAX_TOKENS = 4096
"""The protocol demands a limit. Where the caller sets none, it is the model's own, as the catalogue has it; for a model
that it does not list, this, which every model of the protocol takes.
"""

SAMPLING = ("temperature", "top_p", "top_k")
_WHILE_THINKING = {"temperature": (1, 1), "top_p": (0.95, 1), "top_k": (0, -1)}
"""The range of each in a call that thinks; none of `top_k`."""
_TOGETHER = frozenset({"tools", "web_search", "tool_choice", "parallel_tool_calls", "max_tokens"})
"""Settings that are written together, at the end."""


class AnthropicMessages:
    """Messages as Anthropic documents them. A compatible vendor subclasses this and states its deviations."""

    protocol: ClassVar[str] = PROTOCOL
    accepts: ClassVar[Mapping[str, frozenset[str]]] = {
        "image": frozenset({"bytes", "url", "file_id"}),
        "document": frozenset({"bytes", "url", "file_id"}),
    }
    path: ClassVar[str] = "/v1/messages"
    version: ClassVar[str] = "2026-10-21"
    """The version of the protocol that is asked for (https://platform.claude.com/docs/en/api/versioning)."""
    sampling_version: ClassVar[str] = "2023-06-01"
    """The version to ask for where sampling settings are sent: the newer one turns them down."""
    vendor_options: ClassVar[frozenset[str]] = frozenset()
    """Names of `settings.options[vendor]` that go into the body, or into headers, as `options.py` says."""
    rename: ClassVar[Mapping[str, str]] = {}
    """Settings that the vendor calls otherwise; see `wire/adoption.py`."""
    server_tools: ClassVar[bool] = True
    """Whether the vendor runs tools by itself."""
    cache_marks: ClassVar[bool] = True
    thinking_forms: ClassVar[tuple[str, ...]] = ("adaptive", "enabled", "disabled")
    """The forms of `thinking` that are tried with a model of which nothing is known."""
    efforts: ClassVar[tuple[str, ...] | None] = None
    """The efforts that the vendor takes, where those of the model are not known."""
    unsupported: ClassVar[Mapping[str, str]] = {}
    """Settings that the vendor does not take, and why."""
    finish_reasons: ClassVar[Mapping[str, FinishReason]] = {
        "end_turn": "stop",
        "stop_sequence": "stop",
        "max_tokens": "length",
        "model_context_window_exceeded": "length",
        "tool_use": "tool_calls",
        "pause_turn": "pause",
        "compaction": "pause",
        "refusal": "refusal",
    }

    def answers(self, path: str) -> bool:
        return path.endswith(self.path)

    # ── out ──

    def build_request(self, call: TextCall) -> WireRequest:
        """The call as a request. Raises `UnsupportedParam` for what cannot be carried and changes the meaning."""
        report = Report(call.model)
        body = self.build_body(call, report)
        headers = self.build_headers(call, body, report)
        if call.stream:
            body["stream"] = True
            options = call.settings.stream_options
            if options is not None and (options.include_usage is False or options.include_obfuscation is not None):
                report.drop("stream_options", "usage comes in every stream of this protocol, and nothing is padded")
        elif "stream" in (call.settings.spelling or ()):
            body["stream"] = False
        if not call.stream and call.settings.stream_options is not None:
            report.drop("stream_options", "they are for streams only")
        return self.finish_request(call, self._make_request(call, body, headers), report)

    def finish_request(self, call: TextCall, request: WireRequest, report: Report) -> WireRequest:
        """The request with its address and its warnings. Vendors with another place for it override this."""
        return msgspec.structs.replace(request, warnings=(*call.warnings, *report.warnings))

    def _make_request(self, call: TextCall, body: dict[str, Any], headers: dict[str, str]) -> WireRequest:
        return WireRequest(
            url=self.path,
            body=body,
            headers=headers,
            query=call.settings.extra_query or {},
            reply="sse" if call.stream else "json",
        )

    def build_body(self, call: TextCall, report: Report, *, limited: bool = True) -> dict[str, Any]:
        """The body without `stream`. `limited` is False for counting, which takes no `max_tokens`."""
        given = call.settings.given()
        builder = MessageBuilder(self, call, report)
        system, messages = builder.build(call.input)
        body: dict[str, Any] = {"model": call.model.id}
        for name, value in given.items():
            if name not in BESIDE and name not in _TOGETHER and self._may_send(name, value, call, report):
                self._write(body, name, value, call, report)
        self._check_sampling(body, report)
        said = len(builder.marked)
        self._write_tools(body, call, report, builder)
        if limited:
            self._write_max_tokens(body, call, report)
        elif "max_tokens" in given:
            report.drop("max_tokens", "counting takes no limit", harmless=True)
        if system is not None:
            body["system"] = system
        body["messages"] = messages
        if builder.container and _calls_from_code(call):
            body["container"] = builder.container
        trim_marks([*builder.marked[said:], *builder.marked[:said]], body, report)
        return body

    def build_headers(self, call: TextCall, body: dict[str, Any], report: Report) -> dict[str, str]:
        """The version, and what the vendor's options and the caller say beside the body."""
        headers = {"anthropic-version": self.find_version(call, body)}
        write_options(take_options(call, self.vendor_options, report), body, headers)
        for name, value in (call.settings.extra_headers or {}).items():
            for known in [known for known in headers if known.lower() == name.lower()]:
                del headers[known]
            headers[name] = value
        return headers

    def find_version(self, call: TextCall, body: Mapping[str, Any]) -> str:
        """The version that a setting of the provider names, else that in which the request is valid."""
        if chosen := call.provider_settings.get("version"):
            return chosen
        return self.sampling_version if any(name in body for name in SAMPLING) else self.version

    def _may_send(self, name: str, value: Any, call: TextCall, report: Report) -> bool:
        if name in self.unsupported:
            report.drop(name, self.unsupported[name], harmless=asks_nothing(name, value))
        elif name in SAMPLING and call.model.traits.sampling == "never":
            report.drop(name, "the model takes no sampling settings")
        else:
            return True
        return False

    def _write(self, body: dict[str, Any], name: str, value: Any, call: TextCall, report: Report) -> None:
        if name in SAMPLING or name == "service_tier":
            body[name] = value
        elif name in _WRITERS:
            _WRITERS[name](self, body, value, call, report)
        else:
            report.drop(name, "this protocol has no such setting", harmless=asks_nothing(name, value))

    def _check_sampling(self, body: dict[str, Any], report: Report) -> None:
        """Models that think are sampled as they are
        (https://platform.claude.com/docs/en/build-with-claude/extended-thinking, 2026-11-22).
        """
        if (body.get("thinking") or {}).get("type") not in ("enabled", "adaptive"):
            return
        for name in SAMPLING:
            value = body.get(name)
            low, high = _WHILE_THINKING[name]
            if value is not None and not low <= value <= high:
                del body[name]
                report.drop(name, "the model takes no such value while it thinks")

    def _write_stop(self, body: dict[str, Any], value: Any, call: TextCall, report: Report) -> None:
        body["stop_sequences"] = [value] if isinstance(value, str) else value

    def _write_user(self, body: dict[str, Any], value: Any, call: TextCall, report: Report) -> None:
        body["metadata"] = {"user_id": value}

    def _write_metadata(self, body: dict[str, Any], value: Any, call: TextCall, report: Report) -> None:
        if value is None:
            body["metadata"] = None
            return
        if others := sorted(value.keys() - {"user_id"}):
            report.drop("metadata", f"only user_id is taken here, not {', '.join(others)}")
        if "user_id" in value and "user" not in call.settings.given():
            body["metadata"] = {"user_id": value["user_id"]}

    def _write_cache(self, body: dict[str, Any], value: PromptCache | None, call: TextCall, report: Report) -> None:
        if value is None:
            body["cache_control"] = None
        elif (control := build_automatic(value, report)) is not None:
            body["cache_control"] = control

    def _write_response_format(self, body: dict[str, Any], value: Any, call: TextCall, report: Report) -> None:
        if value is None or isinstance(value, PlainText):
            return
        if isinstance(value, JsonObject) or not isinstance(value, JsonSchema) or value.schema is None:
            report.drop("response_format", "JSON of any shape cannot be asked for here", hint="pass its schema")
        if call.model.traits.json_schema is False:
            report.drop("response_format", "the model takes no JSON Schema", hint="say the shape in the prompt")
        format = {"type": "json_schema", "schema": build_schema(value, report)}
        if "output_format" in (call.settings.spelling or ()):
            body["output_format"] = format
        else:
            body.setdefault("output_config", {})["format"] = format

    def _write_reasoning(self, body: dict[str, Any], value: Any, call: TextCall, report: Report) -> None:
        traits = call.model.traits
        if value is None:
            body["thinking"] = None
        elif traits.reasons == "never":
            report.drop("reasoning", "the model does not reason")
        else:
            effort_only = "output_config" in (call.settings.spelling or ())
            forms = self.thinking_forms if traits.thinking is None else traits.thinking
            efforts = self.efforts if traits.efforts is None else traits.efforts
            traits = msgspec.structs.replace(traits, thinking=forms, efforts=efforts)
            written = ThinkingWriter(read_reasoning_control(value), traits, report, effort_only=effort_only)
            if written.thinking is not None:
                body["thinking"] = written.thinking
            if written.effort is not None:
                body.setdefault("output_config", {})["effort"] = written.effort

    def _write_tools(self, body: dict[str, Any], call: TextCall, report: Report, builder: MessageBuilder) -> None:
        """`tools` and `tool_choice`."""
        settings = call.settings
        given = settings.given()
        for name in ("tools", "web_search", "tool_choice", "parallel_tool_calls"):
            if name in given and name in self.unsupported:
                self._may_send(name, given[name], call, report)
        tools: list[dict[str, Any]] = []
        for tool in settings.tools or ():
            if isinstance(tool, ServerTool) and not self.server_tools:
                report.drop("tools", "tools are functions here: none that the provider runs")
            tools.append(written := build_tool(tool, call.model, report))
            if (mark := getattr(tool, "cache", None)) is not None:
                builder.write_mark(written, mark, "tools.cache")
            elif "cache_control" in written:
                builder.marked.append(written)
        if settings.web_search not in (None, False) and "web_search" not in self.unsupported:
            tools.append(build_web_search(settings.web_search, report))
        if tools or "tools" in given:
            body["tools"] = tools if tools or settings.tools is not None else None
        self._write_tool_choice(body, call, report)

    def _write_tool_choice(self, body: dict[str, Any], call: TextCall, report: Report) -> None:
        given = call.settings.given()
        choice, parallel = given.get("tool_choice"), given.get("parallel_tool_calls")
        if not body.get("tools") and choice in (None, "auto", "none"):
            for name in ("tool_choice", "parallel_tool_calls"):
                if given.get(name) is not None:
                    report.drop(name, "there are no tools", harmless=True)
            return
        written = build_tool_choice(choice, parallel, report)
        if written is None:
            return
        if written["type"] in ("any", "tool"):
            self._check_forced(body, call, report)
        body["tool_choice"] = written

    def _check_forced(self, body: dict[str, Any], call: TextCall, report: Report) -> None:
        if not call.model.traits.forced_tools:
            report.drop("tool_choice", "the model cannot be forced to call a tool", hint="leave it 'auto'")
        if (body.get("thinking") or {}).get("type") == "enabled":
            why = "no tool can be forced while the model thinks with a budget"
            report.drop("tool_choice", why, hint="reasoning=False, or tool_choice='auto'")

    def _write_max_tokens(self, body: dict[str, Any], call: TextCall, report: Report) -> None:
        """A budget of thinking is a part of the limit, and must be smaller."""
        given = call.settings.given()
        budget = (body.get("thinking") or {}).get("budget_tokens", 0)
        if "max_tokens" in given:
            limit = body["max_tokens"] = given["max_tokens"]
            if budget and limit is not None and budget >= limit and limit > MIN_BUDGET:
                body["thinking"]["budget_tokens"] = max(MIN_BUDGET, limit - 1)
                said = f"a budget must be smaller than max_tokens: {body['thinking']['budget_tokens']} was sent"
                report.translate("reasoning", said)
            elif budget and limit is not None and budget >= limit:
                report.drop("max_tokens", f"it must be larger than the smallest budget of thinking, {MIN_BUDGET}")
            return
        known = call.model.capabilities.max_tokens
        body["max_tokens"] = known if known and known > budget else DEFAULT_MAX_TOKENS + budget

    # ── in ──

    def parse_response(self, call: TextCall, reply: WireResponse) -> ProviderResponse:
        """The reply as our response. Raises `ProviderError` for an error inside a 200, or a body that is none."""
        body = reply.content
        try:
            shape = decode_message(body)
            if shape.error is None and shape.type != "error" and shape.content is not None:
                return self._parse_message(call, shape, body)
        except UNREADABLE as error:
            raise make_unreadable(reply) from error
        raise self.error_in_body(reply)

    def _parse_message(self, call: TextCall, shape: MessageShape, body: bytes) -> ProviderResponse:
        usage = parse_usage(shape.usage)
        tokens = usage.total_tokens if usage else None
        warnings = self._warn_of_default(call, shape.stop_reason)
        return parse_message(self, call, shape, usage=usage, tokens_used=tokens, body=body, warnings=warnings)

    def _warn_of_default(self, call: TextCall, word: str | None) -> tuple[CallWarning, ...]:
        """An answer that was cut at a limit that nobody asked for."""
        if word != "max_tokens" or "max_tokens" in call.settings.given() or call.model.capabilities.max_tokens:
            return ()
        said = f"the answer was cut at {DEFAULT_MAX_TOKENS} tokens: this protocol needs a limit, and none was set"
        return (CallWarning(code="translated", field="max_tokens", message=said),)

    def continue_request(self, call: TextCall, response: ProviderResponse) -> TextCall | None:
        """A turn that was paused is sent back as it came, and goes on."""
        return continue_turn(call, response) if response.raw_finish_reason == "pause_turn" else None

    def finish_reason_of(self, word: str | None) -> FinishReason | None:
        """Our word for the vendor's."""
        return None if word is None else self.finish_reasons.get(word, "other")

    def error_in_body(self, reply: WireResponse) -> ProviderError:
        """The error that a reply or an event with status 200 holds: the same as if it had come with its own status."""
        return make_message_error(None, reply)

    def parse_error(self, reply: WireResponse) -> ProviderError:
        """The error that a reply with an error status is."""
        return make_message_error(reply.status, reply)

    def open_stream(self, call: TextCall) -> MessageStream:
        return MessageStream(self, call)


def _calls_from_code(call: TextCall) -> bool:
    """Whether the last answer holds a call that code in a container made: it is answered there."""
    last = next((message for message in reversed(call.input) if message.role == "assistant"), None)
    calls = last.tool_calls if last is not None else ()
    return any(
        item.opaque is not None and b'"code_execution' in bytes(item.opaque.data) for item in calls if not item.server
    )


_Writer = Callable[[AnthropicMessages, dict[str, Any], Any, TextCall, Report], None]
_WRITERS: dict[str, _Writer] = {
    "stop": AnthropicMessages._write_stop,
    "user": AnthropicMessages._write_user,
    "metadata": AnthropicMessages._write_metadata,
    "cache": AnthropicMessages._write_cache,
    "response_format": AnthropicMessages._write_response_format,
    "reasoning": AnthropicMessages._write_reasoning,
}
