"""The client half: our calls as requests, replies as our responses. Quirks of vendors are attributes and overrides."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar
from urllib.parse import quote

import msgspec
from msgspec import Raw

from betterai.core.accumulate import Accumulator
from betterai.core.codec import TextCall
from betterai.core.exceptions import BadRequestError, ProviderError
from betterai.core.message import AnyPart, Message, Opaque
from betterai.core.response import FinishReason, ProviderResponse
from betterai.core.settings import AudioOutput, WebSearch
from betterai.core.tools import AnyTool, ServerTool
from betterai.core.wire import Event, WireRequest, WireResponse
from betterai.wire.calls import BESIDE, asks_nothing, make_request, take_options
from betterai.wire.error_bodies import UNREADABLE
from betterai.wire.errors import make_unreadable
from betterai.wire.gemini.contents import ContentBuilder
from betterai.wire.gemini.errors import read_failure
from betterai.wire.gemini.fields import (
    BODY,
    BODY_OPTIONS,
    CONFIG,
    CONFIG_OPTIONS,
    FINISH_REASONS,
    PROTOCOL,
    SAMPLING,
    finish_word,
)
from betterai.wire.gemini.replies import finish_of, parse_candidates
from betterai.wire.gemini.shapes import NOTHING, REPLY
from betterai.wire.gemini.spelling import SNAKE_POINTERS, write_spelling
from betterai.wire.gemini.stream import GeminiStream
from betterai.wire.gemini.thinking import build_thinking
from betterai.wire.gemini.tools import build_tool_choice, build_tools, write_response_format
from betterai.wire.reasoning import read_reasoning_control
from betterai.wire.report import Report
from betterai.wire.residue import is_own, merge_extra

_WHOLE, _STREAM = "generateContent", "streamGenerateContent"
_MEDIA = frozenset({"bytes", "url", "file_id"})
_NO_NAMES: frozenset[str] = frozenset()


class Gemini:
    """`generateContent` and `streamGenerateContent` (https://ai.google.dev/api/generate-content)."""

    protocol: ClassVar[str] = PROTOCOL
    accepts: ClassVar[Mapping[str, frozenset[str]]] = dict.fromkeys(("image", "audio", "video", "document"), _MEDIA)
    unsupported: ClassVar[Mapping[str, str]] = {}
    """Settings that the vendor does not take, and why."""
    tool_media: ClassVar[bool] = True
    """Whether tool results may hold media."""
    body_options: ClassVar[frozenset[str]] = BODY_OPTIONS
    config_options: ClassVar[frozenset[str]] = CONFIG_OPTIONS
    """Names of `settings.options[vendor]` that stand in the body, and in its `generationConfig`."""
    vendor_options: ClassVar[frozenset[str]] = BODY_OPTIONS | CONFIG_OPTIONS
    option_objects: ClassVar[Mapping[str, frozenset[str]]] = {"generationConfig": CONFIG_OPTIONS}
    rename: ClassVar[Mapping[str, str]] = {}
    finish_reasons: ClassVar[Mapping[str, FinishReason]] = FINISH_REASONS

    def __init_subclass__(cls) -> None:
        cls.vendor_options = cls.body_options | cls.config_options
        cls.option_objects = {"generationConfig": cls.config_options}

    def answers(self, path: str) -> bool:
        return path.endswith((f":{_WHOLE}", f":{_STREAM}"))

    # ── out ──

    def build_request(self, call: TextCall) -> WireRequest:
        """The call as a request. Raises `UnsupportedParam` for what cannot be carried and changes the meaning."""
        report = Report(call.model)
        body = self.build_body(call, report)
        url = self.address(call, _STREAM if call.stream else _WHOLE)
        return make_request(call, report, url, body, query={"alt": "sse"} if call.stream else None)

    def address(self, call: TextCall, method: str) -> str:
        """Where a method of the model is asked. Vendors with other paths override this."""
        name = call.model.id
        path = name if name.startswith(("models/", "tunedModels/")) else f"models/{name}"
        return f"/v1beta/{quote(path, safe='/@')}:{method}"

    def build_body(self, call: TextCall, report: Report) -> dict[str, Any]:
        """The body, which asks for the same whatever the method."""
        given = call.settings.given()
        messages, token = _split_continuation(call)
        system, contents = self._content_builder(call, report).build(messages)
        body: dict[str, Any] = {"contents": contents}
        if system is not None:
            body["systemInstruction"] = system
        config: dict[str, Any] = {}
        for name, value in given.items():
            if name not in BESIDE and self._may_send(name, value, call, report):
                self._write(body, config, name, value, call, report)
        options = call.settings.stream_options
        if options is not None and (options.include_usage is False or options.include_obfuscation is not None):
            report.drop("stream_options", "usage, and nothing else, comes in every stream of this protocol")
        if config or "generationConfig" in (call.settings.spelling or ()):
            body["generationConfig"] = config
        if "options" in given:
            self._write_options(body, call, report)
        if token is not None:
            body["continuationToken"] = token
        if spelled := (call.settings.spelling or _NO_NAMES) & SNAKE_POINTERS.keys():
            body = write_spelling(body, spelled)
        return body

    def _content_builder(self, call: TextCall, report: Report) -> ContentBuilder:
        model = call.model

        def is_ours(opaque: Opaque | None) -> bool:
            return is_own(opaque, PROTOCOL, model)

        required = model.traits.replay_reasoning == "required"
        return ContentBuilder(report, is_ours, accepts=self.accepts, tool_media=self.tool_media, marks_calls=required)

    def _may_send(self, name: str, value: Any, call: TextCall, report: Report) -> bool:
        if name in self.unsupported:
            report.drop(name, self.unsupported[name], harmless=asks_nothing(name, value))
        elif name in SAMPLING and call.model.traits.sampling == "never":
            report.drop(name, "the model takes no sampling settings")
        else:
            return True
        return False

    def _write(
        self, body: dict[str, Any], config: dict[str, Any], name: str, value: Any, call: TextCall, report: Report
    ) -> None:
        if name in CONFIG:
            config[CONFIG[name]] = _fit_value(name, value)
        elif name in BODY:
            body[BODY[name]] = value
        elif name in _WRITERS:
            _WRITERS[name](self, body, config, value, call, report)
        else:
            report.drop(name, "this protocol has no such setting", harmless=asks_nothing(name, value))

    def _write_tools(
        self, body: dict[str, Any], config: dict[str, Any], value: Any, call: TextCall, report: Report
    ) -> None:
        if value is None:
            body["tools"] = None
            return
        tools = self.fit_tools(value, report)
        body["tools"] = [*build_tools(tools, call.settings.spelling or _NO_NAMES, report), *(body.get("tools") or [])]

    def fit_tools(self, tools: Iterable[AnyTool], report: Report) -> list[AnyTool]:
        """The tools as the vendor takes them."""
        return list(tools)

    def _write_web_search(
        self, body: dict[str, Any], config: dict[str, Any], value: Any, call: TextCall, report: Report
    ) -> None:
        if not value:
            return
        if isinstance(value, WebSearch):
            for name in ("context_size", "user_location"):
                if getattr(value, name) is not None:
                    report.drop(f"web_search.{name}", "a search takes no such setting here")
        search = build_tools([ServerTool(type="web_search")], _NO_NAMES, report)
        body["tools"] = [*(body.get("tools") or []), *search]

    def _write_tool_choice(
        self, body: dict[str, Any], config: dict[str, Any], value: Any, call: TextCall, report: Report
    ) -> None:
        body["toolConfig"] = {"functionCallingConfig": build_tool_choice(value, report)}

    def _write_response_format(
        self, body: dict[str, Any], config: dict[str, Any], value: Any, call: TextCall, report: Report
    ) -> None:
        write_response_format(config, value, call.settings.spelling or _NO_NAMES, report)

    def _write_reasoning(
        self, body: dict[str, Any], config: dict[str, Any], value: Any, call: TextCall, report: Report
    ) -> None:
        if value is None:
            config["thinkingConfig"] = None
        elif call.model.traits.reasons == "never":
            report.drop("reasoning", "the model does not reason")
        elif written := build_thinking(read_reasoning_control(value), call, report):
            config["thinkingConfig"] = written

    def _write_audio(
        self, body: dict[str, Any], config: dict[str, Any], value: Any, call: TextCall, report: Report
    ) -> None:
        audio = value if isinstance(value, AudioOutput) else AudioOutput()
        if audio.format is not None:
            report.translate("audio.format", "sound comes as audio/L16 here, whatever is asked for")
        if isinstance(audio.voice, str):
            config["speechConfig"] = {"voiceConfig": {"prebuiltVoiceConfig": {"voiceName": audio.voice}}}
        elif audio.voice is not None:
            config["speechConfig"] = {"voiceConfig": dict(audio.voice)}
        elif value is None:
            config["speechConfig"] = None

    def _write_options(self, body: dict[str, Any], call: TextCall, report: Report) -> None:
        for name, value in take_options(call, self.vendor_options, report).items():
            merge_extra(body, {"generationConfig": {name: value}} if name in self.config_options else {name: value})

    def continue_request(self, call: TextCall, response: ProviderResponse) -> WireRequest | None:
        """The same request with the token of an answer that is not whole (gemini-4: one hop has a limit)."""
        said = response.message
        if said is None or (token := _find_token(call, said)) is None:
            return None
        request = self.build_request(call)
        return msgspec.structs.replace(request, body={**_fields(request), "continuationToken": token})

    # ── in ──

    def parse_response(self, call: TextCall, reply: WireResponse) -> ProviderResponse:
        """The reply as our response. Raises `ProviderError` for an error inside a 200, or a body that is none."""
        body = reply.content
        try:
            if body.lstrip().startswith(b"["):
                return self._parse_list(call, reply)
            shape = REPLY.decode(body)
            if shape.error is not None:
                raise read_failure(reply, None)
            feedback = shape.prompt_feedback
            blocked = feedback is not None and finish_word(feedback.block_reason)
            if not shape.candidates and not blocked and shape.usage_metadata is NOTHING:
                raise make_unreadable(reply, "no_choices")
            return parse_candidates(self, call, shape, body)
        except (*UNREADABLE, BadRequestError) as error:
            if isinstance(error, BadRequestError) and error.provider_message:
                raise
            raise make_unreadable(reply) from error

    def _parse_list(self, call: TextCall, reply: WireResponse) -> ProviderResponse:
        """A stream that is no SSE is one list of replies."""
        state = self.open_stream(call)
        gathered = Accumulator(call.model.id)
        events = msgspec.json.decode(reply.content, type=list[Raw])
        for chunks in (*(state.parse_event(Event(data=bytes(item))) for item in events), state.finish()):
            for chunk in chunks:
                gathered.add(chunk)
        return msgspec.structs.replace(gathered.response(), body=reply.content)

    def finish_reason_of(self, word: str, parts: Iterable[AnyPart]) -> FinishReason | None:
        """Our word for the vendor's; None where it said none."""
        return finish_of(self.finish_reasons.get(word, "other"), parts) if word else None

    def parse_error(self, reply: WireResponse) -> ProviderError:
        """The error that a reply with an error status is."""
        return read_failure(reply, reply.status)

    def open_stream(self, call: TextCall) -> GeminiStream:
        return GeminiStream(self, call)


def _fields(request: WireRequest) -> dict[str, Any]:
    return dict(request.body) if isinstance(request.body, Mapping) else {}


def _split_continuation(call: TextCall) -> tuple[tuple[Message, ...], str | None]:
    """What was said before an answer that is not whole, and its token: the provider knows the answer itself."""
    messages, token = call.input, None
    while messages and (found := _find_token(call, messages[-1])) is not None:
        token, messages = token or found, messages[:-1]
    return messages, token


def _find_token(call: TextCall, message: Message) -> str | None:
    if message.role != "assistant" or not is_own(message.opaque, PROTOCOL, call.model):
        return None
    value = message.opaque.value if message.opaque is not None else None
    token = value.get("continuationToken") if isinstance(value, dict) else None
    return token if isinstance(token, str) else None


def _fit_value(name: str, value: Any) -> Any:
    if name == "stop" and isinstance(value, str):
        return [value]
    if name == "modalities" and value is not None:
        return [str(word).upper() for word in value]
    return value


_Writer = Callable[[Gemini, dict[str, Any], dict[str, Any], Any, TextCall, Report], None]
_WRITERS: dict[str, _Writer] = {
    "tools": Gemini._write_tools,
    "tool_choice": Gemini._write_tool_choice,
    "response_format": Gemini._write_response_format,
    "reasoning": Gemini._write_reasoning,
    "web_search": Gemini._write_web_search,
    "audio": Gemini._write_audio,
}
