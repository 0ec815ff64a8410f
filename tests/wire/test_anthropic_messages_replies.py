"""Messages, the client half: whole answers as our responses, and T2: what came goes back as it came."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from msgspec import Raw

from betterai.core.exceptions import OverloadedError, ProviderError
from betterai.core.message import Message, Opaque, Reasoning, Refusal, Text, ToolCall, ToolResult
from betterai.core.wire import WireResponse
from betterai.wire.openai_chat import OpenAIChat
from together import each
from wire.messages import CODEC, build, fields_of, make_call, model, parse, reply

SIGNED = {"type": "thinking", "thinking": "Hm.", "signature": "sig=="}
UNSHOWN = {"type": "thinking", "thinking": "", "signature": "only"}
REDACTED = {"type": "redacted_thinking", "data": "blob"}
CALL = {
    "type": "tool_use",
    "id": "toolu_1",
    "name": "add",
    "input": {"b": 1, "a": [2.50]},
    "caller": {"type": "direct"},
}
SEARCH = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "x"}}
FOUND = {
    "type": "web_search_tool_result", "tool_use_id": "srvtoolu_1",
    "content": [{"type": "web_search_result", "url": "https://h/", "title": "H", "encrypted_content": "e"}],
}  # fmt: skip
FAILED = {
    "type": "code_execution_tool_result", "tool_use_id": "srvtoolu_2",
    "content": {"type": "code_execution_tool_result_error", "error_code": "unavailable"},
}  # fmt: skip
PRINTED = {
    "type": "bash_code_execution_tool_result", "tool_use_id": "srvtoolu_3",
    "content": {"type": "bash_code_execution_result", "stdout": "7\n", "stderr": "", "return_code": 0, "content": []},
}  # fmt: skip
MCP = {"type": "mcp_tool_use", "id": "mcptoolu_1", "name": "ask", "server_name": "wiki", "input": {}}
MCP_RESULT = {
    "type": "mcp_tool_result", "tool_use_id": "mcptoolu_1", "is_error": False, "content": [{"type": "text", "text": "t"}],
}  # fmt: skip
COMPACTED = {"type": "compaction", "content": "summary", "encrypted_content": "e"}
LOCATIONS = [
    {"type": "char_location", "cited_text": "c", "document_index": 0, "document_title": "D", "start_char_index": 0,
     "end_char_index": 3, "file_id": None},
    {"type": "page_location", "cited_text": "c", "document_index": 0, "document_title": "D", "start_page_number": 1,
     "end_page_number": 2},
    {"type": "content_block_location", "cited_text": "c", "document_index": 0, "document_title": None,
     "start_block_index": 0, "end_block_index": 1},
    {"type": "web_search_result_location", "cited_text": "c", "url": "https://h/", "title": "H", "encrypted_index": "i"},
    {"type": "search_result_location", "cited_text": "c", "source": "s", "title": "T", "search_result_index": 0,
     "start_block_index": 0, "end_block_index": 1},
]  # fmt: skip
CITED = {"type": "text", "text": "Cited.", "citations": LOCATIONS}
PLAIN = {"type": "text", "text": "Hi"}
BLOCKS: list[dict[str, Any]] = [
    SIGNED, UNSHOWN, REDACTED, PLAIN, CITED, SEARCH, FOUND, FAILED, PRINTED, MCP, MCP_RESULT, COMPACTED, CALL,
    {"type": "block_of_tomorrow", "anything": [1]},
]  # fmt: skip


def test_a_text() -> None:
    response = parse(reply(PLAIN, stop="stop_sequence"))
    assert (response.content, response.model, response.id) == ("Hi", "m-1", "msg_1")
    assert (response.finish_reason, response.raw_finish_reason) == ("stop", "stop_sequence")
    assert response.message == Message.assistant("Hi")
    assert response.tokens_used == 9


@pytest.mark.parametrize(
    ("word", "ours"),
    [
        ("end_turn", "stop"), ("stop_sequence", "stop"), ("max_tokens", "length"), ("tool_use", "tool_calls"),
        ("model_context_window_exceeded", "length"), ("pause_turn", "pause"), ("refusal", "refusal"),
        ("word_of_tomorrow", "other"), (None, None),
    ],
)  # fmt: skip
def test_finish_reasons(word: str | None, ours: str | None) -> None:
    response = parse(reply(PLAIN, stop=word))
    assert (response.finish_reason, response.raw_finish_reason) == (ours, word or "")


def test_every_block_is_a_part() -> None:
    response = parse(reply(*BLOCKS))
    assert response.message is not None
    kinds = [type(part) for part in response.message.parts]
    assert kinds == [
        Reasoning, Reasoning, Reasoning, Text, Text, ToolCall, ToolResult, ToolResult, ToolResult, ToolCall, ToolResult,
        Reasoning, ToolCall, Reasoning,
    ]  # fmt: skip
    assert (response.content, response.reasoning) == ("HiCited.", "Hm.")
    search, _, call = response.tool_calls
    assert (search.server, search.index, search.arguments) == (True, 0, '{"query":"x"}')
    assert (call.server, call.index, call.arguments) == (False, 0, '{"b":1,"a":[2.5]}')


def test_what_the_providers_tools_gave_can_be_read() -> None:
    response = parse(reply(FAILED, PRINTED, MCP_RESULT))
    assert response.message is not None
    results = [part for part in response.message.parts if isinstance(part, ToolResult)]
    assert [(part.is_error, part.text) for part in results] == [(True, ""), (False, "7\n"), (False, "t")]


def test_citations_of_all_kinds_have_one_shape() -> None:
    response = parse(reply(CITED))
    assert response.message is not None
    (part,) = response.message.parts
    assert isinstance(part, Text)
    assert [(item.url, item.title, item.text) for item in part.citations] == [
        ("", "D", "c"), ("", "D", "c"), ("", "", "c"), ("https://h/", "H", "c"), ("s", "T", "c"),
    ]  # fmt: skip
    assert [item.opaque.value for item in part.citations if item.opaque] == LOCATIONS


def test_empty_texts_say_nothing() -> None:
    response = parse(reply({"type": "text", "text": ""}, CALL))
    assert response.message is not None
    assert len(response.message.parts) == 1


def test_a_refusal_tells_why_and_does_not_go_back() -> None:
    details = {"type": "refusal", "category": "cyber", "explanation": "No."}
    response = parse(reply(PLAIN, stop="refusal", stop_details=details))
    assert response.message is not None
    refusal = response.message.parts[-1]
    assert isinstance(refusal, Refusal)
    assert (response.finish_reason, response.content, refusal.text) == ("refusal", "Hi", "No.")
    assert refusal.opaque is not None
    assert refusal.opaque.value == {"stop_details": details}
    body, warnings = build((Message.user("A"), response.message, Message.user("B")))
    assert [turn["content"] for turn in body["messages"]] == ["A", "B"]
    assert fields_of(warnings) == ["messages"]


# ── T2 ──


def stored(message: Message | None) -> Message:
    """A message as it is after it was kept as JSON."""
    return msgspec.json.decode(msgspec.json.encode(message), type=Message)


@each("block", BLOCKS, ids=[block["type"] for block in BLOCKS])
def test_t2_every_block_goes_back_as_it_came(block: dict[str, Any]) -> None:
    message = stored(parse(reply(block, PLAIN)).message)
    body, warnings = build((Message.user("A"), message))
    assert body["messages"][1]["content"] == [block, PLAIN]
    assert warnings == ()


def test_t2_a_whole_turn_goes_back_in_its_order() -> None:
    body, warnings = build((Message.user("A"), stored(parse(reply(*BLOCKS)).message)))
    assert body["messages"][1]["content"] == BLOCKS
    assert warnings == ()


def test_t2_numbers_and_escapes_are_kept_byte_by_byte() -> None:
    data = b'{"type":"tool_use","id":"a","name":"n","input":{"x":1.0,"y":1e5,"z":"\\u00e9\\/"}}'
    message = parse(b'{"type":"message","content":[' + data + b'],"stop_reason":"tool_use"}').message
    request = CODEC.build_request(make_call([stored(message)]))
    assert data in msgspec.json.encode(request.body)


def test_t2_thoughts_do_not_go_to_another_model_or_provider() -> None:
    message = stored(parse(reply(SIGNED, REDACTED, PLAIN)).message)
    for other in (model("another"), model(provider="elsewhere")):
        body, warnings = build((message,), of=other)
        assert body["messages"] == [{"role": "assistant", "content": [PLAIN]}]
        assert fields_of(warnings) == ["messages.reasoning"]


def test_t2_another_protocol_drops_them_with_a_word() -> None:
    message = stored(parse(reply(*BLOCKS)).message)
    call = make_call([Message.user("A"), message], of=model(provider="elsewhere"))
    request = OpenAIChat().build_request(call)
    body: Any = request.body
    assert [turn["role"] for turn in body["messages"]] == ["user", "assistant"]
    assert [item["id"] for item in body["messages"][1]["tool_calls"]] == ["toolu_1"]
    assert {"messages.opaque", "messages.tool_calls"} <= set(fields_of(request.warnings))


CONTAINER = {"id": "container_1", "expires_at": "2026-11-22T00:00:00Z"}
FROM_CODE = {**CALL, "caller": {"type": "code_execution_20260120", "tool_id": "srvtoolu_2"}}


@pytest.mark.parametrize(("call", "named"), [(FROM_CODE, "container_1"), (CALL, None)])
def test_the_container_is_named_where_code_in_it_waits_for_a_tool(call: dict[str, Any], named: str | None) -> None:
    message = stored(parse(reply(call, container=CONTAINER)).message)
    body, warnings = build((Message.user("A"), message, Message.tool("toolu_1", "3")))
    assert (body.get("container"), warnings) == (named, ())
    assert body["messages"][1] == {"role": "assistant", "content": [call]}


def test_a_pause_goes_on_with_the_turn_as_it_came() -> None:
    call = make_call()
    response = parse(reply(SEARCH, FOUND, stop="pause_turn"))
    following = CODEC.continue_request(call, response)
    assert following is not None
    assert build(following.input)[0]["messages"][1]["content"] == [SEARCH, FOUND]
    assert CODEC.continue_request(call, parse(reply(PLAIN))) is None


# ── what is no answer ──


def test_an_error_inside_a_200_is_raised_as_its_class() -> None:
    body = b'{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}'
    with pytest.raises(OverloadedError, match="Overloaded") as caught:
        parse(body)
    assert (caught.value.status, caught.value.code) == (529, "overloaded_error")


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b"<html>", b'{"content": 5}', b'{"content":[5]}', b"\xff"])
def test_a_body_that_is_none_is_a_provider_error(body: bytes) -> None:
    with pytest.raises(ProviderError) as caught:
        CODEC.parse_response(make_call(), WireResponse(status=200, body=body))
    assert type(caught.value) is ProviderError
    assert caught.value.code == "unreadable_reply"


def test_a_mark_of_the_provider_is_not_anothers() -> None:
    opaque = Opaque(protocol="anthropic_messages", provider="elsewhere", data=Raw(b'{"type":"redacted_thinking"}'))
    body, warnings = build((Message(role="assistant", parts=(Reasoning(opaque=opaque), Text(text="A"))),))
    assert body["messages"][0]["content"] == [{"type": "text", "text": "A"}]
    assert fields_of(warnings) == ["messages.reasoning"]
