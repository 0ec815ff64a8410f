"""What the client half writes: settings, tools, thinking, messages that the protocol has another place for."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec import Raw

from betterai.core.exceptions import UnsupportedParam
from betterai.core.media import Media
from betterai.core.message import CacheMark, MediaPart, Message, Opaque, Reasoning, Refusal, Text, ToolCall, ToolResult
from betterai.core.model import ModelConfig
from betterai.core.settings import AudioOutput, ReasoningControl, StreamOptions, WebSearch
from betterai.core.tools import CustomTool, JsonSchema, PlainText, ServerTool, Tool, ToolChoice
from betterai.core.wire import Call
from together import each
from wire.geminis import CODEC, CODECS, build, fields, make_call, model, sent

LEVELS = {"reasons": "always", "efforts": ("low", "medium", "high")}
BUDGETS = {"reasons": "always", "efforts": ()}


def thinking(value: Any, **traits: Any) -> tuple[Any, list[str]]:
    body, warnings = build(make_call(of=model(**traits), reasoning=value))
    return body.get("generationConfig", {}).get("thinkingConfig"), fields(warnings)


@each(
    ("value", "traits", "written", "reported"),
    [
        ("low", {}, {"thinkingLevel": "LOW"}, []),
        ("low", LEVELS, {"thinkingLevel": "LOW"}, []),
        ("minimal", LEVELS, {"thinkingLevel": "LOW"}, ["reasoning"]),
        ("max", LEVELS, {"thinkingLevel": "HIGH"}, ["reasoning"]),
        ("none", LEVELS, {"thinkingLevel": "LOW"}, ["reasoning"]),
        ("medium", BUDGETS, {"thinkingBudget": 8192}, ["reasoning"]),
        ("none", BUDGETS, {"thinkingBudget": 128}, ["reasoning"]),
        ("none", {"reasons": "default", "efforts": ()}, {"thinkingBudget": 0}, ["reasoning"]),
        (4000, {}, {"thinkingBudget": 4000}, []),
        (0, {}, {"thinkingBudget": 0}, []),
        (0, LEVELS, {"thinkingLevel": "LOW"}, ["reasoning"]),
        (0, BUDGETS, {"thinkingBudget": 128}, ["reasoning"]),
        (False, {}, {"thinkingBudget": 0}, []),
        (True, {}, {"thinkingBudget": -1}, []),
        (True, LEVELS, None, ["reasoning"]),
        (ReasoningControl(effort="high", budget=5), {}, {"thinkingLevel": "HIGH"}, ["reasoning"]),
        (ReasoningControl(include=False), {}, {"includeThoughts": False}, []),
        (ReasoningControl(include=True, effort="low"), LEVELS, {"thinkingLevel": "LOW", "includeThoughts": True}, []),
        (ReasoningControl(effort="low", format="raw"), {}, {"thinkingLevel": "LOW"}, ["reasoning.format"]),
        ("low", {"reasons": "never"}, None, ["reasoning"]),
        (None, {}, None, []),
    ],
)  # fmt: skip
def test_thinking(value: Any, traits: dict[str, Any], written: Any, reported: list[str]) -> None:
    assert thinking(value, **traits) == (written, reported)


def test_values_that_look_like_nothing_are_sent() -> None:
    body = sent(make_call(temperature=0, seed=0, stop="", top_p=None, store=False))
    assert body["generationConfig"] == {"temperature": 0, "seed": 0, "stopSequences": [""], "topP": None}
    assert body["store"] is False


def test_a_model_that_takes_no_sampling_settings_is_sent_none() -> None:
    body, warnings = build(make_call(of=model(sampling="never"), temperature=1, top_p=0.5, top_k=3, seed=1))
    assert body["generationConfig"] == {"seed": 1}
    assert fields(warnings) == ["temperature", "top_p", "top_k"]


@pytest.mark.parametrize(
    ("choice", "written"),
    [
        ("auto", {"mode": "AUTO"}),
        ("none", {"mode": "NONE"}),
        ("required", {"mode": "ANY"}),
        ("f", {"mode": "ANY", "allowedFunctionNames": ["f"]}),
        (ToolChoice(mode="required", names=("f", "g")), {"mode": "ANY", "allowedFunctionNames": ["f", "g"]}),
        (ToolChoice(names=("f",)), {"mode": "VALIDATED", "allowedFunctionNames": ["f"]}),
        (ToolChoice(mode="none", names=("f",)), {"mode": "NONE"}),
        (
            ToolChoice(mode="required", allowed=({"type": "function", "function": {"name": "f"}},)),
            {"mode": "ANY", "allowedFunctionNames": ["f"]},
        ),
    ],
)
def test_the_choice_of_tools(choice: Any, written: dict[str, Any]) -> None:
    assert sent(make_call(tool_choice=choice))["toolConfig"] == {"functionCallingConfig": written}


def test_a_choice_is_merged_with_the_vendors_own_options() -> None:
    options = {"google": {"toolConfig": {"functionCallingConfig": {"streamFunctionCallArguments": True}}}}
    assert sent(make_call(tool_choice="auto", options=options))["toolConfig"] == {
        "functionCallingConfig": {"mode": "AUTO", "streamFunctionCallArguments": True}
    }


def test_functions_share_an_entry_and_tools_of_the_provider_have_their_own() -> None:
    tools = [
        Tool(name="a"),
        Tool(name="b", description=""),
        ServerTool(type="web_search", config={"x": 1}),
        Tool(name="c"),
    ]
    assert sent(make_call(tools=tools, web_search=True))["tools"] == [
        {"functionDeclarations": [{"name": "a"}, {"name": "b", "description": ""}]},
        {"googleSearch": {"x": 1}},
        {"functionDeclarations": [{"name": "c"}]},
        {"googleSearch": {}},
    ]


@pytest.mark.parametrize(
    ("settings", "param"),
    [
        ({"tools": [CustomTool(name="x")]}, "tools"),
        ({"parallel_tool_calls": False}, "parallel_tool_calls"),
        ({"tool_choice": ToolChoice(mode="required", names=("x",), kind="custom")}, "tool_choice"),
    ],
)
def test_what_changes_the_meaning_is_refused(settings: dict[str, Any], param: str) -> None:
    with pytest.raises(UnsupportedParam) as caught:
        sent(make_call(**settings))
    assert caught.value.param == param


def test_what_tunes_is_reported() -> None:
    given = {
        "min_p": 0.1, "logit_bias": {"1": 1.0}, "verbosity": "low", "user": "ann", "metadata": {"a": "b"},
        "stream_options": StreamOptions(include_usage=False), "web_search": WebSearch(context_size="low"),
        "audio": AudioOutput(voice="Kore", format="wav"),
    }  # fmt: skip
    body, warnings = build(make_call(**given))
    assert sorted(fields(warnings)) == [
        "audio.format", "logit_bias", "metadata", "min_p", "stream_options", "user", "verbosity",
        "web_search.context_size",
    ]  # fmt: skip
    assert body["generationConfig"]["speechConfig"]["voiceConfig"]["prebuiltVoiceConfig"] == {"voiceName": "Kore"}
    assert build(make_call(parallel_tool_calls=True))[0].keys() == {"contents"}
    assert build(make_call(stream_options=StreamOptions(include_usage=True)))[1] == ()


def test_schemas_go_as_they_were_written_and_derived_ones_in_the_dialect() -> None:
    schema = {"type": "object", "properties": {"a": {"const": 1}}, "$defs": {}}
    config = sent(make_call(response_format=JsonSchema(schema=schema)))["generationConfig"]
    assert config == {"responseMimeType": "application/json", "responseJsonSchema": schema}
    config = sent(make_call(response_format=JsonSchema(schema=schema, derived=True)))["generationConfig"]
    assert config["responseJsonSchema"]["properties"] == {"a": {"enum": [1]}}
    assert sent(make_call(response_format=PlainText()))["generationConfig"] == {"responseMimeType": "text/plain"}
    named = JsonSchema(schema=schema, name="x", description="y", strict=False)
    assert fields(build(make_call(response_format=named))[1]) == [
        "response_format.description", "response_format.strict", "response_format.name",
    ]  # fmt: skip


def test_system_messages_become_the_instruction_wherever_they_stand() -> None:
    history = [Message.system("A"), Message.user("Hello"), Message(role="developer", parts=(Text(text="B"),))]
    body, warnings = build(make_call(history))
    assert body["systemInstruction"] == {"parts": [{"text": "A"}, {"text": "B"}]}
    assert body["contents"] == [{"role": "user", "parts": [{"text": "Hello"}]}]
    assert fields(warnings) == ["messages", "messages"]


def test_results_of_parallel_calls_stand_in_one_content() -> None:
    calls = (ToolCall(id="a", name="f", arguments=""), ToolCall(id="b", name="g", arguments='{"x": 1.0}'))
    history = [
        Message.user("Hello"), Message(role="assistant", parts=calls), Message.tool("a", "1"), Message.tool("b", "no", is_error=True),
    ]  # fmt: skip
    contents = sent(make_call(history))["contents"]
    assert contents[1]["parts"] == [
        {"functionCall": {"id": "a", "name": "f"}}, {"functionCall": {"id": "b", "name": "g", "args": {"x": 1.0}}},
    ]  # fmt: skip
    assert contents[2]["parts"] == [
        {"functionResponse": {"id": "a", "name": "f", "response": {"output": "1"}}},
        {"functionResponse": {"id": "b", "name": "g", "response": {"error": "no"}}},
    ]


def test_arguments_are_sent_byte_for_byte() -> None:
    text = '{"a":  1e2, "a b":"\\u00e9"}'
    call = make_call([Message(role="assistant", parts=(ToolCall(id="a", name="f", arguments=text),))])
    body: Any = CODEC.build_request(call).body
    assert body["contents"][0]["parts"][0]["functionCall"]["args"] == Raw(text.encode())


def test_what_the_protocol_has_no_form_for_is_said() -> None:
    assistant = Message(
        role="assistant",
        name="bot",
        parts=(
            Refusal(text="No."), Text(text="x", cache=CacheMark()), ToolCall(id="a", name="f", arguments="not json"),
            ToolCall(id="b", name="g", arguments="free", kind="custom"),
        ),
    )  # fmt: skip
    body, warnings = build(make_call([assistant, Message.tool("unknown", "x")]))
    parts = body["contents"][0]["parts"]
    assert parts[0] == {"text": "No."}
    assert [part["functionCall"]["args"] for part in parts[2:]] == [{"arguments": "not json"}, {"input": "free"}]
    assert body["contents"][1]["parts"][0]["functionResponse"]["name"] == "unknown"
    assert set(fields(warnings)) == {
        "messages.refusal", "messages.cache", "messages.tool_calls", "messages.name", "messages.tool_call_id",
    }  # fmt: skip


def test_what_another_provider_ran_by_itself_is_left_out_with_its_result() -> None:
    foreign = Opaque(protocol="elsewhere", provider="x", data=Raw(b'{"a":1}'))
    parts = (
        ToolCall(id="s", name="web_search", arguments="{}", server=True, opaque=foreign),
        ToolResult(id="s", name="web_search", parts=(Text(text="found"),), opaque=foreign),
        Reasoning(opaque=foreign),
        Text(text="Found."),
    )
    body, warnings = build(make_call([Message(role="assistant", parts=parts)]))
    assert body["contents"][0]["parts"] == [{"text": "Found."}]
    assert set(fields(warnings)) == {"messages.opaque", "messages.tool_calls"}


def test_a_message_without_content_is_sent_as_an_empty_text() -> None:
    body, warnings = build(make_call([Message.user("Hello"), Message(role="assistant")]))
    assert body["contents"][1] == {"role": "model", "parts": [{"text": ""}]}
    assert fields(warnings) == ["messages"]


def test_media_without_a_type_is_refused_and_the_ending_of_a_name_tells_it() -> None:
    with pytest.raises(UnsupportedParam):
        sent(make_call([Message.user("x", Media(kind="image", data=b"1"))]))
    media = Media(kind="image", url="https://h/a.JPG?x=1")
    part = sent(make_call([Message(role="user", parts=(MediaPart(media=media, detail="high"),))]))["contents"][0][
        "parts"
    ][0]
    assert part == {
        "fileData": {"mimeType": "image/jpeg", "fileUri": "https://h/a.JPG?x=1"},
        "mediaResolution": {"level": "MEDIA_RESOLUTION_HIGH"},
    }


@pytest.mark.parametrize(
    ("provider", "name", "url"),
    [
        ("google", "gemini-3", "/v1beta/models/gemini-3:generateContent"),
        ("google", "models/gemini-3", "/v1beta/models/gemini-3:generateContent"),
        ("google", "tunedModels/x", "/v1beta/tunedModels/x:generateContent"),
        ("google", "a b?c#d", "/v1beta/models/a%20b%3Fc%23d:generateContent"),
        ("vertex", "gemini-3", "/publishers/google/models/gemini-3:generateContent"),
        ("vertex", "mistralai/x@1", "/publishers/mistralai/models/x@1:generateContent"),
        ("vertex", "endpoints/123", "/endpoints/123:generateContent"),
    ],
)
def test_the_model_stands_in_the_path(provider: str, name: str, url: str) -> None:
    call: Any = Call(
        model=ModelConfig(id=name, provider=provider), input=(Message.user("x"),), settings=make_call().settings
    )
    assert CODECS[provider].build_request(call).url == url
