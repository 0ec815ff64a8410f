"""Together: its deviations from Chat Completions."""

from __future__ import annotations

from typing import Any

import pytest

from betterai.core.exceptions import QuotaExceededError, UnsupportedParam
from betterai.core.settings import ReasoningControl
from betterai.core.usage import Usage
from betterai.core.wire import WireRequest, WireResponse
from betterai.providers.together import PROVIDER
from betterai.providers.together.chat import TogetherChat
from betterai.runtime.replay.round_trip import make_round_trip
from wire.chats import SURFACE, body_of, build, chunk, dropped, make_call, model, parse, stream, translated, whole

TOGETHER = TogetherChat()
ANY = model("together")


def test_the_declaration() -> None:
    base = PROVIDER.setting("base_url")
    assert base is not None
    assert base.default == "https://api.together.ai/v1"
    assert PROVIDER.defaults["text"] in PROVIDER.models()


@pytest.mark.parametrize(
    ("settings", "sent"),
    [
        ({"logprobs": True, "top_logprobs": 5}, {"logprobs": 5}),
        ({"logprobs": True}, {"logprobs": 1}),
        ({"logprobs": True, "top_logprobs": 0}, {"logprobs": 1}),
        ({"logprobs": False}, {"logprobs": 0}),
        ({"logprobs": False, "top_logprobs": 5}, {"logprobs": 0}),
        ({"top_logprobs": 5}, {"logprobs": 5}),
        ({"logprobs": None}, {"logprobs": None}),
        ({"top_logprobs": 0}, {"logprobs": 0}),
        ({"top_logprobs": None}, {"logprobs": None}),
    ],
)
def test_logprobs_are_a_number(settings: dict[str, Any], sent: dict[str, Any]) -> None:
    assert body_of(TOGETHER, **settings) == sent


def test_logprobs_of_its_own_clients_come_out_as_they_went_in() -> None:
    call = SURFACE.parse_request(WireRequest(url="", body={"model": "m", "messages": [], "logprobs": 2}))
    assert TOGETHER.build_request(call).body["logprobs"] == 2  # type: ignore[index, call-overload]


def test_logprobs_come_as_lists() -> None:
    body = whole()
    body["choices"][0]["logprobs"] = {"token_ids": [1], "tokens": ["Hi"], "token_logprobs": [-0.5]}
    assert [(token.token, token.logprob) for token in parse(body, TOGETHER).logprobs or ()] == [("Hi", -0.5)]


@pytest.mark.parametrize(
    ("value", "sent", "said"),
    [
        (False, {"reasoning": {"enabled": False}}, []),
        (True, {"reasoning": {"enabled": True}}, []),
        ("none", {"reasoning": {"enabled": False}}, []),
        ("high", {"reasoning_effort": "high"}, []),
        ("max", {"reasoning_effort": "high"}, ["reasoning"]),
        (ReasoningControl(enabled=True, effort="low"), {"reasoning": {"enabled": True}, "reasoning_effort": "low"}, []),
    ],
)
def test_thinking(value: Any, sent: dict[str, Any], said: list[str]) -> None:
    request = build(make_call(of=ANY, reasoning=value), TOGETHER)
    assert {name: item for name, item in request.body.items() if name.startswith("reasoning")} == sent  # type: ignore[union-attr]
    assert translated(request) == said


def test_its_own_fields() -> None:
    fields = {"max_tokens": 5, "top_k": 3, "min_p": 0.1, "repetition_penalty": 1.1, "safety_model": "s", "echo": True,
              "context_length_exceeded_behavior": "error", "reasoning": {"enabled": False}}  # fmt: skip
    body = {"model": "any-model", "messages": [{"role": "user", "content": "Hi"}], **fields}
    _, trip = make_round_trip(TOGETHER, ANY.provider, WireRequest(url="", body=body))
    assert (trip.sent, trip.carried) == (body, ())


def test_what_it_does_not_take() -> None:
    request = build(make_call(of=ANY, user="ann", store=True, parallel_tool_calls=True), TOGETHER)
    assert dropped(request) == ["user", "store", "parallel_tool_calls"]
    with pytest.raises(UnsupportedParam):
        build(make_call(of=ANY, parallel_tool_calls=False), TOGETHER)


def test_replies() -> None:
    usage = {"prompt_tokens": 9, "completion_tokens": 5, "total_tokens": 14, "cached_tokens": 4}
    response = parse(whole({"content": "A", "reasoning": "hm"}, "eos", usage=usage, warnings=[]), TOGETHER)
    assert (response.reasoning, response.finish_reason, response.raw_finish_reason) == ("hm", "stop", "eos")
    assert response.usage == Usage(text_in=5, cached={"text": 4}, text_out=5)
    events = [chunk({"reasoning": "hm"}), chunk({"content": "A"}), {**chunk(finish="eos"), "usage": usage}]
    streamed = stream(*events, codec=TOGETHER)
    assert (streamed.message, streamed.usage, streamed.finish_reason) == (response.message, response.usage, "stop")


def test_no_money() -> None:
    body = b'{"error":{"message":"Credit limit exceeded","type":"credit_limit","param":null,"code":null}}'
    assert type(TOGETHER.parse_error(WireResponse(status=402, body=body))) is QuotaExceededError
