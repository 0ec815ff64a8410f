"""The server half: what official clients send is read whole, and what it answers, botocore parses."""

from __future__ import annotations

import json

import pytest
from botocore.exceptions import EventStreamError
from hypothesis import given
from hypothesis import strategies as st

from betterai.core.exceptions import (
    AuthenticationError,
    BadRequestError,
    ModelNotFoundError,
    OverloadedError,
    ProviderError,
    RateLimitError,
)
from betterai.core.media import Media
from betterai.core.message import CacheMark, Citation, MediaPart, Message, Reasoning, Text, ToolCall
from betterai.core.response import ProviderResponse, TextChunk, ToolCallDelta
from betterai.core.settings import ReasoningControl
from betterai.core.tools import JsonSchema, ServerTool, Tool, ToolChoice
from betterai.core.usage import Usage
from betterai.core.wire import WireRequest, WireResponse
from betterai.runtime.replay.round_trip import make_round_trip
from betterai.wire.bedrock_converse import BedrockConverseSurface
from betterai.wire.event_stream import EventStreamFramer
from together import each
from wire.converse import CODEC, call, check_request, parse_reply, parse_stream

SURFACE = BedrockConverseSurface()
URL = "https://bedrock-runtime.us-east-1.amazonaws.com/model/a.model-v1%3A0/converse"
USER = {"role": "user", "content": [{"text": "Hi"}]}


def parse(url: str = URL, **body):
    return SURFACE.parse_request(WireRequest(url=url, body={"messages": [USER], **body}))


def trip(**body):
    """What a request loses on its way through our types, and what else is said of it."""
    check_request(body)
    _, found = make_round_trip(CODEC, "bedrock", WireRequest(url=URL, body=body))
    return found


# ── in ──


@pytest.mark.parametrize(
    ("path", "model", "stream"),
    [
        ("/model/a.model-v1%3A0/converse", "a.model-v1:0", False),
        ("/model/a.model-v1:0/converse-stream", "a.model-v1:0", True),
        ("/prefix/model/arn%3Aaws%3Abedrock%3A%3A1%3Ainference-profile%2Fx/converse?a=1", "arn:aws:bedrock::1:inference-profile/x", False),
    ],
)  # fmt: skip
def test_model_and_stream_stand_in_the_url(path, model, stream):
    read = parse(path)
    assert (read.model.id, read.stream, read.warnings) == (model, stream, ())


def test_what_an_sdk_had_put_into_the_body_is_said():
    read = parse("/model/MODEL/converse", modelId="x.y")
    assert read.model.id == "x.y"
    assert [warning.field for warning in read.warnings] == ["modelId"]


def test_settings_are_read():
    read = parse(
        inferenceConfig={"maxTokens": 5, "temperature": 0, "topP": 0.5, "stopSequences": ["x"]},
        additionalModelRequestFields={"thinking": {"type": "enabled", "budget_tokens": 2000}, "top_k": 3},
        serviceTier={"type": "flex"},
        requestMetadata={"k": "v"},
        guardrailConfig={"guardrailIdentifier": "g"},
    ).settings
    assert (read.max_tokens, read.temperature, read.top_p, read.stop) == (5, 0, 0.5, ["x"])
    assert (read.reasoning, read.top_k) == (ReasoningControl(budget=2000), 3)
    assert (read.service_tier, read.metadata) == ("flex", {"k": "v"})
    assert read.extra_body == {"guardrailConfig": {"guardrailIdentifier": "g"}}


def test_tools_are_read():
    schema = {"type": "object", "properties": {}}
    read = parse(
        toolConfig={
            "tools": [
                {"toolSpec": {"name": "a", "description": "A", "inputSchema": {"json": schema}, "strict": False}},
                {"cachePoint": {"type": "default", "ttl": "5m"}},
                {"systemTool": {"name": "nova_grounding"}},
                {"cachePoint": {"type": "default"}},
            ],
            "toolChoice": {"tool": {"name": "a"}},
        }
    ).settings
    assert read.tools == [
        Tool(name="a", description="A", parameters=schema, strict=False, cache=CacheMark(ttl="5m")),
        ServerTool(type="nova_grounding"),
        ServerTool(type="cachePoint", config={"type": "default"}),
    ]
    assert read.tool_choice == ToolChoice(mode="required", names=("a",))


def test_a_conversation_is_read():
    content = [
        {"text": "x"},
        {"cachePoint": {"type": "default"}},
        {"document": {"format": "pdf", "name": "N", "source": {"bytes": "eA=="}, "context": "C"}},
        {"toolResult": {"toolUseId": "t", "content": [{"text": "r"}], "status": "error"}},
    ]
    system, user = parse(system=[{"text": "S"}], messages=[{"role": "user", "content": content}]).input
    assert system == Message.system("S")
    text, document, result = user.parts
    assert text == Text(text="x", cache=CacheMark())
    assert document.media == Media(kind="document", mime_type="application/pdf", base64="eA==", filename="N")
    assert (result.id, result.text, result.is_error) == ("t", "r", True)


SCHEMA_TEXT = '{"type": "object",  "properties": {}}'


def test_a_schema_is_read_and_its_text_is_kept():
    format = {"type": "json_schema", "structure": {"jsonSchema": {"schema": SCHEMA_TEXT, "name": "x"}}}
    read = parse(outputConfig={"textFormat": format, "effort": "low"}).settings
    assert isinstance(read.response_format, JsonSchema)
    assert (read.response_format.schema, read.response_format.name) == ({"type": "object", "properties": {}}, "x")
    assert read.reasoning == ReasoningControl(effort="low")
    assert not trip(messages=[USER], outputConfig={"textFormat": format}).lost


def test_arguments_stay_the_text_they_were():
    body = b'{"messages":[{"role":"assistant","content":[{"toolUse":{"toolUseId":"t","name":"f","input":{ "a" : 1.0 }}}]}]}'
    (message,) = SURFACE.parse_request(WireRequest(url=URL, body=body)).input
    assert message.tool_calls[0].arguments == '{ "a" : 1.0 }'


GUARDED = {"guardContent": {"text": {"text": "x", "qualifiers": ["query"]}}}
PNG = {"format": "png", "source": {"bytes": "eA=="}}
WHOLE = {
    "empty groups": {"system": [], "inferenceConfig": {}, "additionalModelRequestFields": {}},
    "everything": {
        "system": [{"text": "S"}, {"cachePoint": {"type": "default"}}, GUARDED],
        "inferenceConfig": {"maxTokens": 1, "stopSequences": []},
        "additionalModelRequestFields": {"reasoning_config": {"type": "enabled", "budget_tokens": 1024}, "x": {"y": 1}},
        "additionalModelResponseFieldPaths": ["/x"],
        "guardrailConfig": {"guardrailIdentifier": "g", "guardrailVersion": "1", "trace": "enabled"},
        "performanceConfig": {"latency": "optimized"},
        "serviceTier": {"type": "priority"},
        "requestMetadata": {"a": "b"},
        "promptVariables": {"x": {"text": "y"}},
    },
    "thinking": {"additionalModelRequestFields": {"thinking": {"type": "adaptive"}}, "outputConfig": {"effort": "low"}},
    "thinking off": {"additionalModelRequestFields": {"thinking": {"type": "disabled"}}},
    "thinking in new ways": {"additionalModelRequestFields": {"thinking": {"type": "enabled", "display": "omitted"}}},
    "nova": {
        "additionalModelRequestFields": {
            "reasoningConfig": {"type": "enabled", "maxReasoningEffort": "low"}, "inferenceConfig": {"topK": 5, "x": 1},
        }
    },
    "effort": {"additionalModelRequestFields": {"reasoning_effort": "low", "top_k": 1}},
    "guarded": {"messages": [{"role": "user", "content": [GUARDED, {"guardContent": {"image": PNG}}]}]},
    "found": {
        "messages": [
            {
                "role": "user",
                "content": [
                    {
                        "searchResult": {
                            "source": "s", "title": "t", "content": [{"text": "x"}], "citations": {"enabled": True},
                        }
                    },
                    {"searchResult": {"source": "s", "title": "t", "content": [{"text": "x"}, {"text": "y"}]}},
                ],
            }
        ]
    },
    "results": {
        "messages": [
            {
                "role": "user",
                "content": [
                    {
                        "toolResult": {
                            "toolUseId": "t",
                            "status": "success",
                            "content": [
                                {"json": {"a": [1, 2.5]}}, {"text": "x"}, {"image": PNG}, {"video": {**PNG, "format": "mp4"}},
                                {"document": {**PNG, "format": "csv", "name": "n"}},
                                {"searchResult": {"source": "s", "title": "t", "content": [{"text": "x"}]}},
                            ],
                        }
                    }
                ],
            }
        ]
    },
    "documents": {
        "messages": [
            {
                "role": "user",
                "content": [
                    {"document": {"format": "txt", "name": "a", "source": {"text": "ä"}, "citations": {"enabled": True}}},
                    {"document": {"format": "md", "name": "b", "source": {"content": [{"text": "x"}, {"text": "y"}]}}},
                    {
                        "document": {
                            "format": "pdf", "name": "c",
                            "source": {"s3Location": {"uri": "s3://b/c.pdf", "bucketOwner": "123456789012"}},
                        }
                    },
                ],
            }
        ]
    },
    "points without a place": {
        "messages": [
            {"role": "user", "content": [{"cachePoint": {"type": "default"}}, {"text": "x"}, {"cachePoint": {"type": "default"}}, {"cachePoint": {"type": "default"}}]}
        ]
    },
    "tools that change": {
        "messages": [
            {"role": "user", "content": [{"toolAddition": {"tool": {"type": "t", "name": "n"}}}, {"text": "x"}]},
            {"role": "system", "content": [{"text": "midway"}]},
        ]
    },
    "tools": {
        "toolConfig": {
            "tools": [
                {"cachePoint": {"type": "default"}},
                {"toolSpec": {"name": "a", "inputSchema": {"json": {"type": "object"}}}},
                {"systemTool": {"name": "x"}},
            ],
            "toolChoice": {"any": {}},
        }
    },
}  # fmt: skip


@each("body", WHOLE.values(), ids=WHOLE)
def test_a_request_comes_out_as_it_went_in(body):
    found = trip(**{"messages": [USER], **body})
    assert (found.lost, found.added, found.detail) == ((), (), "")


@each(
    ("body", "where"),
    [
        ({"messages": None}, "messages"), ({"messages": [1]}, "messages"), ({"messages": [{"role": "x"}]}, "messages[0].role"),
        ({"messages": [{"role": "user"}]}, "messages[0].content"),
        ({"messages": [{"role": "user", "content": "x"}]}, "messages[0].content"),
        ({"messages": [{"role": "user", "content": [{"text": 1}]}]}, "messages[0].content[0].text"),
        ({"messages": [{"role": "user", "content": [{}]}]}, "messages[0].content[0]"),
        ({"messages": [{"role": "user", "content": [{"text": "x", "image": {}}]}]}, "messages[0].content[0]"),
        ({"system": "x"}, "system"), ({"toolConfig": {}}, "toolConfig.tools"), ({"toolConfig": {"tools": [{}]}}, "toolConfig.tools[0]"),
        ({"toolConfig": {"tools": [{"toolSpec": {"name": "x"}}]}}, "inputSchema"),
        ({"outputConfig": {"textFormat": {"type": "json_schema", "structure": {"jsonSchema": {"schema": "{"}}}}}, "jsonSchema.schema"),
    ],
)  # fmt: skip
def test_what_is_no_request_is_refused_at_its_place(body, where):
    with pytest.raises(BadRequestError) as caught:
        parse(**body)
    assert where in str(caught.value)


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff", b"{}"])
def test_a_body_that_is_none_is_refused(body):
    with pytest.raises(BadRequestError):
        SURFACE.parse_request(WireRequest(url=URL, body=body))


def test_a_request_without_a_model_is_refused():
    with pytest.raises(BadRequestError, match="modelId"):
        parse("/converse")


# ── out ──

USAGE = Usage(text_in=7, text_out=2, cached={"text": 3}, cache_write={"5m": 4}, tier="flex")
PARTS = (
    Reasoning(text="Hm."),
    Text(text="Hello", citations=(Citation(url="https://h"),)),
    ToolCall(id="t", name="f", arguments='{"a":1}'),
    MediaPart(media=Media(kind="image", mime_type="image/png", data=b"x")),
)
BLOCKS = [
    {"reasoningContent": {"reasoningText": {"text": "Hm."}}},
    {"text": "Hello"},
    {"toolUse": {"toolUseId": "t", "name": "f", "input": {"a": 1}}},
    {"image": {"format": "png", "source": {"bytes": b"x"}}},
]


def test_botocore_reads_a_whole_answer():
    message = Message(role="assistant", parts=PARTS)
    result = ProviderResponse(content="Hello", message=message, usage=USAGE, finish_reason="tool_calls")
    parsed = parse_reply(SURFACE.build_response(call(), result))
    assert parsed["output"]["message"] == {"role": "assistant", "content": BLOCKS}
    assert parsed["stopReason"] == "tool_use"
    assert parsed["usage"] == {
        "inputTokens": 7, "outputTokens": 2, "totalTokens": 16, "cacheReadInputTokens": 3, "cacheWriteInputTokens": 4,
        "cacheDetails": [{"ttl": "5m", "inputTokens": 4}],
    }  # fmt: skip
    assert parsed["serviceTier"] == {"type": "flex"}
    assert CODEC.parse_response(call(), SURFACE.build_response(call(), result)).usage == USAGE


def stream(*items) -> bytes:
    state: dict = {}
    return b"".join(SURFACE.build_event(call(stream=True), item, state) for item in items)


def test_botocore_reads_a_stream_of_any_provider():
    """One that tells its parts only at the end, as most do."""
    events = parse_stream(
        stream(
            TextChunk(reasoning="Hm."), TextChunk(content="Hel"), TextChunk(content="lo"),
            TextChunk(tool_call=ToolCallDelta(index=0, id="t", name="f")),
            TextChunk(tool_call=ToolCallDelta(index=0, arguments='{"a":1}')),
            *(TextChunk(part=part) for part in PARTS), TextChunk(finish_reason="tool_calls"),
            TextChunk(usage=USAGE), None,
        )
    )  # fmt: skip
    assert [next(iter(event)) for event in events] == [
        "messageStart",
        *("contentBlockDelta", "contentBlockStop"),
        *("contentBlockDelta", "contentBlockDelta", "contentBlockStop"),
        *("contentBlockStart", "contentBlockDelta", "contentBlockStop"),
        *("contentBlockStart", "contentBlockDelta", "contentBlockStop"),
        *("messageStop", "metadata"),
    ]
    deltas = [event["contentBlockDelta"] for event in events if "contentBlockDelta" in event]
    assert [delta["contentBlockIndex"] for delta in deltas] == [0, 1, 1, 2, 3]
    assert deltas[0]["delta"] == {"reasoningContent": {"text": "Hm."}}
    assert deltas[3]["delta"] == {"toolUse": {"input": '{"a":1}'}}
    assert deltas[4]["delta"] == {"image": {"source": {"bytes": b"x"}}}
    assert events[-2]["messageStop"] == {"stopReason": "tool_use"}
    assert events[-1]["metadata"]["usage"]["totalTokens"] == 16


def reread(content: bytes):
    from betterai.core.accumulate import Accumulator

    state, gathered = CODEC.open_stream(call(stream=True)), Accumulator("m")
    for event in EventStreamFramer().feed(content):
        for chunk in state.parse_event(event):
            gathered.add(chunk)
    for chunk in state.finish():
        gathered.add(chunk)
    return gathered.response()


def signed(text: str, signature: str) -> Reasoning:
    block = {"reasoningContent": {"reasoningText": {"text": text, "signature": signature}}}
    body = {"output": {"message": {"content": [block]}}, "stopReason": "end_turn"}
    reply = WireResponse(status=200, body=json.dumps(body).encode())
    (part,) = CODEC.parse_response(call(), reply).message.parts
    return part


def test_signatures_pass_through_a_stream():
    part = signed("Hm.", "sig")
    read = reread(
        stream(
            TextChunk(reasoning="H"), TextChunk(reasoning="m."), TextChunk(part=part), TextChunk(content="x"),
            TextChunk(part=Text(text="x")), TextChunk(finish_reason="stop"), None,
        )
    )  # fmt: skip
    assert read.message.parts == (part, Text(text="x"))


@given(
    st.lists(
        st.one_of(
            st.text(min_size=1, max_size=5).map(lambda text: Text(text=text)),
            st.dictionaries(st.text(max_size=3), st.integers(0, 9), max_size=2).map(
                lambda value: ToolCall(id="t", name="f", arguments=json.dumps(value, separators=(",", ":")))
            ),
        ),
        max_size=4,
    )
)
def test_parts_that_come_whole_are_all_in_the_stream(parts):
    read = reread(stream(*(TextChunk(part=part) for part in parts), TextChunk(finish_reason="stop"), None))
    said = [part.arguments if isinstance(part, ToolCall) else part.text for part in read.message.parts]
    assert said == [part.arguments if isinstance(part, ToolCall) else part.text for part in parts]


def test_a_stream_that_says_no_end_has_one():
    assert reread(stream(TextChunk(content="x"), None)).finish_reason == "stop"
    assert reread(stream(None)).content == ""


@pytest.mark.parametrize(
    ("error", "status", "kind"),
    [
        (AuthenticationError("x"), 403, "UnrecognizedClientException"),
        (ModelNotFoundError("the model x was not found"), 404, "ResourceNotFoundException"),
        (RateLimitError("x", retry_after=3), 429, "ThrottlingException"),
        (OverloadedError("x"), 503, "ServiceUnavailableException"),
        (BadRequestError("x"), 400, "ValidationException"),
        (ProviderError("x"), 500, "InternalServerException"),
        (RuntimeError("a secret"), 500, "InternalServerException"),
    ],
)
def test_botocore_reads_errors(error, status, kind):
    reply = SURFACE.build_error(error)
    parsed = parse_reply(reply)
    assert (reply.status, parsed["Error"]["Code"]) == (status, kind)
    assert "secret" not in parsed["Error"]["Message"]
    assert type(CODEC.parse_error(reply)) is type(error) or isinstance(error, RuntimeError)


def test_botocore_reads_an_exception_in_the_stream():
    content = stream(TextChunk(content="x"), RateLimitError("slow down"))
    with pytest.raises(EventStreamError, match="slow down") as caught:
        parse_stream(content)
    assert "throttlingException" in str(caught.value)
    with pytest.raises(RateLimitError):
        reread(content)


def test_a_relay_keeps_the_body_and_reads_the_usage():
    assert SURFACE.rewrite(b'{"a":1}', "x") == b'{"a":1}'
    event = b'{"metrics":{"latencyMs":1},"usage":{"inputTokens":7,"outputTokens":2,"totalTokens":9}}'
    assert SURFACE.read_usage(event) == Usage(text_in=7, text_out=2)
    assert SURFACE.read_usage(b'{"delta":{"text":"x"}}') is None
    assert SURFACE.read_usage(b'{"usage"') is None
