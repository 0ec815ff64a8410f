"""Hugging Face: a router whose hosts differ."""

from __future__ import annotations

from typing import Any

import pytest

import betterai
from betterai import CoreConfig
from betterai.config.environment import fill_template
from betterai.core.exceptions import BadRequestError, QuotaExceededError
from betterai.core.usage import Usage
from betterai.core.wire import WireRequest, WireResponse
from betterai.providers.huggingface import PROVIDER
from betterai.providers.huggingface.chat import HuggingFaceChat
from betterai.runtime.replay.round_trip import make_round_trip
from runtime.upstream import Upstream, answer
from wire.chats import build, chunk, dropped, make_call, model, parse, stream, whole

ROUTER = HuggingFaceChat()
ANY = model("huggingface")


@pytest.mark.parametrize("route", ["v1", "together/v1"])
def test_the_route(route: str) -> None:
    setting = PROVIDER.setting("route")
    assert setting is not None
    assert setting.default == "v1"
    assert fill_template(PROVIDER.base_url, {"route": route}) == f"https://router.huggingface.co/{route}"


async def test_a_model_may_name_who_serves_it() -> None:
    with Upstream(answer()) as upstream:
        config = CoreConfig(api_key="k", base_url=upstream.url)
        await betterai.Client().generate("huggingface/openai/gpt-oss-120b:cerebras", "Hello", config=config)
        assert upstream.requests[0].body["model"] == "openai/gpt-oss-120b:cerebras"


@pytest.mark.parametrize(
    "usage",
    [
        {"prompt_tokens": 9, "completion_tokens": 5, "cached_tokens": 4},
        {"prompt_tokens": 9, "completion_tokens": 5, "prompt_tokens_details": {"cached_tokens": 4}, "queue_time": 0.1},
    ],
)
@pytest.mark.parametrize("field", ["reasoning", "reasoning_content"])
def test_replies_in_the_words_of_the_hosts(usage: dict[str, Any], field: str) -> None:
    response = parse(whole({"content": "A", field: "hm"}, "eos", usage=usage, x_groq={"id": "r"}, time_info={}), ROUTER)
    assert (response.reasoning, response.finish_reason) == ("hm", "stop")
    assert response.usage == Usage(text_in=5, cached={"text": 4}, text_out=5)


def test_thoughts_in_tags() -> None:
    """Recorded: DeepSeek R1 at several hosts."""
    response = parse(whole({"content": "<think>\nhm</think>\n\nA"}), ROUTER)
    assert (response.reasoning, response.content) == ("\nhm", "A")
    pieces = ("<thi", "nk>\nh", "m</think", ">\n\n", "A")
    assert (
        stream(*(chunk({"content": piece}) for piece in pieces), chunk(finish="stop"), codec=ROUTER).message
        == response.message
    )


def test_a_stream_without_a_terminator() -> None:
    assert (
        stream(chunk({"content": "A", "name": "assistant"}), chunk(finish="stop"), codec=ROUTER, done=False).content
        == "A"
    )


def test_the_router_knows_a_shorter_choice_of_a_tool() -> None:
    """As huggingface_hub writes it, whose parts and messages also name what they do not hold."""
    parts = [{"type": "text", "text": text, "image_url": None} for text in ("See", "Say")]
    body = {"model": "any-model", "messages": [{"role": "user", "content": parts, "name": None, "tool_calls": None}],
            "tools": [{"type": "function", "function": {"name": "f"}}], "tool_choice": {"function": {"name": "f"}}}  # fmt: skip
    _, trip = make_round_trip(ROUTER, ANY.provider, WireRequest(url="", body=body))
    assert trip.sent == {**body, "tool_choice": {"type": "function", "function": {"name": "f"}}}
    assert (trip.lost, trip.carried) == ((), ())


def test_what_only_openai_has_is_kept_from_the_hosts() -> None:
    request = build(make_call(of=ANY, store=True, metadata={}, service_tier="flex", top_k=3, max_tokens=5), ROUTER)
    assert dropped(request) == ["store", "metadata", "service_tier"]
    assert request.body["max_tokens"] == 5  # type: ignore[index, call-overload]
    assert request.body["top_k"] == 3  # type: ignore[index, call-overload]


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (402, b'{"error":"You have exceeded your monthly included credits for Inference Providers."}', QuotaExceededError),
        (400, b'{"error":{"message":"Model x is not supported by provider y","type":"invalid_request_error","code":"model_not_supported"}}',
         BadRequestError),
    ],
)  # fmt: skip
def test_errors(status: int, body: bytes, kind: type[Exception]) -> None:
    assert type(ROUTER.parse_error(WireResponse(status=status, body=body))) is kind
