"""Moonshot: its deviations from Chat Completions. Nearly nothing was recorded: the bodies here are made of its facts sheet."""

from __future__ import annotations

from typing import Any

import pytest

import betterai
from betterai.core.exceptions import (
    OverloadedError,
    ProviderError,
    QuotaExceededError,
    RateLimitError,
    UnsupportedParam,
)
from betterai.core.message import Message, Reasoning, Text
from betterai.core.tools import Tool
from betterai.core.usage import Usage
from betterai.core.wire import WireResponse
from betterai.providers.moonshot import PROVIDER
from betterai.providers.moonshot.chat import MoonshotChat
from runtime.upstream import Upstream, reply
from runtime.upstream import stream as stream_reply
from wire.chats import as_sse, build, chunk, dropped, listed, make_call, messages_of, model, usage_event, whole

MOONSHOT = MoonshotChat()
ANY = model("moonshot")
COUNTS = {"prompt_tokens": 9, "completion_tokens": 5, "total_tokens": 14, "cached_tokens": 4,
          "completion_tokens_details": {"reasoning_tokens": 2}}  # fmt: skip
USAGE = Usage(text_in=5, cached={"text": 4}, text_out=3, reasoning=2)


def test_the_declaration() -> None:
    key = PROVIDER.setting("api_key")
    assert key is not None
    assert key.env == ("MOONSHOT_API_KEY", "MOONSHOTAI_API_KEY")
    assert PROVIDER.defaults["text"] in PROVIDER.models()


@pytest.mark.parametrize(
    ("id", "reasoning", "sent", "said"),
    [
        ("kimi-k2.6", False, {"thinking": {"type": "disabled"}}, []),
        ("kimi-k2.6", "high", {"thinking": {"type": "enabled"}}, ["reasoning"]),
        ("kimi-k3", False, {"reasoning_effort": "low"}, ["reasoning"]),
        ("kimi-k3", "max", {"reasoning_effort": "max"}, []),
        ("kimi-k2.7-code", "none", {}, ["reasoning"]),
        ("moonshot-v1-8k", "high", {}, ["reasoning"]),
    ],
)
def test_thinking_by_family(id: str, reasoning: Any, sent: dict[str, Any], said: list[str]) -> None:
    request = build(make_call(of=listed("moonshot", id), reasoning=reasoning), MOONSHOT)
    assert {name: value for name, value in request.body.items() if name not in ("model", "messages")} == sent  # type: ignore[union-attr]
    assert [warning.field for warning in request.warnings] == said


def test_sampling_is_fixed_and_tools_are_free_while_it_thinks() -> None:
    kimi = listed("moonshot", "kimi-k2.6")
    assert dropped(build(make_call(of=kimi, temperature=0.5, seed=1), MOONSHOT)) == ["temperature", "seed"]
    with pytest.raises(UnsupportedParam, match="tool_choice"):
        build(make_call(of=kimi, tools=[Tool(name="f")], tool_choice="required"), MOONSHOT)


def test_thoughts_go_back_and_what_is_kept_of_them_is_an_option() -> None:
    turn = Message(role="assistant", parts=(Reasoning(text="hm"), Text(text="A")))
    options = {"moonshot": {"thinking": {"keep": "all"}}}
    request = build(make_call([turn, Message.user("B")], of=ANY, reasoning=True, options=options), MOONSHOT)
    body: Any = request.body
    assert body["thinking"] == {"type": "enabled", "keep": "all"}
    assert body["messages"][0] == {"role": "assistant", "reasoning_content": "hm", "content": "A"}


def test_an_answer_that_is_begun_is_gone_on_with() -> None:
    messages = messages_of(Message.user("A"), Message.assistant("B"), codec=MOONSHOT, of=ANY)
    assert messages[1] == {"role": "assistant", "content": "B", "partial": True}


def connect(url: str) -> Any:
    return betterai.get_text_provider(
        betterai.CoreConfig(model="moonshot/kimi-k3", base_url=url, api_key="k-1", retries=0, timeout=20)
    )


async def test_a_chat() -> None:
    body = whole({"content": "A", "reasoning_content": "hm"}, usage=COUNTS)
    with Upstream(reply(body=body)) as upstream:
        response = await connect(upstream.url).generate("Hello", "", betterai.GenerationSettings(max_tokens=9))
    assert (response.content, response.reasoning, response.usage) == ("A", "hm", USAGE)
    assert upstream.requests[0].path == "/v1/chat/completions"
    assert upstream.requests[0].body["max_completion_tokens"] == 9
    assert upstream.requests[0].headers["Authorization"] == "Bearer k-1"


async def test_a_stream() -> None:
    events = [chunk({"reasoning_content": "hm"}), chunk({"content": "A"}), chunk(finish="stop"), usage_event(**COUNTS)]
    with Upstream(stream_reply([as_sse(events)])) as upstream:
        provider = connect(upstream.url)
        chunks = [item async for item in provider.generate_stream("Hello", "", betterai.GenerationSettings())]
    response = chunks[-1].response
    assert (response.content, response.reasoning, response.usage) == ("A", "hm", USAGE)
    assert upstream.requests[0].body["stream_options"] == {"include_usage": True}


@pytest.mark.parametrize(
    ("type", "message", "kind", "retryable"),
    [
        ("exceeded_current_quota_error", "You exceeded your current token quota", QuotaExceededError, False),
        ("engine_overloaded_error", "The engine is currently overloaded, please try again later", OverloadedError, True),
        ("rate_limit_reached_error", "Your account reached max request: 1, please try again after 1 seconds",
         RateLimitError, True),
    ],
)  # fmt: skip
async def test_an_error(type: str, message: str, kind: type[ProviderError], retryable: bool) -> None:
    refusal = reply(429, {"error": {"type": type, "message": message}})
    with Upstream(refusal) as upstream, pytest.raises(ProviderError) as caught:
        await connect(upstream.url).generate("Hello", "", betterai.GenerationSettings())
    assert (caught.value.__class__, caught.value.code, caught.value.retryable) == (kind, type, retryable)


def test_errors_are_read_without_a_network_too() -> None:
    error = MOONSHOT.parse_error(WireResponse(status=404, body=b'{"error":{"type":"resource_not_found_error",'
                                              b'"message":"Not found the model kimi-x or Permission denied"}}'))  # fmt: skip
    assert isinstance(error, betterai.ModelNotFoundError)
