"""Z.AI: its deviations from Chat Completions."""

from __future__ import annotations

import json
from typing import Any

import pytest

from betterai.core.exceptions import (
    AuthenticationError,
    ContentFilterError,
    ContextLengthError,
    ModelNotFoundError,
    ProviderError,
    QuotaExceededError,
    RateLimitError,
    UnsupportedParam,
)
from betterai.core.message import Message, Reasoning, Text, ToolCall
from betterai.core.tools import JsonSchema
from betterai.core.usage import Usage
from betterai.core.wire import WireRequest, WireResponse
from betterai.providers.zai import PROVIDER
from betterai.providers.zai.chat import ZAIChat
from betterai.wire.adoption import adopt_fields
from wire.chats import (
    SURFACE,
    bare,
    body_of,
    build,
    call_piece,
    chunk,
    dropped,
    listed,
    make_call,
    messages_of,
    model,
    parse,
    stream,
    whole,
)

ZAI = ZAIChat()
ANY = model("zai")


def test_the_declaration_names_both_addresses() -> None:
    base = PROVIDER.setting("base_url")
    assert base is not None
    assert base.default == "https://api.z.ai/api/paas/v4"
    assert "https://api.z.ai/api/coding/paas/v4" in base.about
    assert PROVIDER.defaults["text"] in PROVIDER.models()


@pytest.mark.parametrize(
    ("id", "reasoning", "sent", "said"),
    [
        ("glm-4.6", True, {"thinking": {"type": "enabled"}}, []),
        ("glm-4.6", "none", {"thinking": {"type": "disabled"}}, []),
        ("glm-4.6", "high", {"thinking": {"type": "enabled"}}, ["reasoning"]),
        ("glm-4.6", 900, {"thinking": {"type": "enabled"}}, ["reasoning"]),
        ("glm-5.2", "medium", {"reasoning_effort": "medium"}, []),
        ("glm-5.3", "medium", {"reasoning_effort": "low"}, ["reasoning"]),
        ("glm-5.3", "max", {"reasoning_effort": "max"}, []),
        ("glm-5.3", False, {"reasoning_effort": "low"}, ["reasoning"]),
    ],
)
def test_thinking_by_family(id: str, reasoning: Any, sent: dict[str, Any], said: list[str]) -> None:
    request = build(make_call(of=listed("zai", id), reasoning=reasoning), ZAI)
    assert {name: value for name, value in request.body.items() if name not in ("model", "messages")} == sent  # type: ignore[union-attr]
    assert [warning.field for warning in request.warnings] == said


@pytest.mark.parametrize("thinking", [{"type": "enabled", "clear_thinking": False}, {"clear_thinking": False}])
def test_the_thinking_object_may_say_more(thinking: dict[str, Any]) -> None:
    """Recorded, in both forms."""
    call = SURFACE.parse_request(WireRequest(url="", body={"model": "m", "messages": [], "thinking": thinking}))
    adopted = adopt_fields(ZAI, make_call(of=ANY, **call.settings.given()))
    assert adopted.settings.extra_body is None
    assert build(adopted, ZAI).body["thinking"] == thinking  # type: ignore[index, call-overload]
    assert call.warnings == ()


def test_settings_under_its_own_names() -> None:
    assert body_of(ZAI, max_tokens=9, user="ann-17", seed=3) == {"max_tokens": 9, "user_id": "ann-17", "seed": 3}


def test_what_it_does_not_take() -> None:
    assert dropped(build(make_call(of=ANY, frequency_penalty=1, logprobs=True), ZAI)) == [
        "frequency_penalty",
        "logprobs",
    ]
    for setting in ({"n": 2}, {"response_format": JsonSchema(schema={})}):
        with pytest.raises(UnsupportedParam):
            build(make_call(of=ANY, **setting), ZAI)


def test_thoughts_come_and_go() -> None:
    message = {"content": "A", "reasoning_content": "hm"}
    response = parse(whole(message), ZAI)
    assert response.message == Message(role="assistant", parts=(Reasoning(text="hm"), Text(text="A")))
    events = [
        chunk({"reasoning_content": "hm", "content": ""}),
        chunk({"content": "A"}),
        chunk({"content": ""}, "stop"),
    ]
    assert bare(stream(*events, codec=ZAI)) == bare(response)
    assert messages_of(response.message, codec=ZAI, of=ANY) == [{"role": "assistant", **message}]


def test_an_index_below_zero() -> None:
    """Recorded of glm-4.5-flash."""
    response = stream(chunk(call_piece(-1, "c1", "f", '{"a":1}')), chunk(finish="tool_calls"), codec=ZAI)
    assert response.tool_calls == (ToolCall(id="c1", name="f", arguments='{"a":1}'),)


def test_a_result_without_an_id_is_that_of_the_call_before_it() -> None:
    """Recorded: such requests are answered."""
    calls = [{"id": id, "type": "function", "function": {"name": "f", "arguments": "{}"}} for id in ("c1", "c2")]
    messages = [
        {"role": "assistant", "tool_calls": calls},
        {"role": "tool", "content": "1"},
        {"role": "tool", "content": "2"},
    ]
    call = SURFACE.parse_request(WireRequest(url="", body={"model": "m", "messages": messages}))
    sent: Any = build(call, ZAI).body["messages"]  # type: ignore[index, call-overload]
    assert [message.get("tool_call_id") for message in sent] == [None, "c1", "c2"]
    assert [warning.field for warning in call.warnings] == ["messages.tool_call_id"] * 2


@pytest.mark.parametrize(
    ("word", "reason"),
    [("sensitive", "content_filter"), ("network_error", "error"), ("model_context_window_exceeded", "length")],
)
def test_finish_words(word: str, reason: str) -> None:
    assert parse(whole(finish=word), ZAI).finish_reason == reason


def test_usage() -> None:
    counts = {"prompt_tokens": 9, "completion_tokens": 5, "total_tokens": 14,
              "prompt_tokens_details": {"cached_tokens": 4}, "completion_tokens_details": {"reasoning_tokens": 2}}  # fmt: skip
    assert parse(whole(usage=counts), ZAI).usage == Usage(text_in=5, cached={"text": 4}, text_out=3, reasoning=2)


@pytest.mark.parametrize(
    ("status", "code", "message", "kind", "retryable"),
    [
        (429, "1113", "Insufficient balance or no resource package. Please recharge.", QuotaExceededError, False),
        (429, "1113", "Your account is in arrears, please recharge and try again", QuotaExceededError, False),
        (429, "1302", "High concurrency usage of this API, please reduce concurrency", RateLimitError, True),
        (401, "1002", "Invalid Authentication Token", AuthenticationError, False),
        (400, "1211", "Model does not exist, please check the model code", ModelNotFoundError, False),
        (400, "1261", "Prompt exceeds max length", ContextLengthError, False),
        (400, "1301", "System detected potentially unsafe or sensitive content", ContentFilterError, False),
    ],
)
def test_errors(status: int, code: str, message: str, kind: type[ProviderError], retryable: bool) -> None:
    body = json.dumps({"error": {"code": code, "message": message}}).encode()
    error = ZAI.parse_error(WireResponse(status=status, body=body))
    assert (type(error), error.code, error.retryable) == (kind, code, retryable)
