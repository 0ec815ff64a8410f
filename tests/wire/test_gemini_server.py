"""The server half: what clients write is read whole, and goes on to a provider of the protocol as it came."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from betterai.core.exceptions import BadRequestError, OverloadedError, RateLimitError
from betterai.core.message import Message, Text, ToolCall, ToolResult
from betterai.core.response import ProviderResponse, TextChunk
from betterai.core.settings import AudioOutput, ReasoningControl
from betterai.core.tools import JsonObject, JsonSchema, ServerTool, Tool, ToolChoice
from betterai.core.usage import Usage
from betterai.core.wire import WireRequest
from together import each
from wire.geminis import STREAM_URL, SURFACE, again, fields, read_request

HELLO = [{"role": "user", "parts": [{"text": "Hello"}]}]
SCHEMA = {
    "type": "OBJECT",
    "properties": {"a": {"type": "STRING", "nullable": True}, "b": {"type": "ARRAY", "items": {"type": "INTEGER"}}},
}


def functions(*declarations: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"functionDeclarations": list(declarations), **more}


BODIES: dict[str, dict[str, Any]] = {
    "bare": {"contents": HELLO},
    "an instruction": {"contents": HELLO, "systemInstruction": {"role": "user", "parts": [{"text": "A"}, {"text": "B"}]}},
    "nulls": {"contents": HELLO, "systemInstruction": None, "generationConfig": None, "tools": None, "safetySettings": None},
    "an empty config": {"contents": HELLO, "generationConfig": {}},
    "settings": {
        "contents": HELLO,
        "generationConfig": {
            "temperature": 0, "topP": 0.5, "topK": 40.0, "candidateCount": 1, "maxOutputTokens": 9, "stopSequences": ["x"],
            "responseLogprobs": True, "logprobs": 2, "presencePenalty": 0.5, "frequencyPenalty": -1.0, "seed": 0,
            "responseModalities": ["TEXT", "IMAGE"], "brandNew": {"deep": [1]},
        },
        "serviceTier": "flex", "store": False, "brandNew": None,
    },
    "options": {
        "contents": HELLO,
        "safetySettings": [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_NONE"}],
        "cachedContent": "cachedContents/x", "labels": {"snake_name": "y"},
        "generationConfig": {"imageConfig": {"aspectRatio": "1:1"}, "mediaResolution": "MEDIA_RESOLUTION_LOW", "topK": 3,
                             "speechConfig": {"multiSpeakerVoiceConfig": {"speakerVoiceConfigs": []}}},
    },
    "schema": {"contents": HELLO, "generationConfig": {"responseMimeType": "application/json", "responseSchema": SCHEMA}},
    "schema in lower case": {
        "contents": HELLO,
        "generationConfig": {"responseMimeType": "application/json", "responseSchema": {"type": "object"}},
    },
    "JSON Schema": {
        "contents": HELLO, "generationConfig": {"responseMimeType": "application/json", "responseJsonSchema": {"type": "object"}},
    },
    "an enum": {
        "contents": HELLO,
        "generationConfig": {"responseMimeType": "text/x.enum", "responseSchema": {"type": "STRING", "enum": ["a"]}},
    },
    "tools": {
        "contents": HELLO,
        "tools": [
            functions({"name": "f", "description": "", "parameters": SCHEMA}, {"name": "g", "behavior": "BLOCKING"}),
            {"googleSearch": {"timeRangeFilter": {}}}, {"urlContext": {}}, {"codeExecution": {}}, {"fileSearch": {"topK": 3}},
        ],
        "toolConfig": {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["f"]}, "includeServerSideToolInvocations": True},
    },
    "entries": {
        "contents": HELLO,
        "tools": [functions({"name": "a"}, codeExecution=None), functions({"name": "b"}), functions({"name": "c"}, {"name": "d"})],
    },
    "a mode of its own": {"contents": HELLO, "toolConfig": {"functionCallingConfig": {"mode": "VALIDATED"}}},
    "thinking": {
        "contents": HELLO,
        "generationConfig": {"thinkingConfig": {"thinkingBudget": 0, "includeThoughts": False, "brandNew": 1}},
    },
    "media": {
        "contents": [{"role": "user", "parts": [
            {"inlineData": {"mimeType": "image/png", "data": "iVBORw=="}, "mediaResolution": {"level": "MEDIA_RESOLUTION_LOW"}},
            {"inlineData": {"mimeType": "audio/wav", "data": "UklGRg==", "displayName": "a.wav"}},
            {"fileData": {"mimeType": "application/pdf", "fileUri": "https://x/v1beta/files/abc"}},
            {"fileData": {"fileUri": "https://youtu.be/x"}, "videoMetadata": {"startOffset": "1s", "fps": 2}},
        ]}],
    },
    "calls": {
        "contents": [
            *HELLO,
            {"role": "model", "parts": [
                {"text": "Hm.", "thought": True}, {"functionCall": {"name": "f", "args": {"a": 1}}, "thoughtSignature": "s"},
                {"functionCall": {"id": "x", "name": "f", "args": {"a": 2}}},
            ]},
            {"role": "user", "parts": [
                {"functionResponse": {"name": "f", "response": {"output": "one"}}},
                {"functionResponse": {"id": "x", "name": "f", "response": {"error": "no"}, "willContinue": False}},
            ]},
            {"role": "user", "parts": [{"functionResponse": {"name": "f", "response": {"result": [1]}}}, {"text": "And?"}]},
        ],
    },
    "results apart": {
        "contents": [
            {"role": "model", "parts": [{"functionCall": {"name": "f", "args": {}}}, {"functionCall": {"name": "g", "args": {}}}]},
            {"role": "user", "parts": [{"functionResponse": {"name": "f", "response": {"output": '{"a":1}'}}}]},
            {"role": "user", "parts": [{"functionResponse": {
                "name": "g", "response": {}, "parts": [{"inlineData": {"mimeType": "image/png", "data": "iVBORw=="}}]}}]},
        ],
    },
    "code": {
        "contents": [
            {"role": "model", "parts": [
                {"executableCode": {"language": "PYTHON", "code": "1"}}, {"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": "1"}},
            ]},
        ],
    },
    "other spellings inside": {
        "contents": [{"role": "user", "parts": [{"inline_data": {"mime_type": "image/png", "data": "iVBORw=="}}]}],
        "tools": [{"function_declarations": [{"name": "f", "parameters_json_schema": {"properties": {"inline_data": {}}}}]}],
        "toolConfig": {"functionCallingConfig": {"mode": "ANY", "allowed_function_names": ["f"]}},
    },
}  # fmt: skip


@each("name", BODIES)
def test_a_request_goes_on_as_it_came(name: str) -> None:
    call = read_request(BODIES[name])
    assert call.warnings == ()
    assert again(call) == BODIES[name]


def test_settings_are_ours() -> None:
    settings = read_request(BODIES["settings"]).settings
    assert (settings.temperature, settings.top_k, settings.seed, settings.n, settings.stop) == (0, 40, 0, 1, ["x"])
    assert (settings.modalities, settings.service_tier, settings.store) == (["text", "image"], "flex", False)
    assert settings.extra_body == {"generationConfig": {"brandNew": {"deep": [1]}}, "brandNew": None}
    assert read_request(BODIES["thinking"]).settings.reasoning == ReasoningControl(budget=0, include=False)
    speech = {"speechConfig": {"voiceConfig": {"prebuiltVoiceConfig": {"voiceName": "Kore"}}}}
    assert read_request({"contents": HELLO, "generationConfig": speech}).settings.audio == AudioOutput(voice="Kore")
    plain = {"contents": HELLO, "generationConfig": {"responseMimeType": "application/json"}}
    assert read_request(plain).settings.response_format == JsonObject()


def test_tools_and_schemas_are_those_of_other_protocols_too() -> None:
    settings = read_request(BODIES["tools"]).settings
    first, second, *others = settings.tools or ()
    lower = {
        "type": "object",
        "properties": {"a": {"type": ["string", "null"]}, "b": {"type": "array", "items": {"type": "integer"}}},
    }
    assert isinstance(first, Tool)
    assert (first.name, first.description, first.parameters) == ("f", "", lower)
    assert isinstance(second, Tool)
    assert [tool.type for tool in others if isinstance(tool, ServerTool)] == [
        "web_search",
        "web_fetch",
        "code_execution",
        "fileSearch",
    ]
    assert settings.tool_choice == ToolChoice(mode="required", names=("f",))
    assert read_request(BODIES["schema"]).settings.response_format == JsonSchema(schema=lower)


def test_results_belong_to_their_calls() -> None:
    messages = read_request(BODIES["calls"]).input
    calls = messages[1].tool_calls
    assert [(call.id, call.arguments, call.index) for call in calls] == [
        ("call_1_0", '{"a":1}', 0),
        ("x", '{"a":2}', 1),
    ]
    assert [message.role for message in messages] == ["user", "assistant", "tool", "user"]
    results = [part for message in messages for part in message.parts if isinstance(part, ToolResult)]
    assert [(part.id, part.text, part.is_error) for part in results] == [
        ("call_1_0", "one", False), ("x", "no", True), ("f", '{"result":[1]}', False),
    ]  # fmt: skip
    code = read_request(BODIES["code"]).input[0].parts
    assert isinstance(code[0], ToolCall)
    assert isinstance(code[1], ToolResult)
    assert (code[0].server, code[0].name, code[1].id, code[1].text) == (True, "code_execution", code[0].id, "1")


@pytest.mark.parametrize(
    ("body", "reported"),
    [
        ({"contents": {"parts": {"text": "x"}}}, {"messages.parts", "messages.role"}),
        ({"contents": "x", "systemInstruction": "y"}, {"messages.parts"}),
        ({"contents": [{"role": "function", "parts": [{"text": "x"}]}]}, {"messages.role"}),
        ({"contents": HELLO, "system_instruction": {"parts": [{"text": "x"}]}}, {"system_instruction"}),
        ({"contents": HELLO, "generation_config": {"top_p": 1}}, {"generation_config", "top_p"}),
        ({"contents": HELLO, "toolConfig": {"functionCallingConfig": {"mode": "none"}}}, {"tool_choice"}),
        ({"contents": HELLO, "tools": {"googleSearch": {}}}, {"tools"}),
        ({"contents": HELLO, "tools": [{"googleSearch": {}, "urlContext": {}}]}, {"tools"}),
        ({"contents": HELLO, "generationConfig": {"thinkingConfig": {"thinkingLevel": "low"}}}, {"reasoning"}),
    ],
)
def test_what_is_read_otherwise_is_said(body: dict[str, Any], reported: set[str]) -> None:
    call = read_request(body)
    assert set(fields(call.warnings)) == reported
    assert all(field in SURFACE.pointers or field in body for field in reported)
    assert read_request(again(call)).input == call.input


@each(
    "body",
    [
        {}, {"contents": 5}, {"contents": [5]}, {"contents": [{"role": "judge", "parts": []}]},
        {"contents": [{"parts": 5}]}, {"contents": [{"parts": [5]}]}, {"contents": [{"parts": [{"text": 5}]}]},
        {"contents": [{"parts": [{"functionCall": 5}]}]}, {"contents": [{"parts": [{"functionCall": {}}]}]},
        {"contents": [{"parts": [{"functionResponse": {"name": "f", "response": 5}}]}]},
        {"contents": [{"parts": [{"inlineData": {"mimeType": "image/png"}}]}]},
        {"contents": HELLO, "tools": 5}, {"contents": HELLO, "tools": [{"functionDeclarations": 5}]},
        {"contents": HELLO, "tools": [{"functionDeclarations": [{}]}]},
        {"contents": HELLO, "generationConfig": {"temperature": "hot"}},
    ],
)  # fmt: skip
def test_what_is_no_request_is_refused(body: dict[str, Any]) -> None:
    with pytest.raises(BadRequestError) as caught:
        read_request(body)
    assert caught.value.status == 400


@pytest.mark.parametrize(
    ("url", "model", "stream"),
    [
        ("/v1beta/models/gemini-3:generateContent", "gemini-3", False),
        ("https://h/v1beta/models/gemini-3:streamGenerateContent?alt=sse&key=k", "gemini-3", True),
        ("/v1beta/models/vendor%2Fmodel:generateContent", "vendor/model", False),
        ("/v1beta/tunedModels/x:generateContent", "tunedModels/x", False),
        ("/v1/projects/p/locations/l/publishers/google/models/gemini-3:generateContent", "gemini-3", False),
        ("/v1/projects/p/locations/l/endpoints/12:streamGenerateContent?alt=sse", "endpoints/12", True),
    ],
)
def test_model_and_method_stand_in_the_path(url: str, model: str, stream: bool) -> None:
    call = SURFACE.parse_request(WireRequest(url=url, body=json.dumps({"contents": HELLO}).encode()))
    assert (call.model.id, call.stream, call.settings.spelling) == (model, stream, None)


def test_without_a_model_it_is_refused_and_the_body_may_name_it() -> None:
    assert read_request({"contents": HELLO, "model": "models/m"}, "/odd").model.id == "m"
    with pytest.raises(BadRequestError):
        read_request({"contents": HELLO}, "/v1beta/models:generateContent")


def test_a_stream_is_a_list_where_no_events_were_asked_for() -> None:
    call = read_request({"contents": HELLO}, STREAM_URL.partition("?")[0])
    chunks = [
        TextChunk(content="Hel"),
        TextChunk(content="lo"),
        TextChunk(part=Text(text="Hello")),
        TextChunk(finish_reason="stop"),
        None,
    ]
    state: dict[str, Any] = {}
    body = json.loads(b"".join(SURFACE.build_event(call, chunk, state) for chunk in chunks))
    assert [item["candidates"][0]["content"]["parts"][0]["text"] for item in body] == ["Hel", "lo", ""]
    assert body[-1]["candidates"][0]["finishReason"] == "STOP"
    state = {}
    failed = b"".join(SURFACE.build_event(call, item, state) for item in (chunks[0], OverloadedError("busy"), None))
    assert json.loads(failed)[1]["error"] == {"code": 503, "message": "busy", "status": "UNAVAILABLE"}


def test_errors_have_their_status_and_tell_nothing_of_what_is_not_ours() -> None:
    built = SURFACE.build_error(RateLimitError("slow", retry_after=2.4))
    assert (built.status, built.headers["retry-after"]) == (429, "2")
    assert json.loads(built.content)["error"]["status"] == "RESOURCE_EXHAUSTED"
    assert json.loads(SURFACE.build_error(KeyError("secret")).content)["error"] == {
        "code": 500, "message": "internal error", "status": "INTERNAL",
    }  # fmt: skip


def test_relaying() -> None:
    body = b'{"contents": [],  "odd": 1.50}'
    assert SURFACE.rewrite(body, None) == body
    assert SURFACE.rewrite(b'{"model":"models/a","x":1.0}', None) == b'{"x":1.0}'
    usage = Usage(text_in=3, text_out=4, reasoning=5, cached={"text": 2}, audio_in=1)
    reply = SURFACE.build_response(read_request(BODIES["bare"]), ProviderResponse(content="x", usage=usage))
    assert SURFACE.read_usage(reply.content) == usage
    assert SURFACE.read_usage(b'{"candidates":[]}') is None
    assert SURFACE.read_usage(b'{"usageMetadata":') is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner, max_size=2),
    max_leaves=5,
)
KNOWN = st.sampled_from(
    ["contents", "tools", "toolConfig", "generationConfig", "systemInstruction", "parts", "role", "text"]
)


@given(st.dictionaries(KNOWN | st.text(max_size=4), JSON, max_size=4))
def test_any_body_is_read_or_refused(body: dict[str, Any]) -> None:
    try:
        call = read_request({"contents": HELLO, **body})
    except BadRequestError:
        return
    assert all(isinstance(message, Message) for message in call.input)
    msgspec.json.encode(call.input)
