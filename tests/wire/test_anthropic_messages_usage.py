"""Messages: token counts as disjoint counters whose sums are the body's, and back."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from betterai.config.providers import ALL_MODELS
from betterai.core.price import price_usage
from betterai.core.usage import Usage
from betterai.wire.anthropic_messages.shapes import UsageShape
from betterai.wire.anthropic_messages.usage import build_usage, merge_usage, parse_usage
from together import each


def read(**body: Any) -> Usage | None:
    return parse_usage(msgspec.convert(body, UsageShape))


CREATED = {"ephemeral_5m_input_tokens": 3, "ephemeral_1h_input_tokens": 4}


@each(
    ("body", "usage"),
    [
        ({"input_tokens": 7, "output_tokens": 2}, Usage(text_in=7, text_out=2)),
        ({"input_tokens": 7}, Usage(text_in=7)),
        (
            {"input_tokens": 7, "output_tokens": 2, "cache_read_input_tokens": 0, "cache_creation_input_tokens": 0},
            Usage(text_in=7, text_out=2, cached={"text": 0}, cache_write={"": 0}),
        ),
        (
            {"input_tokens": 7, "output_tokens": 2, "cache_read_input_tokens": 5, "cache_creation_input_tokens": 7,
             "cache_creation": CREATED},
            Usage(text_in=7, text_out=2, cached={"text": 5}, cache_write={"5m": 3, "1h": 4}),
        ),
        (
            {"input_tokens": 7, "output_tokens": 2, "cache_creation_input_tokens": 9, "cache_creation": CREATED},
            Usage(text_in=7, text_out=2, cache_write={"5m": 3, "1h": 4, "": 2}),
        ),
        (
            {"input_tokens": 7, "output_tokens": 2, "cache_creation_input_tokens": 5, "cache_creation": CREATED},
            Usage(text_in=7, text_out=2, cache_write={"": 5}),
        ),
        (
            {"input_tokens": 7, "output_tokens": 9, "output_tokens_details": {"thinking_tokens": 4}},
            Usage(text_in=7, text_out=5, reasoning=4),
        ),
        (
            {"input_tokens": 7, "output_tokens": 9, "output_tokens_details": {"thinking_tokens": 0}},
            Usage(text_in=7, text_out=9, reasoning=0),
        ),
        (
            {"input_tokens": 7, "output_tokens": 2, "server_tool_use": {"web_search_requests": 2, "web_fetch_requests": 0}},
            Usage(text_in=7, text_out=2, units={"search": 2.0}),
        ),
        ({"input_tokens": 7, "output_tokens": 2, "service_tier": "standard"}, Usage(text_in=7, text_out=2)),
        ({"input_tokens": 7, "output_tokens": 2, "service_tier": "priority"}, Usage(text_in=7, text_out=2, tier="priority")),
        ({"input_tokens": 7, "output_tokens": 2, "speed": "fast"}, Usage(text_in=7, text_out=2, tier="fast")),
        ({"service_tier": "standard"}, None),
        ({}, None),
    ],
)  # fmt: skip
def test_the_counters(body: dict[str, Any], usage: Usage | None) -> None:
    assert read(**body) == usage


def test_a_body_without_usage_has_none() -> None:
    assert parse_usage(None) is None


COUNTS = st.integers(0, 10**6)


@given(st.builds(Usage, text_in=COUNTS, text_out=COUNTS, reasoning=st.none() | COUNTS, cached=st.fixed_dictionaries(
    {"text": COUNTS}), cache_write=st.fixed_dictionaries({"5m": COUNTS, "1h": COUNTS})))  # fmt: skip
def test_counters_come_out_as_they_went_in(usage: Usage) -> None:
    assert read(**build_usage(usage)) == usage


def test_what_the_protocol_has_no_name_for_is_in_the_sums() -> None:
    usage = Usage(text_in=1, audio_in=2, image_in=3, text_out=4, audio_out=5, cache_write={"": 6})
    body = build_usage(usage)
    assert (body["input_tokens"], body["output_tokens"], body["cache_creation_input_tokens"]) == (6, 9, 6)
    assert "cache_creation" not in body


def test_later_counts_stand_over_earlier_ones() -> None:
    early, late = UsageShape(input_tokens=7, output_tokens=1, service_tier="standard"), UsageShape(output_tokens=5)
    merged = merge_usage(early, late)
    assert merged == UsageShape(input_tokens=7, output_tokens=5, service_tier="standard")
    assert merge_usage(None, late) is late
    assert merge_usage(early, None) is early


def test_the_catalogue_prices_all_of_it() -> None:
    model = ALL_MODELS.find("anthropic/claude-sonnet-4-5")
    assert model is not None
    usage = read(
        input_tokens=10**6, output_tokens=10**6, cache_read_input_tokens=10**6, cache_creation_input_tokens=2 * 10**6,
        cache_creation={"ephemeral_5m_input_tokens": 10**6, "ephemeral_1h_input_tokens": 10**6},
        server_tool_use={"web_search_requests": 100}, output_tokens_details={"thinking_tokens": 10**5},
    )  # fmt: skip
    cost = price_usage(usage, model.price)
    assert cost.status == "exact"
    assert cost.parts["search"] == Decimal(1)
    assert {"cache_write_5m", "cache_write_1h", "cached", "text_in", "text_out", "reasoning"} <= cost.parts.keys()
