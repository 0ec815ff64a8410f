"""Whole replies of Responses: each type of item, how answers end, what they used, and that they go back as they came."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from betterai.core.exceptions import ContentFilterError, ProviderError, QuotaExceededError, RateLimitError
from betterai.core.message import MediaPart, Message, Reasoning, Refusal, Text, ToolCall, ToolResult
from betterai.core.usage import Usage
from betterai.core.wire import WireResponse
from betterai.wire.openai_responses import OpenAIResponses
from together import each
from wire.responses import OPENAI, body_of, dropped, make_call, model, parse, said, whole

THOUGHT = {
    "type": "reasoning", "id": "rs_1", "status": None, "encrypted_content": "gAAA==",
    "summary": [{"type": "summary_text", "text": "One. "}, {"type": "summary_text", "text": "Two."}],
}  # fmt: skip
CALL = {
    "type": "function_call", "id": "fc_1", "status": "completed", "call_id": "call_1", "name": "add",
    "arguments": '{"a" : 1}', "namespace": "maths",
}  # fmt: skip
NOTE = {"type": "custom_tool_call", "id": "ctc_1", "call_id": "call_2", "name": "note", "input": "no JSON"}
ITEMS: dict[str, dict[str, Any]] = {
    "web_search_call": {"action": {"type": "search", "query": "q", "sources": []}, "status": "completed"},
    "file_search_call": {"queries": ["q"], "results": None, "status": "completed"},
    "code_interpreter_call": {"code": "1+1", "container_id": "c", "outputs": [{"type": "logs", "logs": "2"}]},
    "computer_call": {"call_id": "call_3", "action": {"type": "click", "x": 1, "y": 2}, "pending_safety_checks": []},
    "local_shell_call": {"call_id": "call_3", "action": {"type": "exec", "command": ["ls"], "env": {}}},
    "shell_call": {"call_id": "call_3", "action": {"commands": ["ls"]}, "environment": {"type": "local"}},
    "apply_patch_call": {"call_id": "call_3", "operation": {"type": "delete_file", "path": "x"}},
    "mcp_list_tools": {"server_label": "s", "tools": []},
    "mcp_call": {"server_label": "s", "name": "t", "arguments": '{"x":1}', "output": "3", "error": None},
    "mcp_approval_request": {"server_label": "s", "name": "t", "arguments": "{}"},
    "tool_search_call": {"call_id": None, "execution": "server", "arguments": {"goal": "g"}},
    "tool_search_output": {"call_id": None, "execution": "server", "tools": []},
    "compaction": {"encrypted_content": "gAAA"},
    "image_generation_call": {"result": "QUJD", "revised_prompt": "p", "output_format": "webp"},
    "something_new": {"anything": {"at": ["all", 1, None, 0.5]}},
}


def part_of(item: Any, **of: Any) -> Any:
    (part,) = parse(whole(item), **of).message.parts  # type: ignore[union-attr]
    return part


def test_text_and_its_citations() -> None:
    annotations = [
        {"type": "url_citation", "url": "https://e.com", "title": "E", "start_index": 0, "end_index": 2},
        {"type": "file_citation", "file_id": "f", "filename": "a.pdf", "index": 5},
    ]
    content = [
        {"type": "output_text", "text": "Hello", "annotations": annotations},
        {"type": "refusal", "refusal": "No"},
    ]
    response = parse(whole(said("", content=content, phase="final_answer")))
    text, refusal = response.message.parts  # type: ignore[union-attr]
    assert (response.content, response.finish_reason, response.id) == ("Hello", "refusal", "resp_1")
    page, file = text.citations  # type: ignore[union-attr]
    assert (page.url, page.title, page.start, page.end, page.opaque) == ("https://e.com", "E", 0, 2, None)
    assert (file.title, file.start, file.opaque.value) == ("a.pdf", 5, annotations[1])
    assert refusal == Refusal(text="No")


def test_thoughts_are_their_summary_and_the_item_is_kept() -> None:
    part = part_of(THOUGHT)
    assert isinstance(part, Reasoning)
    assert part.text == "One. Two."
    assert part.opaque is not None
    assert (part.opaque.provider, part.opaque.model, part.opaque.value) == ("openai", "any-model", THOUGHT)


def test_thoughts_without_a_summary_are_the_thoughts_themselves() -> None:
    raw = {**THOUGHT, "summary": [], "content": [{"type": "reasoning_text", "text": "Raw"}]}
    assert part_of(raw).text == "Raw"


def test_calls() -> None:
    response = parse(whole(CALL, NOTE))
    add, note = response.tool_calls
    assert (add.id, add.name, add.arguments, add.index, add.kind) == ("call_1", "add", '{"a" : 1}', 0, "function")
    assert (note.id, note.arguments, note.index, note.kind) == ("call_2", "no JSON", 1, "custom")
    assert add.opaque is not None
    assert add.opaque.value == {"id": "fc_1", "status": "completed", "namespace": "maths"}
    assert response.finish_reason == "tool_calls"


@each("kind", ITEMS)
def test_built_in_items_are_kept(kind: str) -> None:
    item = {"type": kind, "id": "x_1", **ITEMS[kind]}
    part = part_of(item)
    assert part.opaque.value == item
    caller = kind in ("computer_call", "local_shell_call", "shell_call", "apply_patch_call")
    if isinstance(part, ToolCall):
        assert part.server is not caller
        assert part.id == ("call_3" if caller else "x_1")
        assert isinstance(part.parse_arguments(), dict)
    assert parse(whole(item)).finish_reason == ("tool_calls" if caller else "stop")


def test_what_built_in_tools_were_asked() -> None:
    asked = {kind: part_of({"type": kind, "id": "x", **ITEMS[kind]}) for kind in ITEMS}
    assert (asked["web_search_call"].name, asked["web_search_call"].parse_arguments()["query"]) == ("web_search", "q")
    code = asked["code_interpreter_call"]
    assert (code.name, code.parse_arguments()) == ("code_execution", {"code": "1+1"})
    assert (asked["mcp_call"].name, asked["mcp_call"].arguments) == ("t", '{"x":1}')
    assert isinstance(asked["tool_search_output"], ToolResult)
    drawn = asked["image_generation_call"]
    assert isinstance(drawn, MediaPart)
    assert (drawn.media.mime_type, drawn.media.to_bytes()) == ("image/webp", b"ABC")


def test_a_shell_in_a_container_is_the_providers() -> None:
    item = {
        "type": "shell_call",
        **ITEMS["shell_call"],
        "environment": {"type": "container_reference", "container_id": "c"},
    }
    assert part_of(item).server


ANSWER = [
    THOUGHT,
    CALL,
    NOTE,
    *({"type": kind, "id": f"{kind}_1", **fields} for kind, fields in ITEMS.items()),
    said("Hello", phase="commentary"),
    said("There", id="msg_2", content=[{"type": "output_text", "text": "There"}, {"type": "refusal", "refusal": "No"}]),
]


def test_t2_a_whole_answer_goes_back_as_it_came() -> None:
    message = parse(whole(*ANSWER)).message
    again = msgspec.json.decode(msgspec.json.encode(message), type=Message)
    assert again == message
    sent = body_of(OPENAI, make_call([again]))["input"]
    for item in sent:
        for part in item.get("content") or () if item["type"] == "message" else ():
            part.setdefault("annotations", [])
            part.setdefault("logprobs", [])
    came = json.loads(json.dumps(ANSWER))
    for item in came[-2:]:
        for part in item["content"]:
            part.setdefault("annotations", [])
            part.setdefault("logprobs", [])
    assert sent == came


def test_t2_bytes_of_kept_items_are_the_bytes_that_came() -> None:
    spaced = b'{ "type" : "reasoning" , "id":"rs_1","summary" :[], "encrypted_content":"a\\u0041\\/", "n": 1.50 }'
    message = parse(b'{"id":"r","status":"completed","output":[' + spaced + b"]}").message
    assert message is not None
    again = msgspec.json.decode(msgspec.json.encode(message), type=Message)
    request = OPENAI.build_request(make_call([again]))
    assert msgspec.json.encode(request.body["input"][0]) == spaced  # type: ignore[index]


@pytest.mark.parametrize("provider", ["azure", "xai"])
def test_t2_another_provider_is_not_given_what_only_this_one_understands(provider: str) -> None:
    message = parse(
        whole(THOUGHT, {"type": "web_search_call", "id": "ws", **ITEMS["web_search_call"]}, CALL, said("Hi"))
    ).message
    assert message is not None
    call = make_call([message], of=model(provider))
    request = OpenAIResponses().build_request(call)
    assert set(dropped(request)) == {"messages.reasoning", "messages.tool_calls", "messages.opaque"}
    assert body_of(OpenAIResponses(), call)["input"] == [
        {"type": "function_call", "call_id": "call_1", "name": "add", "arguments": '{"a" : 1}'},
        {"role": "assistant", "content": [{"type": "output_text", "text": "Hi"}]},
    ]


# ── ends ──


@pytest.mark.parametrize(
    ("status", "reason", "finish", "word"),
    [
        ("completed", None, "stop", "completed"),
        ("incomplete", "max_output_tokens", "length", "max_output_tokens"),
        ("incomplete", "content_filter", "content_filter", "content_filter"),
        ("incomplete", "steered", "other", "steered"),
        ("incomplete", None, "other", "incomplete"),
        ("queued", None, "pause", "queued"),
        ("in_progress", None, "pause", "in_progress"),
    ],
)
def test_how_answers_end(status: str, reason: str | None, finish: str, word: str) -> None:
    response = parse(whole(said("Hi"), status=status, incomplete_details=reason and {"reason": reason}))
    assert (response.finish_reason, response.raw_finish_reason) == (finish, word)


def test_a_call_that_was_cut_off_is_no_call_to_run() -> None:
    response = parse(whole(CALL, status="incomplete", incomplete_details={"reason": "max_output_tokens"}))
    assert response.finish_reason == "length"


FAILED: dict[str, tuple[type[ProviderError], int, bool]] = {
    "server_error": (ProviderError, 500, True),
    "rate_limit_exceeded": (RateLimitError, 429, True),
    "insufficient_quota": (QuotaExceededError, 429, False),
    "vector_store_timeout": (ProviderError, 504, True),
    "bio_policy": (ContentFilterError, 400, False),
    "image_content_policy_violation": (ContentFilterError, 400, False),
}


@pytest.mark.parametrize("code", FAILED)
def test_a_response_that_failed_raises(code: str) -> None:
    kind, status, again = FAILED[code]
    with pytest.raises(kind) as caught:
        parse(whole(status="failed", error={"code": code, "message": "odd"}))
    assert (caught.value.status, caught.value.code, caught.value.provider_message) == (status, code, "odd")
    assert caught.value.retryable is again


def test_cancelled_and_failed_without_a_word() -> None:
    for status, said_ in (("cancelled", "cancelled"), ("failed", "failed without a reason")):
        with pytest.raises(ProviderError, match=said_):
            parse(whole(status=status))


@pytest.mark.parametrize("body", [b"", b"<html>", b"[1]", b'{"output": 3}', b'{"choices": []}', b"\xff"])
def test_what_is_no_response_is_an_error_of_ours(body: bytes) -> None:
    with pytest.raises(ProviderError) as caught:
        parse(body)
    assert caught.value.code in ("unreadable_reply", "no_output")


def test_a_server_without_responses_is_told_of() -> None:
    error = OPENAI.parse_error(WireResponse(status=404, body=b'{"detail":"Not Found"}'))
    assert "openai_chat" in error.hint


# ── usage ──


@pytest.mark.parametrize(
    ("stated", "counted"),
    [
        (None, None),
        ({}, None),
        ({"input_tokens": 5, "output_tokens": 3, "total_tokens": 8}, Usage(text_in=5, text_out=3)),
        (
            {
                "input_tokens": 50, "input_tokens_details": {"cached_tokens": 20, "cache_write_tokens": 0},
                "output_tokens": 30, "output_tokens_details": {"reasoning_tokens": 10}, "total_tokens": 85,
            },
            Usage(text_in=30, cached={"text": 20}, cache_write={"": 0}, text_out=20, reasoning=10, other=5),
        ),
        (
            {
                "input_tokens": 50, "output_tokens": 0,
                "input_tokens_details": {"cache_write_tokens": 30, "cache_write_tokens_details": {
                    "ttl_30m_tokens": 10, "ttl_12h_tokens": 15}},
            },
            Usage(text_in=20, cache_write={"30m": 10, "12h": 15, "": 5}),
        ),
        (
            {"input_tokens": 5, "input_tokens_details": {"cached_tokens": 9}, "output_tokens": 1},
            Usage(cached={"text": 5}, text_out=1),
        ),
    ],
)  # fmt: skip
def test_usage(stated: Any, counted: Usage | None) -> None:
    assert parse(whole(usage=stated)).usage == counted


def test_tools_and_tiers_are_billed_beside_the_tokens() -> None:
    used = {"web_search": {"num_requests": 2}, "image_gen": {"total_tokens": 300}}
    body = whole(usage={"input_tokens": 1, "output_tokens": 1}, tool_usage=used, service_tier="priority")
    usage = parse(body).usage
    assert usage is not None
    assert (usage.units, usage.tier) == ({"search": 2.0, "image_gen_token": 300.0}, "priority")
    plain = parse({**body, "tool_usage": {"web_search": {"num_requests": 0}}, "service_tier": "default"}).usage
    assert plain is not None
    assert (plain.units, plain.tier) == ({}, "")


def test_log_probabilities() -> None:
    token = {"token": "Hi", "logprob": -0.5, "bytes": [72, 105], "top_logprobs": [{"token": "Ho", "logprob": -1}]}
    content = [{"type": "output_text", "text": "Hi", "annotations": [], "logprobs": [token]}]
    (found,) = parse(whole(said("", content=content))).logprobs or ()
    assert (found.token, found.logprob, found.bytes, found.top_logprobs[0].token) == ("Hi", -0.5, (72, 105), "Ho")


def test_text_of_a_text() -> None:
    assert part_of(said("Hi")).text == Text(text="Hi").text


def test_an_item_that_is_otherwise_than_known_is_kept_and_speech_is_not_guessed() -> None:
    odd = {"type": "web_search_call", "id": 3, "content": {"not": "a list"}}
    assert part_of(odd).opaque.value == odd
    for item in (said("", content=[1]), said("", content=[{"type": "output_text", "text": "x", "annotations": ["x"]}])):
        with pytest.raises(ProviderError) as caught:
            parse(whole(item))
        assert caught.value.code == "unreadable_reply"
