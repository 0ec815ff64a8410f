"""The client half: our calls as requests, replies as our responses. What a vendor adds are attributes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar
from urllib.parse import quote

from betterai.core.codec import TextCall
from betterai.core.exceptions import ProviderError
from betterai.core.message import Message, Text
from betterai.core.response import ProviderResponse
from betterai.core.settings import WebSearch
from betterai.core.tools import JsonObject, JsonSchema, PlainText, ServerTool, ToolChoice
from betterai.core.wire import WireRequest, WireResponse
from betterai.wire.bedrock_converse.failures import parse_failure
from betterai.wire.bedrock_converse.messages import MAX_CACHE_POINTS, MessageBuilder
from betterai.wire.bedrock_converse.reasoning import write_reasoning
from betterai.wire.bedrock_converse.replies import FINISH_REASONS, BlockReader
from betterai.wire.bedrock_converse.shapes import PROTOCOL, decode_reply
from betterai.wire.bedrock_converse.stream import ConverseStream
from betterai.wire.bedrock_converse.tools import (
    CACHE_POINT,
    build_server_tool,
    build_text_format,
    build_tool_choice,
    build_tools,
    speaks_of_tools,
)
from betterai.wire.bedrock_converse.usage import parse_usage
from betterai.wire.cache_marks import trim_points
from betterai.wire.calls import asks_nothing, check_forced_choice, make_request, take_options, takes_sampling
from betterai.wire.error_bodies import UNREADABLE
from betterai.wire.errors import make_unreadable
from betterai.wire.reasoning import read_reasoning_control
from betterai.wire.report import Report
from betterai.wire.residue import merge_extra

Body = dict[str, Any]

INFERENCE = {"max_tokens": "maxTokens", "temperature": "temperature", "top_p": "topP", "stop": "stopSequences"}
SAMPLING = frozenset({"temperature", "top_p", "top_k"})
BESIDE = frozenset({"extra_body", "extra_headers", "extra_query", "options", "spelling"})
"""Settings that are no fields of the body."""

EXTRA = "additionalModelRequestFields"


class BedrockConverse:
    """Converse and ConverseStream (https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html)."""

    protocol: ClassVar[str] = PROTOCOL
    accepts: ClassVar[Mapping[str, frozenset[str]]] = {
        kind: frozenset({"bytes", "file_id"}) for kind in ("image", "document", "video", "audio")
    }
    rename: ClassVar[Mapping[str, str]] = {}
    vendor_options: ClassVar[frozenset[str]] = frozenset()
    """Names of `settings.options[vendor]` that go into the body as they are."""
    system_tools: ClassVar[Mapping[str, str]] = {}
    """The vendor's names for the tools it runs itself, by our neutral ones."""

    def answers(self, path: str) -> bool:
        return path.endswith(("/converse", "/converse-stream"))

    # ── out ──

    def build_request(self, call: TextCall) -> WireRequest:
        """The call as a request. Raises `UnsupportedParam` for what cannot be carried and changes the meaning."""
        report = Report(call.model)
        body = self.build_body(call, report)
        url = build_path(call.model.id, "converse-stream" if call.stream else "converse")
        return make_request(call, report, url, body, stream="event_stream")

    def build_body(self, call: TextCall, report: Report) -> Body:
        builder = MessageBuilder(call, report)
        builder.build(call.input)
        spelled = call.settings.spelling or frozenset()
        body: Body = {"messages": builder.messages}
        if builder.system or "system" in spelled:
            body["system"] = builder.system
        for name in ("inferenceConfig", EXTRA):
            if name in spelled:
                body[name] = {}
        given = call.settings.given()
        for name, value in given.items():
            if name not in BESIDE and self._may_send(name, value, call, report):
                self._write(body, name, value, call, report)
        if "options" in given:
            self._write_options(body, call, report)
        prompt = [body.get("toolConfig", {}).get("tools") or [], builder.system]
        prompt += [message["content"] for message in builder.messages]
        trim_points(prompt, CACHE_POINT, MAX_CACHE_POINTS, report)
        return body

    def _may_send(self, name: str, value: Any, call: TextCall, report: Report) -> bool:
        if name in SAMPLING and value is not None and not takes_sampling(call):
            report.drop(name, "the model takes no sampling settings while it reasons")
        elif name == "stop" and not call.model.traits.stop and value:
            report.drop(name, "the model takes no stop sequences")
        else:
            return True
        return False

    def _write(self, body: Body, name: str, value: Any, call: TextCall, report: Report) -> None:
        if name in INFERENCE:
            listed = [value] if name == "stop" and isinstance(value, str) else value
            body.setdefault("inferenceConfig", {})[INFERENCE[name]] = listed
        elif name in _WRITERS:
            _WRITERS[name](self, body, value, call, report)
        else:
            report.drop(name, "this protocol has no such setting", harmless=asks_nothing(name, value))

    def _write_options(self, body: Body, call: TextCall, report: Report) -> None:
        merge_extra(body, take_options(call, self.vendor_options, report))

    def _write_top_k(self, body: Body, value: Any, call: TextCall, report: Report) -> None:
        """No field of the protocol: models take it in their own words."""
        extra = body.setdefault(EXTRA, {})
        if call.model.traits.reasoning_field == "reasoningConfig" or "inferenceConfig.topK" in (
            call.settings.spelling or ()
        ):
            extra.setdefault("inferenceConfig", {})["topK"] = value
        else:
            extra["top_k"] = value

    def _write_tools(self, body: Body, value: Any, call: TextCall, report: Report) -> None:
        if not value:
            if value is not None and "tools" in (call.settings.spelling or ()):
                body["toolConfig"] = {"tools": []}
            return
        choice = call.settings.tool_choice
        if build_tool_choice(choice, report) is None:
            if speaks_of_tools(call):
                why = "none cannot be said here, and a conversation that called tools cannot do without them"
                report.drop("tool_choice", why, hint="say in the instructions that no tool is to be called")
            for name in ("tool_choice", "tools"):
                report.translate(name, "none cannot be said here: the tools were left out")
            return
        written = build_tools(value, self.system_tools, call.model, report)
        body.setdefault("toolConfig", {"tools": []})["tools"].extend(written)

    def _write_tool_choice(self, body: Body, value: Any, call: TextCall, report: Report) -> None:
        mode = value.mode if isinstance(value, ToolChoice) else value
        if mode == "none":
            return
        if not call.settings.tools:
            report.drop("tool_choice", "there are no tools to choose from", harmless=mode in (None, "auto"))
            return
        if mode not in (None, "auto") and not call.model.traits.forced_tools:
            report.drop("tool_choice", "the model cannot be forced to call a tool")
        check_forced_choice(call, report)
        config = body.setdefault("toolConfig", {"tools": []})
        config["toolChoice"] = None if value is None else build_tool_choice(value, report)

    def _write_response_format(self, body: Body, value: Any, call: TextCall, report: Report) -> None:
        if isinstance(value, JsonSchema):
            if call.model.traits.json_schema is False:
                hint = "use a tool with this schema, and require it"
                report.drop("response_format", "the model takes no JSON Schema here", hint=hint)
            if value.strict is not None:
                report.translate(
                    "response_format", f"schemas are always enforced here: strict={value.strict} was not sent"
                )
            body.setdefault("outputConfig", {})["textFormat"] = build_text_format(value)
        elif isinstance(value, JsonObject):
            report.drop("response_format", "JSON of any shape cannot be asked for here", hint="pass its schema")
        elif value is not None and not isinstance(value, PlainText):
            report.drop("response_format", f"{value!r:.60} is no format of this protocol")

    def _write_reasoning(self, body: Body, value: Any, call: TextCall, report: Report) -> None:
        if value is None:
            report.drop("reasoning", "null says nothing here")
            return
        if call.model.traits.reasons == "never":
            report.drop("reasoning", "the model does not reason")
            return
        extra, output = body.setdefault(EXTRA, {}), body.setdefault("outputConfig", {})
        write_reasoning(extra, output, read_reasoning_control(value), call, report)
        for name, written in ((EXTRA, extra), ("outputConfig", output)):
            if not written:
                del body[name]

    def _write_web_search(self, body: Body, value: Any, call: TextCall, report: Report) -> None:
        if not value:
            return
        if isinstance(value, WebSearch) and (value.context_size or value.user_location):
            report.drop("web_search", "how to search cannot be chosen here", hint="web_search=True")
        tool = build_server_tool(ServerTool(type="web_search"), self.system_tools, report)
        body.setdefault("toolConfig", {"tools": []})["tools"].append(tool)

    def _write_service_tier(self, body: Body, value: Any, call: TextCall, report: Report) -> None:
        body["serviceTier"] = None if value is None else {"type": value}

    def _write_metadata(self, body: Body, value: Any, call: TextCall, report: Report) -> None:
        body["requestMetadata"] = value

    def _write_stream_options(self, body: Body, value: Any, call: TextCall, report: Report) -> None:
        if value is not None and value.include_usage is False:
            report.translate("stream_options", "usage comes in every stream of this protocol")
        if value is not None and value.include_obfuscation is not None:
            report.drop("stream_options", "this protocol has no such option")

    # ── in ──

    def parse_response(self, call: TextCall, reply: WireResponse) -> ProviderResponse:
        """The reply as our response. Raises `ProviderError` for a body that is none."""
        body = reply.content
        try:
            shape = decode_reply(body)
            message = shape.output.message if shape.output is not None else None
            if message is None or shape.stopReason is None:
                raise make_unreadable(reply, "no_choices")
            parts = BlockReader(call.model.provider, call.model.id).read(message.content)
            usage = parse_usage(shape.usage, shape.serviceTier)
        except UNREADABLE as error:
            raise make_unreadable(reply) from error
        router = shape.trace.promptRouter if shape.trace is not None else None
        return ProviderResponse(
            content="".join(part.text for part in parts if isinstance(part, Text)),
            model=router.invokedModelId if router is not None else call.model.id,
            message=Message(role="assistant", parts=parts),
            usage=usage,
            tokens_used=usage.total_tokens if usage else None,
            finish_reason=FINISH_REASONS.get(shape.stopReason, "other"),
            raw_finish_reason=shape.stopReason,
            body=body,
        )

    def parse_error(self, reply: WireResponse) -> ProviderError:
        """The error that a reply with an error status is."""
        return parse_failure(reply)

    def open_stream(self, call: TextCall) -> ConverseStream:
        return ConverseStream(call)


def build_path(model: str, operation: str) -> str:
    """The path of an operation; ids may be ARNs, whose slashes are no steps of the path."""
    return f"/model/{quote(model, safe='')}/{operation}"


_Writer = Callable[[BedrockConverse, Body, Any, TextCall, Report], None]
_WRITERS: dict[str, _Writer] = {
    "top_k": BedrockConverse._write_top_k,
    "tools": BedrockConverse._write_tools,
    "tool_choice": BedrockConverse._write_tool_choice,
    "response_format": BedrockConverse._write_response_format,
    "reasoning": BedrockConverse._write_reasoning,
    "web_search": BedrockConverse._write_web_search,
    "service_tier": BedrockConverse._write_service_tier,
    "metadata": BedrockConverse._write_metadata,
    "stream_options": BedrockConverse._write_stream_options,
}
