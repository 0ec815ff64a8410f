"""A request of Responses through the server half, our types and the client half comes out as it went in."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from betterai.core.exceptions import BadRequestError
from betterai.core.message import Reasoning, Text, ToolCall, ToolResult
from betterai.core.wire import WireRequest
from betterai.runtime.replay.round_trip import make_round_trip
from betterai.wire.openai_chat import OpenAIChat
from together import each
from wire.responses import OPENAI, SURFACE

USER = {"role": "user", "content": "Hello"}
SAID = {"type": "message", "role": "assistant", "id": "msg_1", "status": "completed", "phase": "final_answer", "content": [
    {"type": "output_text", "text": "Hi", "annotations": [], "logprobs": []}]}  # fmt: skip
ITEMS: dict[str, list[Any]] = {
    "a text": [USER],
    "a list of one": [{"role": "user", "content": [{"type": "input_text", "text": "Hello"}]}],
    "with its type": [{"type": "message", **USER}, {"type": "message", "role": "assistant", "content": "Hi"}],
    "an answer": [USER, SAID],
    "two answers in a row": [USER, SAID, {**SAID, "id": "msg_2", "phase": None}],
    "an answer in several parts": [{**SAID, "content": [*SAID["content"], {"type": "refusal", "refusal": "No"}]}],  # type: ignore[misc]
    "citations": [{"role": "assistant", "content": [{"type": "output_text", "text": "Hi", "annotations": [
        {"type": "url_citation", "url": "https://e.com", "title": "E", "start_index": 0, "end_index": 2},
        {"type": "file_citation", "file_id": "f", "filename": "x", "index": 1}]}]}],
    "plain answers": [{"role": "assistant", "content": "Hi"}, {"role": "assistant", "content": "there"}],
    "a turn": [
        USER,
        {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "hm"}], "encrypted_content": "x"},
        {"type": "function_call", "call_id": "c", "name": "add", "arguments": "{}", "id": "fc", "status": "completed"},
        {"type": "custom_tool_call", "call_id": "d", "name": "note", "input": ""},
        {"type": "function_call_output", "call_id": "c", "output": "2", "status": "completed"},
        {"type": "custom_tool_call_output", "call_id": "d", "output": [{"type": "input_text", "text": "x"}]},
        {"type": "reasoning", "id": "rs_2", "summary": [], "content": [{"type": "reasoning_text", "text": "raw"}]},
        SAID,
    ],
    "references to items": [{"type": "item_reference", "id": "msg_1"}, USER],
    "results without their calls": [
        {"type": "function_call_output", "call_id": "c", "output": [{"type": "input_image", "file_id": "f", "detail": "low"}]},
        {"type": "custom_tool_call_output", "call_id": "d", "output": "x"},
    ],
    "built-in tools": [
        {"type": "web_search_call", "id": "ws", "status": "completed", "action": {"type": "search", "query": "q"}},
        {"type": "computer_call", "id": "cu", "call_id": "c", "action": {"type": "screenshot"}, "status": "completed"},
        {"type": "computer_call_output", "call_id": "c", "output": {"type": "computer_screenshot", "image_url": "https://e.com"}},
        {"type": "shell_call", "call_id": "s", "action": {"commands": ["ls"]}},
        {"type": "shell_call_output", "call_id": "s", "output": [{"stdout": "x", "stderr": "", "outcome": {"type": "timeout"}}]},
        {"type": "mcp_approval_request", "id": "m", "name": "t", "arguments": "{}", "server_label": "s"},
        {"type": "mcp_approval_response", "approval_request_id": "m", "approve": False},
        {"type": "tool_search_output", "call_id": None, "execution": "server", "tools": []},
        {"type": "image_generation_call", "id": "ig", "result": "QUJD", "status": "completed"},
        {"type": "compaction", "encrypted_content": "x"},
        {"type": "item_reference", "id": "msg_9"},
        {"type": "brand_new", "with": {"any": ["thing"]}},
    ],
    "media": [{"role": "user", "content": [
        {"type": "input_text", "text": "x", "prompt_cache_breakpoint": {"mode": "explicit", "ttl": "30m"}},
        {"type": "input_image", "image_url": "data:image/png;base64,QUJD", "detail": "high"},
        {"type": "input_file", "file_data": "QUJD", "filename": "x.txt"},
        {"type": "input_file", "file_url": "https://e.com/x.pdf"},
        {"type": "input_audio", "input_audio": {"data": "QUJD", "format": "mp3"}},
    ]}],
    "new fields": [{**USER, "new": 1}, {**SAID, "new": [1]}],
}  # fmt: skip
FIELDS: dict[str, dict[str, Any]] = {
    "nothing": {},
    "everything plain": {
        "temperature": 0, "top_p": 1.0, "max_output_tokens": 9, "store": False, "metadata": {}, "user": "u",
        "service_tier": "auto", "parallel_tool_calls": False, "top_logprobs": 0, "safety_identifier": "s",
        "truncation": "auto", "background": False, "include": [], "max_tool_calls": 2, "stream": False,
        "previous_response_id": "r", "prompt_cache_key": "k", "prompt_cache_options": {"mode": "explicit", "prewarm": True},
        "moderation": {"model": "m"}, "context_management": [{"type": "compaction"}], "unheard_of": {"a": None},
    },
    "instructions": {"instructions": "Be brief"},
    "empty instructions": {"instructions": ""},
    "null instructions": {"instructions": None, "reasoning": None, "tools": None, "tool_choice": None, "text": None},
    "reasoning": {"reasoning": {"effort": "low", "summary": "auto"}},
    "more reasoning": {"reasoning": {"effort": None, "context": "all_turns", "mode": "pro"}},
    "text": {"text": {"verbosity": "low", "format": {"type": "json_schema", "name": "n", "schema": {}, "strict": None}}},
    "tools": {
        "tools": [
            {"type": "function", "name": "a", "parameters": {}},
            {"type": "function", "name": "b", "parameters": {}, "strict": None, "defer_loading": True},
            {"type": "function", "name": "c", "strict": True, "description": ""},
            {"type": "custom", "name": "d", "format": {"type": "grammar", "syntax": "lark", "definition": "x"}},
            {"type": "code_interpreter", "container": {"type": "auto"}},
            {"type": "code_interpreter", "container": "cntr_1"},
            {"type": "namespace", "name": "n", "description": "", "tools": []},
        ],
        "tool_choice": {"type": "allowed_tools", "mode": "required", "tools": [{"type": "custom", "name": "d"}]},
    },
    "a choice of a server": {"tool_choice": {"type": "mcp", "server_label": "s", "name": "t"}},
    "a choice of a built-in tool": {"tools": [{"type": "web_search"}], "tool_choice": {"type": "web_search"}},
    "log probabilities": {"include": ["message.output_text.logprobs", "reasoning.encrypted_content"]},
    "stream": {"stream": True, "stream_options": {"include_obfuscation": False}},
}  # fmt: skip
BODIES = {
    **{name: {"model": "m", "input": items} for name, items in ITEMS.items()},
    **{name: {"model": "m", "input": [USER], **fields} for name, fields in FIELDS.items()},
    "a bare text": {"model": "m", "input": "Hello", "instructions": "Be brief"},
    "no input": {"model": "m", "previous_response_id": "r"},
}


@each("name", BODIES)
def test_it_comes_out_as_it_went_in(name: str) -> None:
    body = json.loads(json.dumps(BODIES[name]))
    _, trip = make_round_trip(OPENAI, "openai", WireRequest(url="/v1/responses", body=body))
    assert trip.sent == BODIES[name]
    assert (trip.lost, trip.added, trip.reported) == ((), (), ())


def test_an_id_alone_is_a_reference() -> None:
    body = {"model": "m", "input": [{"id": "rs_1"}]}
    _, trip = make_round_trip(OPENAI, "openai", WireRequest(url="/v1/responses", body=body))
    assert trip.sent is not None
    assert trip.sent["input"] == [{"id": "rs_1", "type": "item_reference"}]


def test_a_turn_is_one_message() -> None:
    call = SURFACE.parse_request(WireRequest(url="", body=json.loads(json.dumps(BODIES["a turn"]))))
    assert [message.role for message in call.input] == ["user", "assistant", "tool", "tool", "assistant"]
    assert [type(part) for part in call.input[1].parts] == [Reasoning, ToolCall, ToolCall]
    assert [type(part) for part in call.input[4].parts] == [Reasoning, Text]
    assert call.input[1].reasoning == "hm"
    (result,) = call.input[2].parts
    assert isinstance(result, ToolResult)
    assert (result.id, result.text) == ("c", "2")


def test_a_turn_reaches_another_protocol() -> None:
    call = SURFACE.parse_request(WireRequest(url="", body=json.loads(json.dumps(BODIES["a turn"]))))
    request = OpenAIChat().build_request(msgspec.structs.replace(call, settings=call.settings))
    roles = [message["role"] for message in request.body["messages"]]  # type: ignore[index]
    assert roles == ["user", "assistant", "tool", "tool", "assistant"]


@each(
    ("body", "place"),
    [
        (b"{", "the body"), (b"[]", "the body"), ({"input": "x"}, "model"), ({"model": "m"}, "input"),
        ({"model": "m", "input": 3}, "input"), ({"model": "m", "input": ["x"]}, "input[0]"),
        ({"model": "m", "input": [{"content": "x"}]}, "input[0].type"),
        ({"model": "m", "input": [{"role": "user", "content": [{"type": "odd"}]}]}, "input[0].content[0].type"),
        ({"model": "m", "input": [{"type": "function_call", "name": "x"}]}, "input[0].call_id"),
        ({"model": "m", "input": "x", "tools": {}}, "tools"), ({"model": "m", "input": "x", "tools": [{}]}, "tools[0].type"),
        ({"model": "m", "input": "x", "stream": "yes"}, "stream"), ({"model": "m", "input": "x", "temperature": "hot"}, "temperature"),
    ],
)  # fmt: skip
def test_what_is_no_request_is_refused_where_it_is_wrong(body: Any, place: str) -> None:
    with pytest.raises(BadRequestError) as caught:
        SURFACE.parse_request(WireRequest(url="", body=body))
    assert place in str(caught.value)
    assert caught.value.status == 400


def test_usage_is_read_on_the_way_and_the_model_rewritten() -> None:
    usage = {"input_tokens": 3, "output_tokens": 2}
    said = {"text": {"format": {"type": "text"}}, "summary": 5}  # an event has other fields of these names
    whole = json.dumps({"id": "r", "usage": usage, **said}).encode()
    end = json.dumps({"type": "response.completed", "response": {"usage": usage}}).encode()
    for data in (whole, end):
        found = SURFACE.read_usage(data)
        assert found is not None
        assert (found.input_tokens, found.output_tokens) == (3, 2)
    assert SURFACE.read_usage(b'{"type":"x"}') is None
    assert SURFACE.rewrite(b'{"model":"a","n": 1.50}', "b") == b'{"model":"b","n":1.50}'
