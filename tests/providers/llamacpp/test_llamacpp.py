"""llama.cpp: its deviations from Chat Completions. A real server answers in tests/peers."""

from __future__ import annotations

from typing import Any

import pytest

import betterai
from betterai.core.exceptions import AuthenticationError, ContextLengthError, OverloadedError, ProviderError
from betterai.core.message import Message
from betterai.core.settings import ReasoningControl
from betterai.core.tools import Tool, ToolChoice
from betterai.core.wire import WireResponse
from betterai.providers.llamacpp import PROVIDER
from betterai.providers.llamacpp.chat import LlamaCppChat
from runtime.upstream import Upstream, answer, reply
from wire.chats import build, make_call, model, parse, translated, whole

LLAMA = LlamaCppChat()
ANY = model("llamacpp")
LOADING = {"error": {"code": 503, "message": "Loading model", "type": "unavailable_error"}}


async def test_a_server_that_still_loads_its_model_is_asked_again() -> None:
    with Upstream(reply(503, LOADING, {"Retry-After": "0"}), answer()) as upstream:
        config = betterai.CoreConfig(model="llamacpp", base_url=upstream.url, api_key="", timeout=20)
        response = await betterai.get_text_provider(config).generate([Message.user("Hello")])
    assert (response.content, response.warnings) == ("Hello", ())
    assert [request.body["model"] for request in upstream.requests] == ["default", "default"]
    assert "Authorization" not in upstream.requests[0].headers


@pytest.mark.parametrize(
    ("status", "body", "kind", "again"),
    [
        (503, b'{"error":{"code":503,"message":"Loading model","type":"unavailable_error"}}', OverloadedError, True),
        (401, b'{"error":{"code":401,"message":"Invalid API Key","type":"authentication_error"}}', AuthenticationError,
         False),
        (501, b'{"error":{"code":501,"message":"This server does not support it","type":"not_supported_error"}}',
         ProviderError, False),
        (400, b'{"error":{"code":400,"message":"the request exceeds the available context size","type":'
         b'"exceed_context_size_error","n_prompt_tokens":99,"n_ctx":64}}', ContextLengthError, False),
    ],
)  # fmt: skip
def test_errors(status: int, body: bytes, kind: type[Exception], again: bool) -> None:
    error = LLAMA.parse_error(WireResponse(status=status, body=body))
    assert (type(error), error.retryable) == (kind, again)
    assert error.code.endswith("_error")


@pytest.mark.parametrize(
    ("value", "sent"),
    [
        ("none", {"reasoning_effort": "none"}),
        (False, {"chat_template_kwargs": {"enable_thinking": False}}),
        (ReasoningControl(format="deepseek"), {"reasoning_format": "deepseek"}),
    ],
)
def test_reasoning(value: Any, sent: dict[str, Any]) -> None:
    request = build(make_call(of=ANY, reasoning=value), LLAMA)
    assert {name: item for name, item in request.body.items() if name not in ("model", "messages")} == sent  # type: ignore[union-attr]
    assert translated(request) == []


def test_its_own_fields() -> None:
    options = {"llamacpp": {"grammar": 'root ::= "a"', "cache_prompt": False}}
    body = build(make_call(of=ANY, top_k=3, max_tokens=9, options=options), LLAMA).body
    assert {name: item for name, item in body.items() if name not in ("model", "messages")} == {  # type: ignore[union-attr]
        "top_k": 3, "max_tokens": 9, "grammar": 'root ::= "a"', "cache_prompt": False,
    }  # fmt: skip


def test_one_tool_can_be_named_where_it_is_the_only_one() -> None:
    tools = [Tool(name="f"), Tool(name="g")]
    built = build(make_call(of=ANY, tools=tools[:1], tool_choice="f"), LLAMA)
    assert built.body["tool_choice"] == "required"  # type: ignore[index]
    assert [(warning.code, warning.field) for warning in built.warnings] == [("translated", "tool_choice")]
    with pytest.raises(betterai.UnsupportedParam, match="alone"):
        build(make_call(of=ANY, tools=tools, tool_choice="f"), LLAMA)
    with pytest.raises(betterai.UnsupportedParam, match="fewer tools"):
        build(make_call(of=ANY, tools=tools, tool_choice=ToolChoice(names=("f", "g"))), LLAMA)


def test_timings_are_in_the_raw_response() -> None:
    usage = {
        "prompt_tokens": 9,
        "completion_tokens": 5,
        "total_tokens": 14,
        "prompt_tokens_details": {"cached_tokens": 8},
    }
    response = parse(whole({"content": "A", "reasoning_content": "hm"}, usage=usage, timings={"cache_n": 8}), LLAMA)
    assert response.usage is not None
    assert (response.reasoning, response.usage.cache_read_tokens, response.raw["timings"]) == ("hm", 8, {"cache_n": 8})


def test_a_key_is_optional_and_has_the_servers_variable_too() -> None:
    key = PROVIDER.setting("api_key")
    assert key is not None
    assert (key.required, key.env[-1]) == (False, "LLAMA_API_KEY")
