"""The client half: our calls as requests, replies as our responses. Quirks of vendors are attributes and overrides."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from betterai.core.codec import TextCall
from betterai.core.exceptions import BadRequestError, ContentFilterError, ProviderError
from betterai.core.message import Message, Refusal, Text, ToolCall
from betterai.core.response import FinishReason, ProviderResponse
from betterai.core.settings import PromptCache, ReasoningControl, WebSearch
from betterai.core.tools import AnyTool, ServerTool, Tool
from betterai.core.usage import Usage
from betterai.core.wire import WireRequest, WireResponse
from betterai.wire.calls import BESIDE, asks_nothing, check_forced_choice, make_request, take_options, takes_sampling
from betterai.wire.error_bodies import UNREADABLE, ErrorBody, read_error
from betterai.wire.errors import make_stated_error, make_unreadable
from betterai.wire.lenient import Reader
from betterai.wire.openai_responses.failures import as_reply, find_status, is_filtered, read_failure
from betterai.wire.openai_responses.items import ItemBuilder
from betterai.wire.openai_responses.protocol import ENCRYPTED, LOGPROBS, PROTOCOL
from betterai.wire.openai_responses.reasoning import build_reasoning
from betterai.wire.openai_responses.replies import ItemReader, collect_logprobs, read_shape
from betterai.wire.openai_responses.shapes import ResponseShape, decoder_for
from betterai.wire.openai_responses.stream import ResponsesStream
from betterai.wire.openai_responses.tools import SEARCHES, build_format, build_search, build_tool, build_tool_choice
from betterai.wire.openai_responses.usage import parse_usage
from betterai.wire.prompt_cache import build_cache
from betterai.wire.reasoning import is_reasoning, read_reasoning_control
from betterai.wire.report import Report
from betterai.wire.residue import merge_extra

PLAIN = frozenset(
    {
        "temperature", "top_p", "top_logprobs", "parallel_tool_calls", "service_tier", "store", "metadata", "user",
        "safety_identifier", "moderation",
    }
)  # fmt: skip
"""What goes into the body as it is."""
SAMPLING = frozenset({"temperature", "top_p", "logprobs", "top_logprobs"})
_CHAT = 'the Chat protocol may have it: CoreConfig(protocol="openai_chat")'


class OpenAIResponses:
    """Responses as OpenAI documents them. A compatible vendor subclasses this and states its deviations."""

    protocol: ClassVar[str] = PROTOCOL
    accepts: ClassVar[Mapping[str, frozenset[str]]] = {
        "image": frozenset({"bytes", "url", "file_id"}),
        "audio": frozenset({"bytes"}),
        "document": frozenset({"bytes", "url", "file_id"}),
    }
    path: ClassVar[str] = "/responses"
    unsupported: ClassVar[Mapping[str, str]] = {}
    """Settings that the vendor does not take, and why."""
    extra_fields: ClassVar[frozenset[str]] = frozenset()
    """Settings beyond the protocol that the vendor takes under their own names: top_k."""
    sampling: ClassVar[frozenset[str]] = SAMPLING
    """Settings that reasoning models turn down."""
    developer_role: ClassVar[bool] = True
    typed_messages: ClassVar[bool] = False
    """Whether what the assistant said is only understood with its type, "message"."""
    tool_media: ClassVar[bool] = True
    """Whether tool results may hold media."""
    cache_marks: ClassVar[bool] = True
    """Whether content parts may carry `prompt_cache_breakpoint`."""
    cache_fields: ClassVar[frozenset[str]] = frozenset({"key", "mode", "ttl", "retention"})
    """What of `PromptCache` the vendor takes."""
    json_object: ClassVar[bool] = True
    functions_only: ClassVar[bool] = False
    """Whether the vendor has no other tools."""
    strict_default: ClassVar[bool] = False
    """Whether functions are strict unless the request says that they are not."""
    allowed_tools: ClassVar[bool] = True
    """Whether `tool_choice` may name several tools."""
    server_search: ClassVar[bool] = True
    """Whether the vendor has a web search of its own."""
    encrypted_thoughts: ClassVar[bool] = True
    """Whether thoughts can be asked for in encrypted form, so that they go back where nothing is stored."""
    reasoning_texts: ClassVar[bool] = False
    """Whether thoughts that are no items of the vendor's go back as their text."""
    efforts: ClassVar[tuple[str, ...] | None] = None
    """The efforts that the vendor takes, where those of the model are not known."""
    obfuscation: ClassVar[bool] = True
    """Whether streams may be asked to go without `obfuscation`."""
    instead: ClassVar[str] = ""
    """The protocol in which the same vendor is asked for what this one cannot carry, where it serves both."""
    rename: ClassVar[Mapping[str, str]] = {}
    """Settings that the vendor takes under other names."""
    vendor_options: ClassVar[frozenset[str]] = frozenset()
    """Names of `settings.options[vendor]` that go into the body as they are."""
    finish_reasons: ClassVar[Mapping[str, FinishReason]] = {
        "completed": "stop",
        "complete": "stop",
        "max_output_tokens": "length",
        "max_tokens": "length",
        "content_filter": "content_filter",
        "queued": "pause",
        "in_progress": "pause",
    }
    shape: ClassVar[type[ResponseShape]] = ResponseShape
    decoder: ClassVar[Reader[ResponseShape]] = decoder_for(ResponseShape)

    def __init_subclass__(cls) -> None:
        cls.decoder = decoder_for(cls.shape)

    def answers(self, path: str) -> bool:
        """Where answers are asked for, and where one that is worked on in the background is looked at."""
        return path.rpartition("/resp_")[0].endswith(self.path) or path.endswith(self.path)

    # ── out ──

    def build_request(self, call: TextCall) -> WireRequest:
        """The call as a request. Raises `UnsupportedParam` for what cannot be carried and changes the meaning."""
        report = Report(call.model)
        given = call.settings.given()
        body: dict[str, Any] = {"model": call.model.id}
        self._write_input(body, call, report)
        for name, value in given.items():
            if name not in BESIDE and self._may_send(name, value, call, report):
                self._write(body, name, value, call, report)
        if "options" in given:
            self._write_options(body, call, report)
        if given.get("store") is False and self._wants_encrypted(call):
            _include(body, ENCRYPTED)
        self._write_stream(body, call, report)
        return make_request(call, report, self.path, body)

    def _wants_encrypted(self, call: TextCall) -> bool:
        """Where nothing is stored, thoughts can only go back encrypted. A client of this protocol says so itself."""
        return self.encrypted_thoughts and is_reasoning(call) and "include" not in (call.settings.spelling or ())

    def _write_input(self, body: dict[str, Any], call: TextCall, report: Report) -> None:
        """The items; and, where a surface read the request so, `instructions`, a text for the input, or no input."""
        spelling, messages = call.settings.spelling or (), call.input
        if "instructions" in spelling and messages and messages[0].role == "system":
            body["instructions"] = messages[0].text
            messages = messages[1:]
        items = ItemBuilder(self, call, report).build(messages)
        if "input_text" in spelling and len(items) == 1 and items[0].keys() == {"role", "content"}:
            body["input"] = items[0]["content"]
        elif items or "input" not in spelling:
            body["input"] = items

    def _may_send(self, name: str, value: Any, call: TextCall, report: Report) -> bool:
        if name in self.unsupported:
            report.drop(name, self.unsupported[name], harmless=asks_nothing(name, value))
        elif name in self.sampling and not takes_sampling(call):
            report.drop(name, "the model takes no sampling settings while it reasons")
        else:
            return True
        return False

    def _write(self, body: dict[str, Any], name: str, value: Any, call: TextCall, report: Report) -> None:
        if name in PLAIN or name in self.extra_fields:
            body[self.rename.get(name, name)] = value
        elif name in _WRITERS:
            _WRITERS[name](self, body, value, call, report)
        else:
            report.drop(name, "this protocol has no such setting", hint=_CHAT, harmless=asks_nothing(name, value))

    def _write_options(self, body: dict[str, Any], call: TextCall, report: Report) -> None:
        for name, value in take_options(call, self.vendor_options, report).items():
            if name == "include" and value:
                _include(body, *value)
            else:
                merge_extra(body, {name: value})

    def _write_stream(self, body: dict[str, Any], call: TextCall, report: Report) -> None:
        options = call.settings.stream_options
        if not call.stream:
            if "stream" in (call.settings.spelling or ()):
                body["stream"] = False
            if options is not None:
                report.drop("stream_options", "they are for streams only")
            return
        body["stream"] = True
        if options is None:
            return
        if options.include_usage is not None:
            report.translate("stream_options", "usage comes in every stream of this protocol")
        if options.include_obfuscation is not None and self.obfuscation:
            body["stream_options"] = {"include_obfuscation": options.include_obfuscation}
        elif options.include_obfuscation is not None:
            report.drop("stream_options", "this provider obfuscates nothing")

    def _write_max_tokens(self, body: dict[str, Any], value: Any, call: TextCall, report: Report) -> None:
        body["max_output_tokens"] = value

    def _write_logprobs(self, body: dict[str, Any], value: Any, call: TextCall, report: Report) -> None:
        if value:
            _include(body, LOGPROBS)
        else:
            report.translate("logprobs", "they come only where they are asked for")

    def _write_verbosity(self, body: dict[str, Any], value: Any, call: TextCall, report: Report) -> None:
        body.setdefault("text", {})["verbosity"] = value

    def _write_tools(self, body: dict[str, Any], value: Any, call: TextCall, report: Report) -> None:
        if value is None:
            body["tools"] = None
        else:
            body["tools"] = [*(self.build_tool(tool, report) for tool in value), *(body.get("tools") or ())]

    def build_tool(self, tool: AnyTool, report: Report) -> dict[str, Any]:
        """One element of `tools`. Vendors with another form override this."""
        if self.functions_only and not isinstance(tool, Tool):
            report.drop("tools", "tools are functions here: no custom ones, and none that the provider runs")
        return build_tool(tool, report, strict_default=self.strict_default)

    def _write_web_search(self, body: dict[str, Any], value: Any, call: TextCall, report: Report) -> None:
        if not value and not isinstance(value, WebSearch):
            return
        if not self.server_search:
            report.drop("web_search", "this provider does not search the web")
        if any(isinstance(tool, ServerTool) and tool.type in SEARCHES for tool in call.settings.tools or ()):
            if value is not True:
                report.drop("web_search", "the search among the tools says how to search", harmless=True)
            return
        search = build_search(value if isinstance(value, WebSearch) else WebSearch())
        body["tools"] = [*(body.get("tools") or ()), search]

    def _write_tool_choice(self, body: dict[str, Any], value: Any, call: TextCall, report: Report) -> None:
        check_forced_choice(call, report)
        written = build_tool_choice(value, call.settings.tools or ())
        if isinstance(written, dict) and written["type"] == "allowed_tools" and not self.allowed_tools:
            report.drop("tool_choice", "one tool can be named here, or any: not some of them", hint="pass fewer tools")
        body["tool_choice"] = written

    def _write_response_format(self, body: dict[str, Any], value: Any, call: TextCall, report: Report) -> None:
        form = build_format(value)
        if form is not None and form["type"] == "json_object" and not self.json_object:
            report.drop("response_format", "JSON of any shape cannot be asked for here", hint="pass its schema")
        body.setdefault("text", {})["format"] = form

    def _write_reasoning_control(self, body: dict[str, Any], value: Any, call: TextCall, report: Report) -> None:
        if value is None:
            body["reasoning"] = None
        elif call.model.traits.reasons == "never":
            report.drop("reasoning", "the model does not reason")
        elif written := self.build_reasoning(read_reasoning_control(value), call, report):
            body["reasoning"] = written

    def build_reasoning(self, control: ReasoningControl, call: TextCall, report: Report) -> dict[str, Any]:
        """The `reasoning` object. Vendors with another one override this."""
        return build_reasoning(control, call.model.traits, self.efforts, report)

    def _write_cache(self, body: dict[str, Any], value: PromptCache | None, call: TextCall, report: Report) -> None:
        body.update(build_cache(value, self.cache_fields, report))

    # ── in ──

    def parse_response(self, call: TextCall, reply: WireResponse) -> ProviderResponse:
        """The reply as our response. Raises `ProviderError` for an answer that failed, or a body that is none."""
        body = reply.content
        try:
            shape = self.decoder.decode(body)
            items, reader = [read_shape(raw) for raw in shape.output or ()], ItemReader(self, call)
            read = [reader.read(raw, item) for raw, item in zip(shape.output or (), items, strict=True)]
            usage, word, logprobs = self.usage_of(shape), self.word_of(shape), collect_logprobs(items)
        except UNREADABLE as error:
            raise make_unreadable(reply) from error
        failed = self.failure_of(shape)
        if failed is not None or shape.output is None:
            raise self.error_in_body(failed, reply)
        parts = tuple(part for found in read for part in found)
        refused = any(isinstance(part, Refusal) for part in parts)
        called = any(isinstance(part, ToolCall) and not part.server for part in parts)
        return ProviderResponse(
            content="".join(part.text for part in parts if isinstance(part, Text)),
            model=shape.model or call.model.id,
            message=Message(role="assistant", parts=parts),
            usage=usage,
            tokens_used=usage.total_tokens if usage else None,
            finish_reason=self.finish_reason_of(word, refused=refused, called=called),
            raw_finish_reason=word,
            logprobs=logprobs,
            id=shape.id or "",
            body=body,
        )

    def usage_of(self, shape: ResponseShape) -> Usage | None:
        """The usage that a response states. Vendors with more to say override this."""
        return parse_usage(shape)

    def word_of(self, shape: ResponseShape) -> str:
        """How the answer ended, in the provider's word: the reason of an incomplete one, else its status."""
        details = shape.incomplete_details
        return (details.reason if details and shape.status == "incomplete" else None) or shape.status or ""

    def finish_reason_of(self, word: str, *, refused: bool = False, called: bool = False) -> FinishReason:
        """Our word for the provider's. A call that the caller is to run, and a refusal, come with a plain end."""
        reason = self.finish_reasons.get(word, "other")
        if reason == "stop":
            return "tool_calls" if called else "refusal" if refused else "stop"
        return reason

    def is_server_call(self, kind: str, name: str, call: TextCall) -> bool:
        """Whether an item that looks like a call to the caller's tool is one that the provider runs by itself."""
        return False

    def failure_of(self, shape: ResponseShape) -> Any:
        """The error of a response that failed, as JSON values; None for one that did not."""
        if shape.status == "cancelled":
            return {"code": "cancelled", "message": "the response was cancelled"}
        if shape.status == "failed":
            return shape.error or {"code": "server_error", "message": "the response failed without a reason"}
        return shape.error or None

    def error_of_event(self, data: bytes) -> ProviderError:
        """The error that an event in a stream is: its fields stand at the top, or in `error`."""
        return self._make_error_in_body(read_error(data), as_reply(data))

    def error_in_body(self, error: Any, reply: WireResponse) -> ProviderError:
        """The error that a reply or an event with status 200 holds: the same as if it had come with its own status."""
        body = reply.content
        found = read_error(body) if error is None else read_failure(error)
        if not found.message and error is None:
            return make_unreadable(reply, "no_output")
        return self._make_error_in_body(found, reply)

    def _make_error_in_body(self, found: ErrorBody, reply: WireResponse) -> ProviderError:
        kind = ProviderError if found.code == "cancelled" else ContentFilterError if is_filtered(found.code) else None
        return self._make_error(find_status(found), found, reply, kind)

    def parse_error(self, reply: WireResponse) -> ProviderError:
        """The error that a reply with an error status is."""
        error = self._make_error(reply.status, read_error(reply.content), reply, None)
        if reply.status in (404, 405) and type(error) is BadRequestError:
            error.hint = 'is there /responses at this address? CoreConfig(protocol="openai_chat") asks for Chat'
        return error

    def _make_error(
        self, status: int, found: ErrorBody, reply: WireResponse, kind: type[ProviderError] | None
    ) -> ProviderError:
        kind = kind or self.error_class(status, found.code, found.message)
        return make_stated_error(found, reply, status=status, kind=kind)

    def error_class(self, status: int, code: str, message: str) -> type[ProviderError] | None:
        """A vendor's own words for known errors; None leaves it to the general rules."""
        return None

    def open_stream(self, call: TextCall) -> ResponsesStream:
        return ResponsesStream(self, call)


def _include(body: dict[str, Any], *names: str) -> None:
    """Ask for more of the answer's items, each once."""
    body["include"] = list(dict.fromkeys((*(body.get("include") or ()), *names)))


_Writer = Callable[[OpenAIResponses, dict[str, Any], Any, TextCall, Report], None]
_WRITERS: dict[str, _Writer] = {
    "max_tokens": OpenAIResponses._write_max_tokens,
    "logprobs": OpenAIResponses._write_logprobs,
    "verbosity": OpenAIResponses._write_verbosity,
    "tools": OpenAIResponses._write_tools,
    "tool_choice": OpenAIResponses._write_tool_choice,
    "response_format": OpenAIResponses._write_response_format,
    "reasoning": OpenAIResponses._write_reasoning_control,
    "cache": OpenAIResponses._write_cache,
    "web_search": OpenAIResponses._write_web_search,
}
