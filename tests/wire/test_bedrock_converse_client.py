"""Calls as Converse's requests; botocore validates each body that is built here."""

from __future__ import annotations

import json

import pytest
from msgspec import Raw

from betterai.core.exceptions import UnsupportedParam
from betterai.core.media import Media
from betterai.core.message import (
    CacheMark,
    Citation,
    MediaPart,
    Message,
    Opaque,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    ToolResult,
)
from betterai.core.settings import StreamOptions
from betterai.core.tools import CustomTool, JsonObject, JsonSchema, PlainText, ServerTool, Tool, ToolChoice
from wire.converse import body_of, build, call, warnings_of

A, B = Tool(name="a"), Tool(name="b", description="B", parameters={"type": "object"}, strict=True)
NO_PARAMETERS = {"json": {"type": "object", "properties": {}}}


def test_a_bare_call_is_a_message_and_its_model_stands_in_the_path():
    body, request = build(call())
    assert body == {"messages": [{"role": "user", "content": [{"text": "Hello"}]}]}
    assert (request.url, request.reply, request.warnings) == ("/model/a.model-v1%3A0/converse", "json", ())
    _, streamed = build(call(stream=True))
    assert (streamed.url, streamed.reply) == ("/model/a.model-v1%3A0/converse-stream", "event_stream")


def test_settings_have_their_places():
    body = body_of(
        max_tokens=5, temperature=0, top_p=0.5, stop="x", top_k=3, service_tier="flex", metadata={"k": "v"},
        stream_options=StreamOptions(include_usage=True),
    )  # fmt: skip
    assert body["inferenceConfig"] == {"maxTokens": 5, "temperature": 0, "topP": 0.5, "stopSequences": ["x"]}
    assert body["additionalModelRequestFields"] == {"top_k": 3}
    assert body["serviceTier"] == {"type": "flex"}
    assert body["requestMetadata"] == {"k": "v"}


def test_options_of_the_vendor_are_merged_with_what_settings_become():
    options = {
        "guardrailConfig": {"guardrailIdentifier": "g", "guardrailVersion": "1", "trace": "enabled"},
        "performanceConfig": {"latency": "optimized"},
        "additionalModelRequestFields": {"anthropic_beta": ["x"]},
        "additionalModelResponseFieldPaths": ["/stop_sequence"],
    }
    body = body_of(options={"bedrock": options}, top_k=3)
    extra = body.pop("additionalModelRequestFields")
    assert extra == {"top_k": 3, "anthropic_beta": ["x"]}
    assert {name: body[name] for name in options if name in body} == {
        name: value for name, value in options.items() if name != "additionalModelRequestFields"
    }


def test_roles_alternate_and_instructions_stand_before():
    body, request = build(
        call(
            Message.system("S"),
            Message.user("1"),
            Message.user("2"),
            Message.assistant("3"),
            Message.tool("c", "4"),
            Message.tool("d", "5", is_error=True),
            Message.user("6"),
            Message(role="developer", parts=(Text(text="D"),)),
        )
    )
    assert body["system"] == [{"text": "S"}, {"text": "D"}]
    assert [message["role"] for message in body["messages"]] == ["user", "assistant", "user"]
    assert body["messages"][0]["content"] == [{"text": "1"}, {"text": "2"}]
    assert body["messages"][2]["content"] == [
        {"toolResult": {"toolUseId": "c", "content": [{"text": "4"}]}},
        {"toolResult": {"toolUseId": "d", "content": [{"text": "5"}], "status": "error"}},
        {"text": "6"},
    ]
    assert [warning.message for warning in request.warnings] == [
        "roles alternate here: two messages of user were sent as one",
        "role developer was sent as system",
        "a system message inside the conversation was sent before it",
    ]


def test_tools_and_their_results_as_messages_are_merged_without_a_word():
    assert warnings_of(Message.user("x"), Message.tool("c", "1"), Message.tool("d", "2"), Message.user("y")) == []


def test_tools_and_the_choice_among_them():
    body = body_of(tools=[A, B], tool_choice="required")
    assert body["toolConfig"] == {
        "tools": [
            {"toolSpec": {"name": "a", "inputSchema": NO_PARAMETERS}},
            {
                "toolSpec": {
                    "name": "b",
                    "description": "B",
                    "inputSchema": {"json": {"type": "object"}},
                    "strict": True,
                }
            },
        ],
        "toolChoice": {"any": {}},
    }
    assert body_of(tools=[A], tool_choice="a")["toolConfig"]["toolChoice"] == {"tool": {"name": "a"}}
    assert body_of(tools=[A], tool_choice="auto")["toolConfig"]["toolChoice"] == {"auto": {}}
    named = ToolChoice(mode="required", names=("a",))
    assert body_of(tools=[A], tool_choice=named)["toolConfig"]["toolChoice"] == {"tool": {"name": "a"}}


def test_no_tool_allowed_leaves_the_tools_out_where_the_conversation_has_none():
    assert "toolConfig" not in body_of(tools=[A], tool_choice="none")
    assert warnings_of(tools=[A], tool_choice="none") == [("translated", "tool_choice"), ("translated", "tools")]
    with pytest.raises(UnsupportedParam, match="a conversation that called tools"):
        body_of(Message.user("x"), Message.tool("c", "1"), tools=[A], tool_choice="none")


@pytest.mark.parametrize(
    ("settings", "param"),
    [
        ({"tools": [CustomTool(name="x")]}, "tools"),
        ({"tools": [ServerTool(type="web_fetch")]}, "tools"),
        ({"tools": [A, B], "tool_choice": ToolChoice(mode="required", names=("a", "b"))}, "tool_choice"),
        ({"tools": [A], "tool_choice": ToolChoice(mode="auto", names=("a",))}, "tool_choice"),
        ({"tool_choice": "required"}, "tool_choice"),
        ({"tools": [A], "parallel_tool_calls": False}, "parallel_tool_calls"),
        ({"response_format": JsonObject()}, "response_format"),
        ({"n": 2}, "n"),
    ],
)
def test_what_would_change_the_answer_is_refused(settings, param):
    with pytest.raises(UnsupportedParam) as caught:
        body_of(**settings)
    assert caught.value.param == param


@pytest.mark.parametrize("settings", [{"n": 1}, {"parallel_tool_calls": True}, {"modalities": ("text",)}])
def test_what_asks_for_nothing_is_let_pass(settings):
    (name,) = settings
    assert warnings_of(**settings) == [("dropped", name)]


def test_what_the_provider_runs_has_its_names():
    tools = [ServerTool(type="web_search"), ServerTool(type="odd_tool")]
    assert body_of(tools=tools)["toolConfig"]["tools"] == [
        {"systemTool": {"name": "nova_grounding"}},
        {"systemTool": {"name": "odd_tool"}},
    ]
    assert body_of(web_search=True)["toolConfig"]["tools"] == [{"systemTool": {"name": "nova_grounding"}}]


def test_a_schema_is_a_text_and_one_from_a_type_is_closed():
    schema = {"type": "object", "properties": {"a": {"type": "object", "properties": {}}}, "required": ["a"]}
    own = JsonSchema(name="x", description="D", schema=schema)
    (written,) = body_of(response_format=own)["outputConfig"].values()
    definition = written["structure"]["jsonSchema"]
    assert (definition["name"], definition["description"], json.loads(definition["schema"])) == ("x", "D", schema)
    derived = JsonSchema(name="x", schema=schema, derived=True)
    (written,) = body_of(response_format=derived)["outputConfig"].values()
    closed = json.loads(written["structure"]["jsonSchema"]["schema"])
    assert closed["additionalProperties"] is closed["properties"]["a"]["additionalProperties"] is False
    assert closed["required"] == ["a"]
    assert body_of(response_format=PlainText()) == body_of()
    assert warnings_of(response_format=JsonSchema(schema=schema, strict=False)) == [("translated", "response_format")]


def user(*parts):
    return Message(role="user", parts=parts)


def content_of(*parts, role="user"):
    """What is left of one message; one of which nothing is left is not sent."""
    return [block for message in body_of(Message(role=role, parts=parts))["messages"] for block in message["content"]]


def test_media_of_all_kinds():
    def part(kind, mime, **more):
        return MediaPart(media=Media(kind=kind, mime_type=mime, **more))

    assert content_of(
        part("image", "image/jpeg", data=b"x"),
        part("document", "application/pdf", base64="eA==", filename="a b"),
        part("video", "video/3gpp", file_id="s3://b/c"),
        part("audio", "audio/mpeg", data=b"x"),
        part("image", "", file_id="s3://b/c.JPG"),
    ) == [
        {"image": {"format": "jpeg", "source": {"bytes": "eA=="}}},
        {"document": {"format": "pdf", "name": "a b", "source": {"bytes": "eA=="}}},
        {"video": {"format": "three_gp", "source": {"s3Location": {"uri": "s3://b/c"}}}},
        {"audio": {"format": "mp3", "source": {"bytes": "eA=="}}},
        {"image": {"format": "jpeg", "source": {"s3Location": {"uri": "s3://b/c.JPG"}}}},
    ]


def document(name):
    return MediaPart(media=Media(kind="document", mime_type="text/plain", data=b"x", filename=name))


@pytest.mark.parametrize(
    ("names", "sent", "reported"),
    [
        (["", ""], ["document", "document (2)"], 0),
        (["a.pdf"], ["a-pdf"], 1),
        (["a", "a", "a"], ["a", "a (2)", "a (3)"], 2),
        (["ä_b  c/d"], ["-_b c-d"], 1),
        (["[a] (1)-2"], ["[a] (1)-2"], 0),
    ],
)
def test_documents_have_names_of_their_own(names, sent, reported):
    parts = [document(name) for name in names]
    assert [block["document"]["name"] for block in content_of(*parts)] == sent
    assert warnings_of(user(*parts)) == [("translated", "media.filename")] * reported


@pytest.mark.parametrize(
    "media",
    [
        Media(kind="image", mime_type="image/tiff", data=b"x"),
        Media(kind="image", mime_type="image/png", url="https://h/x.png"),
        Media(kind="image", mime_type="image/png", file_id="file-1"),
        Media(kind="audio", data=b"x"),
    ],
)
def test_media_that_cannot_be_sent_are_refused(media):
    with pytest.raises(UnsupportedParam) as caught:
        content_of(MediaPart(media=media))
    assert caught.value.param == "media"


def test_sounds_are_no_results_of_tools():
    sound = MediaPart(media=Media(kind="audio", mime_type="audio/mpeg", data=b"x"))
    with pytest.raises(UnsupportedParam, match="no sounds"):
        content_of(ToolResult(id="c", parts=(sound,)))


def test_cache_marks_become_points_after_what_they_mark():
    mark = CacheMark(ttl="1h")
    body = body_of(
        Message(role="system", parts=(Text(text="S", cache=CacheMark(mode="ephemeral")),)),
        user(Text(text="1", cache=mark), Text(text="2")),
        tools=[Tool(name="a", cache=mark)],
    )
    point, plain = {"cachePoint": {"type": "default", "ttl": "1h"}}, {"cachePoint": {"type": "default"}}
    assert body["system"] == [{"text": "S"}, plain]
    assert body["messages"][0]["content"] == [{"text": "1"}, point, {"text": "2"}]
    assert body["toolConfig"]["tools"][1] == point
    assert warnings_of(user(Text(text="x", cache=CacheMark(ttl="24h")))) == [("dropped", "messages.cache")]


def test_arguments_go_out_as_they_came():
    spaced = '{"b" : 1.0,  "a":[1e3]}'
    sent = build(
        call(user(Text(text="x")), Message(role="assistant", parts=(ToolCall(id="c", name="f", arguments=spaced),)))
    )
    assert spaced.encode() in sent[1].body
    assert content_of(ToolCall(id="c", name="f"), role="assistant")[0]["toolUse"]["input"] == {}


@pytest.mark.parametrize(
    "part",
    [ToolCall(id="c", name="f", arguments='{"a":'), ToolCall(id="c", name="f", arguments="x", kind="custom")],
)
def test_arguments_that_are_no_json_are_sent_as_a_text(part):
    assert content_of(part, role="assistant")[0]["toolUse"]["input"] == {"input": part.arguments}
    assert warnings_of(Message(role="assistant", parts=(part,))) == [("translated", "messages.tool_calls")]


def test_ids_take_few_characters():
    (block,) = content_of(ToolResult(id="call|1/ü"))
    assert block["toolResult"]["toolUseId"].startswith("call_1__")
    (same,) = content_of(ToolCall(id="call|1/ü", name="f"), role="assistant")
    assert same["toolUse"]["toolUseId"] == block["toolResult"]["toolUseId"]
    assert warnings_of(user(ToolResult(id="a|"), ToolResult(id="b|"))) == [("translated", "messages.tool_call_id")]


ELSEWHERE = Opaque(protocol="elsewhere", data=Raw(b'{"x":1}'))


@pytest.mark.parametrize(
    ("part", "sent", "field"),
    [
        (Reasoning(text="Hm."), [], "messages.reasoning"),
        (Reasoning(text="Hm.", opaque=ELSEWHERE), [], "messages.reasoning"),
        (Text(text="x", opaque=ELSEWHERE), [{"text": "x"}], "messages.opaque"),
        (Text(text="x", citations=(Citation(url="https://h"),)), [{"text": "x"}], "messages.citations"),
        (ToolCall(id="c", name="f", server=True), [], "messages.tool_calls"),
        (ToolResult(id="c", parts=(Text(text="x"),)), [], "messages.tool_calls"),
    ],
)
def test_what_another_provider_gave_is_left_out_with_a_warning(part, sent, field):
    assert content_of(part, role="assistant") == sent
    assert warnings_of(Message(role="assistant", parts=(part,))) == [("dropped", field)]


def test_a_refusal_is_sent_as_text():
    assert content_of(Refusal(text="No."), role="assistant") == [{"text": "No."}]
    assert warnings_of(Message(role="assistant", parts=(Refusal(text="No."),))) == [("translated", "messages.refusal")]
