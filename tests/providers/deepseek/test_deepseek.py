"""DeepSeek: its deviations from Chat Completions."""

from __future__ import annotations

from typing import Any

import pytest

from betterai.core.exceptions import ModelNotFoundError, UnsupportedParam
from betterai.core.message import Message, Reasoning, Text, ToolCall
from betterai.core.settings import ReasoningControl
from betterai.core.tools import CustomTool, JsonObject, JsonSchema, Tool, ToolChoice
from betterai.core.usage import Usage
from betterai.core.wire import WireResponse
from betterai.providers.deepseek import PROVIDER
from betterai.providers.deepseek.chat import DeepSeekChat
from together import each
from wire.chats import (
    body_of,
    build,
    chunk,
    dropped,
    listed,
    make_call,
    messages_of,
    model,
    parse,
    stream,
    translated,
    whole,
)

DEEPSEEK = DeepSeekChat()
V4 = listed("deepseek", "deepseek-v4-pro")


def test_the_declaration() -> None:
    base, key = PROVIDER.setting("base_url"), PROVIDER.setting("api_key")
    assert base is not None
    assert key is not None
    assert (base.default, key.env) == ("https://api.deepseek.com", ("DEEPSEEK_API_KEY",))
    assert PROVIDER.defaults["text"] in PROVIDER.models()


@pytest.mark.parametrize("spelling", [None, frozenset({"max_completion_tokens"})])
def test_max_tokens_has_one_name(spelling: frozenset[str] | None) -> None:
    request = build(make_call(of=V4, max_tokens=9, spelling=spelling), DEEPSEEK)
    assert request.body["max_tokens"] == 9  # type: ignore[index, call-overload]
    assert translated(request) == (["max_completion_tokens"] if spelling else [])


@each(
    ("value", "sent", "said"),
    [
        ("none", {"thinking": {"type": "disabled"}}, []),
        (False, {"thinking": {"type": "disabled"}}, []),
        (True, {"thinking": {"type": "enabled"}}, []),
        ("high", {"reasoning_effort": "high"}, []),
        ("minimal", {"reasoning_effort": "low"}, ["reasoning"]),
        (0, {"thinking": {"type": "disabled"}}, ["reasoning"]),
        (500, {"thinking": {"type": "enabled"}}, ["reasoning"]),
        (
            ReasoningControl(effort="low", enabled=True),
            {"thinking": {"type": "enabled"}, "reasoning_effort": "low"},
            [],
        ),
        (ReasoningControl(effort="none", enabled=True), {"thinking": {"type": "disabled"}}, ["reasoning"]),
        (ReasoningControl(include=False), {}, ["reasoning.include"]),
        (None, {"reasoning_effort": None}, []),
    ],
)
def test_thinking(value: Any, sent: dict[str, Any], said: list[str]) -> None:
    request = build(make_call(of=V4, reasoning=value), DEEPSEEK)
    assert {key: item for key, item in request.body.items() if key not in ("model", "messages")} == sent  # type: ignore[union-attr]
    assert [warning.field for warning in request.warnings] == said


def test_log_probabilities_are_given_while_it_thinks_too() -> None:
    """Recorded: deepseek-v4-flash answers with them, thinking or not."""
    assert build(make_call(of=V4, logprobs=True, top_logprobs=2), DEEPSEEK).warnings == ()


@pytest.mark.parametrize("choice", ["required", "f", ToolChoice(mode="required", names=("f",))])
def test_a_forced_tool_is_refused_while_it_thinks(choice: Any) -> None:
    tools = {"tools": [Tool(name="f")], "tool_choice": choice}
    with pytest.raises(UnsupportedParam, match="reasoning='none'"):
        build(make_call(of=V4, **tools), DEEPSEEK)
    for calm in (
        make_call(of=V4, reasoning="none", **tools),
        make_call(of=listed("deepseek", "deepseek-chat"), **tools),
    ):
        assert "tool_choice" in build(calm, DEEPSEEK).body  # type: ignore[operator]


@pytest.mark.parametrize("choice", ["auto", "none", None, ToolChoice(mode="none", names=("f",))])
def test_a_free_choice_is_not(choice: Any) -> None:
    assert "tool_choice" in build(make_call(of=V4, tools=[Tool(name="f")], tool_choice=choice), DEEPSEEK).body  # type: ignore[operator]


def test_tools_are_functions() -> None:
    with pytest.raises(UnsupportedParam, match="functions"):
        build(make_call(of=V4, tools=[Tool(name="f"), CustomTool(name="g")]), DEEPSEEK)


def test_structured_output() -> None:
    with pytest.raises(UnsupportedParam) as caught:
        build(make_call(of=V4, response_format=JsonSchema(schema={})), DEEPSEEK)
    assert caught.value.param == "response_format"
    assert body_of(DEEPSEEK, response_format=JsonObject()) == {"response_format": {"type": "json_object"}}


def test_the_developer_is_the_system() -> None:
    request = build(make_call([Message(role="developer", parts=(Text(text="D"),))], of=V4), DEEPSEEK)
    assert request.body["messages"] == [{"role": "system", "content": "D"}]  # type: ignore[index, call-overload]
    assert translated(request) == ["messages"]


CALL = ToolCall(id="a", name="f", arguments="{}")
HISTORY = (
    Message.user("Go"),
    Message(role="assistant", parts=(Text(text="So:"),)),
    Message(role="assistant", parts=(Reasoning(text="hm"), CALL)),
    Message.tool("a", "1"),
)


def test_thoughts_go_back() -> None:
    assert messages_of(HISTORY[2], codec=DEEPSEEK, of=model("deepseek"))[0]["reasoning_content"] == "hm"


def test_in_a_conversation_with_tools_every_turn_holds_thoughts() -> None:
    request = build(make_call(HISTORY, of=V4), DEEPSEEK)
    messages: Any = request.body["messages"]  # type: ignore[index, call-overload]
    assert [message.get("reasoning_content") for message in messages] == [None, " ", "hm", None]
    assert translated(request) == ["messages.reasoning"]


@pytest.mark.parametrize(
    ("messages", "settings"), [(HISTORY, {"reasoning": "none"}), (HISTORY[:2], {}), ((HISTORY[0], *HISTORY[2:]), {})]
)
def test_else_nothing_is_added(messages: Any, settings: Any) -> None:
    request = build(make_call(messages, of=V4, **settings), DEEPSEEK)
    assert request.warnings == ()
    sent: Any = request.body["messages"]  # type: ignore[index, call-overload]
    assert [message for message in sent if message.get("reasoning_content") == " "] == []


def test_replies() -> None:
    usage = {"prompt_tokens": 9, "completion_tokens": 5, "total_tokens": 14, "prompt_cache_hit_tokens": 4,
             "prompt_cache_miss_tokens": 5, "completion_tokens_details": {"reasoning_tokens": 2}}  # fmt: skip
    message = {"content": "A", "reasoning_content": "hm"}
    response = parse(whole(message, "insufficient_system_resource", usage=usage), DEEPSEEK)
    assert (response.reasoning, response.finish_reason) == ("hm", "error")
    assert response.raw_finish_reason == "insufficient_system_resource"
    assert response.usage == Usage(text_in=5, cached={"text": 4}, text_out=3, reasoning=2)
    events = [chunk({"reasoning_content": "hm"}), chunk({"content": "A", "reasoning_content": None}),
              {**chunk(finish="length"), "usage": usage}]  # fmt: skip
    assert stream(*events, codec=DEEPSEEK).usage == response.usage


def test_blank_lines_before_a_reply_are_keep_alives() -> None:
    body = b"\n\n\n" + b'{"choices":[{"message":{"content":"Hi"},"finish_reason":"stop"}]}'
    assert parse(body, DEEPSEEK).content == "Hi"


def test_an_unknown_model_is_a_400_here() -> None:
    body = b'{"error":{"message":"The supported API model names are a or b, but you passed c.","code":"invalid_request_error"}}'
    assert type(DEEPSEEK.parse_error(WireResponse(status=400, body=body))) is ModelNotFoundError


def test_beta_goes_on_with_a_message_and_holds_tools_to_their_schemas() -> None:
    beta = {"deepseek": {"beta": True}}
    strict = [Tool(name="f", strict=True)]
    history = (Message.user("Hi"), Message.assistant("Hel"))
    request = build(make_call(history, of=V4, options=beta, tools=strict, reasoning=False), DEEPSEEK)
    body: Any = request.body
    assert (request.url, body["messages"][-1]["prefix"], body["tools"][0]["function"]["strict"]) == (
        "/beta/chat/completions", True, True,
    )  # fmt: skip
    assert "beta" not in body
    assert request.warnings == ()
    plain = build(make_call(history, of=V4, tools=strict, reasoning=False), DEEPSEEK)
    body = plain.body
    assert (plain.url, body["tools"][0]["function"]) == ("/chat/completions", {"name": "f"})
    assert "prefix" not in body["messages"][-1]
    assert dropped(plain) == ["tools.strict"]
