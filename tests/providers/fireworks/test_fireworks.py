"""Fireworks: its deviations, at a double made of what is documented, as nothing of it was recorded."""

from __future__ import annotations

from typing import Any

import pytest

import betterai
from betterai import CoreConfig
from betterai.core.exceptions import BadRequestError
from betterai.core.message import Message, Reasoning, Text
from betterai.core.settings import ReasoningControl
from betterai.core.usage import Usage
from betterai.core.wire import WireRequest
from betterai.providers.fireworks import PROVIDER
from betterai.providers.fireworks.chat import FireworksChat
from betterai.runtime.replay.round_trip import make_round_trip
from runtime.upstream import Upstream, reply
from runtime.upstream import stream as stream_of
from wire.chats import as_sse, build, chunk, make_call, messages_of, model, translated, whole

FIREWORKS = FireworksChat()
ANY = model("fireworks")
NAME = PROVIDER.defaults["text"]
USAGE = {"prompt_tokens": 9, "completion_tokens": 5, "total_tokens": 14, "prompt_tokens_details": {"cached_tokens": 4}}


def at(upstream: Upstream) -> CoreConfig:
    return CoreConfig(api_key="k", base_url=upstream.url, retries=0)


async def test_a_chat() -> None:
    with Upstream(reply(200, whole({"content": "A", "reasoning_content": "hm"}, usage=USAGE))) as upstream:
        response = await betterai.Client().generate(f"fireworks/{NAME}", "Hello", config=at(upstream), max_tokens=5)
        body = upstream.requests[0].body
    assert body == {"model": NAME, "messages": [{"role": "user", "content": "Hello"}], "max_tokens": 5}
    assert (response.content, response.reasoning) == ("A", "hm")
    assert response.usage == Usage(text_in=5, cached={"text": 4}, text_out=5)


async def test_a_stream() -> None:
    events = [chunk({"reasoning_content": "hm"}), chunk({"content": "A"}), {**chunk(finish="stop"), "usage": USAGE}]
    with Upstream(stream_of([as_sse(events)])) as upstream:
        async with betterai.Client().stream(f"fireworks/{NAME}", "Hello", config=at(upstream)) as answer:
            assert [item.content async for item in answer if item.content] == ["A"]
    assert answer.response is not None
    assert (answer.response.reasoning, answer.response.finish_reason) == ("hm", "stop")
    assert answer.response.usage == Usage(text_in=5, cached={"text": 4}, text_out=5)


async def test_an_error() -> None:
    error = {
        "error": {"object": "error", "type": "invalid_request_error", "code": "invalid_request_error", "message": "bad"}
    }
    with Upstream(reply(400, error)) as upstream, pytest.raises(BadRequestError, match="bad"):
        await betterai.Client().generate(f"fireworks/{NAME}", "Hello", config=at(upstream))


@pytest.mark.parametrize(
    ("value", "sent", "said"),
    [
        ("high", {"reasoning_effort": "high"}, []),
        (False, {"reasoning_effort": "none"}, []),
        ("max", {"reasoning_effort": "high"}, ["reasoning"]),
        (4096, {"thinking": {"type": "enabled", "budget_tokens": 4096}}, []),
        (ReasoningControl(enabled=True, budget=9), {"thinking": {"type": "enabled", "budget_tokens": 9}}, []),
        (
            ReasoningControl(effort="low", budget=9),
            {"thinking": {"type": "enabled", "budget_tokens": 9}},
            ["reasoning"],
        ),
        (0, {"reasoning_effort": "none"}, ["reasoning"]),
    ],
)
def test_an_effort_and_a_budget_exclude_each_other(value: Any, sent: dict[str, Any], said: list[str]) -> None:
    request = build(make_call(of=ANY, reasoning=value), FIREWORKS)
    assert {name: item for name, item in request.body.items() if name not in ("model", "messages")} == sent  # type: ignore[union-attr]
    assert translated(request) == said


def test_thoughts_go_back() -> None:
    turn = Message(role="assistant", parts=(Reasoning(text="hm"), Text(text="A")))
    sent = {"role": "assistant", "content": "A", "reasoning_content": "hm"}
    assert messages_of(turn, codec=FIREWORKS, of=ANY) == [sent]


def test_its_own_fields() -> None:
    fields = {"top_k": 3, "min_p": 0.1, "typical_p": 0.5, "mirostat_target": 1.5, "reasoning_history": "preserved",
              "context_length_exceeded_behavior": "error", "prompt_truncate_len": 9, "perf_metrics_in_response": True,
              "thinking": {"type": "enabled", "budget_tokens": 9}, "prompt_cache_key": "k"}  # fmt: skip
    body = {"model": "any-model", "messages": [{"role": "user", "content": "Hi"}], **fields}
    _, trip = make_round_trip(FIREWORKS, ANY.provider, WireRequest(url="", body=body))
    assert (trip.sent, trip.carried) == (body, ())
