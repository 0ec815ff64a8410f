"""Groq: its deviations from Chat Completions."""

from __future__ import annotations

from typing import Any

import pytest

from betterai.core.exceptions import BadRequestError, ProviderError, UnsupportedParam
from betterai.core.message import CacheMark, Citation, Message, Reasoning, Text, ToolCall, ToolResult
from betterai.core.settings import ReasoningControl
from betterai.core.tools import JsonSchema, ServerTool, Tool, ToolChoice
from betterai.core.usage import Usage
from betterai.providers.groq import PROVIDER
from betterai.providers.groq.chat import GroqChat
from together import each
from wire.chats import (
    body_of,
    build,
    chunk,
    citations_of,
    dropped,
    listed,
    make_call,
    messages_of,
    model,
    parse,
    read_stream,
    stream,
    translated,
    whole,
)

GROQ = GroqChat()
ANY = model("groq")


def test_the_declaration() -> None:
    host, key = PROVIDER.setting("host"), PROVIDER.setting("api_key")
    assert host is not None
    assert key is not None
    assert (host.default, host.env, key.env) == ("https://api.groq.com", ("GROQ_BASE_URL",), ("GROQ_API_KEY",))
    assert PROVIDER.base_url == "{host}/openai/v1"
    assert PROVIDER.defaults["text"] in PROVIDER.models()


@each(
    "setting",
    [{"logprobs": True}, {"top_logprobs": 2}, {"logit_bias": {"1": 1}}, {"frequency_penalty": 1}, {"presence_penalty": 1},
     {"verbosity": "low"}, {"metadata": {"a": "b"}}, {"store": True}, {"safety_identifier": "x"}, {"top_k": 1}],
)  # fmt: skip
def test_what_it_does_not_take_and_tunes_is_reported(setting: dict[str, Any]) -> None:
    request = build(make_call(of=ANY, **setting), GROQ)
    assert dropped(request) == list(setting)
    assert set(request.body) == {"model", "messages"}  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "setting",
    [{"n": 2}, {"n": 0}, {"modalities": ["audio"]}, {"web_search": True},
     {"tool_choice": ToolChoice(mode="auto", names=("f", "g"))}],
)  # fmt: skip
def test_what_it_does_not_take_and_changes_the_meaning_raises(setting: dict[str, Any]) -> None:
    with pytest.raises(UnsupportedParam) as caught:
        build(make_call(of=ANY, **setting), GROQ)
    assert caught.value.param == next(iter(setting))


def test_one_answer_may_be_asked_for() -> None:
    assert body_of(GROQ, n=1, service_tier="flex", seed=3, user="ann") == {
        "n": 1, "service_tier": "flex", "seed": 3, "user": "ann",
    }  # fmt: skip
    assert body_of(GROQ, tools=[Tool(name="f")], tool_choice="f", response_format=JsonSchema(schema={}))["tool_choice"] == {
        "type": "function", "function": {"name": "f"},
    }  # fmt: skip


def test_reasoning() -> None:
    control = ReasoningControl(effort="high", format="parsed", include=True)
    assert body_of(GROQ, reasoning=control) == {
        "reasoning_effort": "high", "reasoning_format": "parsed", "include_reasoning": True,
    }  # fmt: skip
    request = build(make_call(of=listed("groq", "qwen/qwen3-32b"), reasoning=False), GROQ)
    assert request.body["reasoning_effort"] == "none"  # type: ignore[index, call-overload]


def test_its_own_options() -> None:
    options = {"groq": {"disable_tool_validation": True, "search_settings": {"country": "CH"}, "unheard_of": 1}}
    request = build(make_call(of=ANY, options=options), GROQ)
    assert request.body["disable_tool_validation"] is True  # type: ignore[index, call-overload]
    assert request.body["search_settings"] == {"country": "CH"}  # type: ignore[index, call-overload]
    assert "unheard_of" not in request.body  # type: ignore[operator]
    assert dropped(request) == ["options.groq.unheard_of"]


def test_history() -> None:
    turn = Message(role="assistant", parts=(Reasoning(text="hm"), ToolCall(id="a", name="f", arguments="{}")))
    result = Message(role="tool", parts=(ToolResult(id="a", name="f", parts=(Text(text="1"),)),))
    assistant, tool = messages_of(turn, result, codec=GROQ, of=ANY)
    assert assistant["reasoning"] == "hm"
    assert tool["name"] == "f"


def test_cache_marks_are_reported() -> None:
    request = build(
        make_call([Message(role="user", parts=(Text(text="x", cache=CacheMark(ttl="30m")),))], of=ANY), GROQ
    )
    assert request.body["messages"][0]["content"] == [{"type": "text", "text": "x"}]  # type: ignore[index, call-overload]
    assert dropped(request) == ["messages.cache"]


def test_parsed_reasoning_and_usage_with_times() -> None:
    usage = {"prompt_tokens": 9, "completion_tokens": 5, "total_tokens": 14, "queue_time": 0.1, "total_time": 0.2,
             "completion_tokens_details": {"reasoning_tokens": 2}}  # fmt: skip
    response = parse(whole({"content": "A", "reasoning": "hm"}, usage=usage, x_groq={"id": "req_1", "seed": 4}), GROQ)
    assert (response.reasoning, response.usage) == ("hm", Usage(text_in=9, text_out=3, reasoning=2))


@pytest.mark.parametrize(("stated", "tier"), [("on_demand", ""), ("flex", "flex")])
def test_the_tier_that_was_billed_is_read(stated: str, tier: str) -> None:
    counts = {"prompt_tokens": 9, "completion_tokens": 5}
    expected = Usage(text_in=9, text_out=5, tier=tier)
    assert parse(whole({"content": "A"}, usage=counts, service_tier=stated), GROQ).usage == expected
    last = {**chunk({"content": "A"}, "stop"), "service_tier": stated, "x_groq": {"usage": counts}}
    assert [item.usage for item in read_stream(last, codec=GROQ) if item.usage] == [expected]


def test_usage_of_a_stream_counts_once() -> None:
    counts = {"prompt_tokens": 9, "completion_tokens": 5, "total_tokens": 14}
    first = {**chunk({"role": "assistant", "content": ""}), "x_groq": {"id": "req_1"}}
    last = {**chunk(finish="stop"), "x_groq": {"id": "req_1", "usage": counts}}
    usage = {"id": "x", "choices": [], "usage": counts, "x_groq": None}
    chunks = read_stream(first, chunk({"content": "A"}), last, usage, codec=GROQ)
    assert [item.usage for item in chunks if item.usage] == [Usage(text_in=9, text_out=5)]


@pytest.mark.parametrize(
    "error",
    ["boom", {"message": "boom", "type": "invalid_request_error", "code": "tool_use_failed"}, {"message": "boom"}],
)
def test_a_late_error_in_its_own_place(error: Any) -> None:
    with pytest.raises(ProviderError) as caught:
        stream(chunk({"content": "A"}), {**chunk(), "x_groq": {"id": "r", "error": error}}, codec=GROQ)
    assert caught.value.provider_message == "boom"
    assert (type(caught.value) is BadRequestError) == (isinstance(error, dict) and "code" in error)


def test_a_failed_tool_call_of_a_stream_is_a_bad_request() -> None:
    error = {"error": {"message": "boom", "type": "invalid_request_error", "code": "tool_use_failed",
                       "failed_generation": "…", "status_code": 400}}  # fmt: skip
    with pytest.raises(BadRequestError) as caught:
        stream(chunk({"reasoning": "hm"}), error, codec=GROQ)
    assert (caught.value.code, caught.value.status) == ("tool_use_failed", 400)


EXECUTED = {"index": 0, "type": "search", "arguments": '{"query": "x"}', "search_results": {"results": []}}
DONE = {**EXECUTED, "output": "Title: X"}


def test_tools_that_it_ran_are_calls_of_the_server_with_their_results() -> None:
    response = parse(whole({"content": "A", "executed_tools": [DONE]}), GROQ)
    assert response.message is not None
    ran, result, text = response.message.parts
    assert isinstance(ran, ToolCall)
    assert (ran.name, ran.arguments, ran.server) == ("search", EXECUTED["arguments"], True)
    assert ran.opaque is not None
    assert ran.opaque.value == DONE
    assert isinstance(result, ToolResult)
    assert (result.id, result.text) == (ran.id, "Title: X")
    assert text == Text(text="A")
    events = [chunk({"executed_tools": [EXECUTED]}), chunk({"executed_tools": [DONE]}), chunk({"content": "A"})]
    assert stream(*events, chunk(finish="stop"), codec=GROQ).message == response.message
    request = build(make_call((Message.user("Hi"), response.message, Message.user("More"))), GROQ)
    assert [message["role"] for message in request.body["messages"]] == ["user", "assistant", "user"]  # type: ignore[index, call-overload]
    assert "messages.tool_calls" in dropped(request)


def test_places_that_documents_and_tools_are_the_source_of() -> None:
    place = {"start_index": 1, "end_index": 4}
    notes = [
        {"type": "document_citation", "document_citation": {"document_id": "d1", **place}},
        {"type": "function_citation", "function_citation": {"tool_call_id": "c1", **place}},
    ]
    cited = citations_of(parse(whole({"content": "See E", "annotations": notes}), GROQ))
    assert cited == (Citation(title="d1", start=1, end=4), Citation(title="c1", start=1, end=4))


def test_tools_that_it_runs_go_by_their_names_here() -> None:
    request = build(make_call(tools=[ServerTool(type="web_search"), ServerTool(type="code_execution")]), GROQ)
    assert request.body["tools"] == [{"type": "browser_search"}, {"type": "code_interpreter"}]  # type: ignore[index, call-overload]
    assert translated(request) == ["tools.type", "tools.type"]
