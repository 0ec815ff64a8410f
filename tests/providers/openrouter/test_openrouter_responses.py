"""OpenRouter's Responses: thoughts in its own words, and the cost of each reply."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from betterai.core.settings import ReasoningControl
from betterai.providers.openrouter.responses import OpenRouterResponses
from wire.responses import fields_of, make_call, model, parse, whole

CODEC = OpenRouterResponses()


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("high", {"effort": "high"}),
        (4000, {"max_tokens": 4000}),
        (True, {"enabled": True}),
        (ReasoningControl(effort="low", summary="auto"), {"effort": "low", "summary": "auto"}),
    ],
)
def test_reasoning(value: Any, written: Any) -> None:
    assert fields_of(CODEC, reasoning=value) == {"reasoning": written}


def test_the_cost_is_stated_and_a_bill_of_the_maker_comes_on_top() -> None:
    stated = {
        "input_tokens": 10, "output_tokens": 5, "cost": 0.001, "is_byok": True,
        "cost_details": {"upstream_inference_cost": 0.002}, "server_tool_use_details": {"web_search_requests": 2},
    }  # fmt: skip
    usage = parse(whole(usage=stated), CODEC, make_call(of=model("openrouter"))).usage
    assert usage is not None
    assert (usage.stated_cost, usage.units) == (Decimal("0.003"), {"search": 2.0})


def test_the_provider_that_answers_can_be_chosen() -> None:
    call = make_call(of=model("openrouter"), options={"openrouter": {"provider": {"only": ["openai"]}}})
    assert CODEC.build_request(call).body["provider"] == {"only": ["openai"]}  # type: ignore[index]
