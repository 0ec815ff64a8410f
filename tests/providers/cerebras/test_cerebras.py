"""Cerebras: its deviations from Chat Completions."""

from __future__ import annotations

import json
from typing import Any

import pytest

from betterai.core.exceptions import (
    AuthenticationError,
    BadRequestError,
    OverloadedError,
    ProviderError,
    RateLimitError,
)
from betterai.core.message import Message, Reasoning, Text, ToolCall
from betterai.core.settings import ReasoningControl
from betterai.core.usage import Usage
from betterai.core.wire import WireRequest, WireResponse
from betterai.providers.cerebras import PROVIDER
from betterai.providers.cerebras.chat import CerebrasChat
from betterai.runtime.replay.round_trip import make_round_trip
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

CEREBRAS = CerebrasChat()
ANY = model("cerebras")
GLM = listed("cerebras", "zai-glm-4.7")
NEWER = listed("cerebras", "kimi-k3")
OSS = listed("cerebras", "gpt-oss-120b")


def test_the_declaration() -> None:
    host = PROVIDER.setting("host")
    assert host is not None
    assert (host.default, PROVIDER.base_url) == ("https://api.cerebras.ai", "{host}/v1")
    assert PROVIDER.defaults["text"] in PROVIDER.models()


TURN = Message(role="assistant", parts=(Reasoning(text="hm"), Text(text="A")))
CALLING = Message(role="assistant", parts=(Reasoning(text="hm"), ToolCall(id="a", name="f", arguments="{}")))


def test_thoughts_go_back_in_their_field() -> None:
    assert messages_of(TURN, codec=CEREBRAS, of=OSS) == [{"role": "assistant", "content": "A", "reasoning": "hm"}]


def test_thoughts_of_glm_go_back_in_tags() -> None:
    assert messages_of(TURN, codec=CEREBRAS, of=GLM) == [{"role": "assistant", "content": "<think>hm</think>A"}]
    (calling,) = messages_of(CALLING, codec=CEREBRAS, of=GLM)
    assert calling["content"] == "<think>hm</think>"
    assert calling["tool_calls"][0]["function"]["name"] == "f"
    assert messages_of(Message.assistant("A"), codec=CEREBRAS, of=GLM) == [{"role": "assistant", "content": "A"}]


@pytest.mark.parametrize(
    ("of", "value", "sent", "said"),
    [
        (GLM, "none", {"reasoning_effort": "none"}, []),
        (GLM, False, {"reasoning_effort": "none"}, []),
        (NEWER, "none", {"disable_reasoning": True}, []),
        (NEWER, False, {"disable_reasoning": True}, []),
        (NEWER, "max", {"reasoning_effort": "max"}, []),
        (NEWER, "medium", {"reasoning_effort": "low"}, ["reasoning"]),
        (OSS, "none", {"reasoning_effort": "low"}, ["reasoning"]),
        (OSS, ReasoningControl(effort="high", format="parsed"), {"reasoning_effort": "high", "reasoning_format": "parsed"}, []),
    ],
)  # fmt: skip
def test_thinking(of: Any, value: Any, sent: dict[str, Any], said: list[str]) -> None:
    request = build(make_call(of=of, reasoning=value), CEREBRAS)
    assert {name: item for name, item in request.body.items() if name not in ("model", "messages")} == sent  # type: ignore[union-attr]
    assert translated(request) == said


def test_its_own_fields() -> None:
    fields = {"clear_thinking": False, "min_tokens": 3, "reasoning_effort": "none", "service_tier": "flex", "seed": 1}
    body = {"model": "zai-glm-4.7", "messages": [{"role": "user", "content": "Hi"}], **fields}
    _, trip = make_round_trip(CEREBRAS, GLM.provider, WireRequest(url="", body=body))
    assert (trip.sent, trip.carried) == (body, ())


def test_what_it_does_not_take() -> None:
    request = build(make_call(of=ANY, logit_bias={"1": 1.0}, store=True, frequency_penalty=0.5), CEREBRAS)
    assert dropped(request) == ["logit_bias", "store"]
    assert body_of(CEREBRAS, prediction="x") == {"prediction": {"type": "content", "content": "x"}}


def test_replies() -> None:
    usage = {"prompt_tokens": 9, "completion_tokens": 5, "total_tokens": 14, "prompt_tokens_details": {"cached_tokens": 0},
             "completion_tokens_details": {"reasoning_tokens": 2, "accepted_prediction_tokens": 0}}  # fmt: skip
    times = {"queue_time": 0.1, "prompt_time": 0.1, "completion_time": 0.2, "total_time": 0.4, "created": 1}
    response = parse(whole({"content": "A", "reasoning": "hm"}, usage=usage, time_info=times), CEREBRAS)
    assert (response.reasoning, response.usage) == ("hm", Usage(text_in=9, cached={"text": 0}, text_out=3, reasoning=2))
    assert response.raw["time_info"] == times
    events = [
        chunk({"reasoning": "hm"}),
        chunk({"content": "A"}),
        {**chunk(finish="stop"), "usage": usage, "time_info": times},
    ]
    streamed = stream(*events, codec=CEREBRAS, done=False)
    assert (streamed.message, streamed.usage) == (response.message, response.usage)


@pytest.mark.parametrize(
    ("status", "kind"),
    [(400, BadRequestError), (401, AuthenticationError), (429, RateLimitError), (503, OverloadedError)],
)
def test_its_errors_are_flat(status: int, kind: type[ProviderError]) -> None:
    body = {"message": "boom", "type": "some_error", "param": "x", "code": "odd"}
    found = CEREBRAS.parse_error(WireResponse(status=status, body=json.dumps(body).encode()))
    assert type(found) is kind
    assert (found.code, found.provider_message) == ("odd", "boom")


@pytest.mark.parametrize(
    ("event", "kind"),
    [
        (
            {"error": {"message": "boom", "type": "x", "param": "", "code": "y", "id": ""}, "status_code": 429},
            RateLimitError,
        ),
        ({"error": {"message": "boom", "type": "x", "param": "", "code": "y"}, "status_code": 400}, BadRequestError),
        ({"message": "boom", "type": "x", "param": "", "code": "y"}, ProviderError),
    ],
)
def test_an_error_in_a_stream(event: Any, kind: type[ProviderError]) -> None:
    with pytest.raises(kind) as caught:
        stream(chunk({"content": "A"}), event, codec=CEREBRAS)
    assert (caught.value.provider_message, caught.value.status) == ("boom", event.get("status_code", 500))
