"""What usage costs: counters and units, band edges, other ways to buy, and what is not known."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from betterai.config.providers import ALL_MODELS
from betterai.core.exceptions import ValidationError
from betterai.core.price import Price, Rates, Tier, price_usage
from betterai.core.settings import GenerationSettings
from betterai.core.usage import Cost, Usage
from betterai.core.wire import Call, WireResponse
from betterai.runtime.registry import choose_protocol, get_provider


def rates(**tokens: str) -> Rates:
    return Rates(tokens={name: Decimal(rate) for name, rate in tokens.items()})


PRICE = Price(
    rates=rates(text_in="2", text_out="10", cached="0.5", cache_write="2.5", cache_write_1h="4", audio_in="8"),
    tiers=(
        Tier(above=1_000, rates=rates(text_in="4", text_out="20", cached="1")),
        Tier(above=5_000, rates=rates(text_in="6", text_out="30", cached="1.5")),
    ),
    variants={
        "batch": Price(rates=rates(text_in="1", text_out="5")),
        "priority": Price(
            rates=rates(text_in="3", text_out="15"),
            tiers=(Tier(above=1_000, rates=rates(text_in="5", text_out="25")),),
        ),
    },
)


def cost(usage: Usage, price: Price = PRICE, variant: str = "") -> tuple[str | None, str]:
    """The amount in millionths of a dollar, and how sure it is."""
    found = price_usage(usage, price, variant)
    amount = None if found.amount is None else f"{(found.amount * 1_000_000).normalize():f}"
    return amount, found.status


@pytest.mark.parametrize(
    ("usage", "amount"),
    [
        (Usage(text_in=100, text_out=10), "300"),
        (Usage(text_in=100, text_out=10, reasoning=5), "350"),
        (Usage(text_in=100, cached={"text": 50}), "225"),
        (Usage(text_in=100, audio_in=10), "280"),
        (Usage(image_in=10, video_in=10), "40"),
        (Usage(cache_write={"": 10}), "25"),
        (Usage(cache_write={"5m": 10}), "25"),
        (Usage(cache_write={"1h": 10}), "40"),
        (Usage(), "0"),
    ],
)
def test_each_counter_has_its_rate_or_the_one_it_is_billed_at(usage: Usage, amount: str) -> None:
    assert cost(usage) == (amount, "exact")


@pytest.mark.parametrize(
    ("tokens", "each"), [(999, 2), (1_000, 2), (1_001, 4), (4_999, 4), (5_000, 4), (5_001, 6), (100_000, 6)]
)
def test_a_band_begins_one_token_after_its_edge_and_holds_for_the_whole_call(tokens: int, each: int) -> None:
    assert cost(Usage(text_in=tokens)) == (str(tokens * each), "exact")


@pytest.mark.parametrize(
    "parts", [{"text_in": 1}, {"audio_in": 1}, {"cached": {"text": 1}}, {"cache_write": {"1h": 1}}]
)
def test_all_input_counts_for_the_band(parts: dict[str, Any]) -> None:
    usage = Usage(**{**parts, "text_in": 1_000 + parts.get("text_in", 0), "text_out": 1})
    assert price_usage(usage, PRICE).parts["text_out"] == Decimal("0.00002")


def test_a_rate_that_a_band_does_not_name_is_the_first_bands_and_an_estimate() -> None:
    assert cost(Usage(text_in=1_000, audio_in=10)) == ("4080", "estimated")


@pytest.mark.parametrize(
    ("variant", "tokens", "amount", "status"),
    [
        ("batch", 100, "100", "exact"),
        ("batch", 1_000, "1000", "exact"),
        ("batch", 1_001, "1001", "estimated"),
        ("priority", 1_000, "3000", "exact"),
        ("priority", 1_001, "5005", "exact"),
        ("flex", 100, "200", "estimated"),
        ("", 100, "200", "exact"),
    ],
)
def test_other_ways_to_buy_have_their_own_bands(variant: str, tokens: int, amount: str, status: str) -> None:
    assert cost(Usage(text_in=tokens), variant=variant) == (amount, status)


def test_what_a_variant_does_not_name_is_never_cheaper_by_accident() -> None:
    assert cost(Usage(text_in=100, audio_in=10), variant="batch") == ("180", "estimated")


@pytest.mark.parametrize(
    ("usage", "price", "reason"),
    [
        (None, PRICE, "no usage"),
        (Usage(text_in=1), None, "no price is known for this model"),
        (Usage(text_in=1, other=5), PRICE, "other"),
        (Usage(audio_out=1), PRICE, "audio_out"),
        (Usage(image_out=1), PRICE, "image_out"),
        (Usage(text_in=1), Price(rates=Rates(units={"image": Decimal(1)})), "text_in"),
        (Usage(units={"second": 3}), Price(rates=Rates(units={"image": Decimal(1)})), "second"),
        (Usage(), Price(rates=Rates(units={"second": Decimal(1)})), "second"),
    ],
)
def test_what_has_no_price_costs_something_unknown_never_nothing(
    usage: Usage | None, price: Price | None, reason: str
) -> None:
    found = price_usage(usage, price)
    assert (found.amount, found.status) == (None, "unknown")
    assert reason in found.reason


@pytest.mark.parametrize(
    ("usage", "amount"),
    [
        (Usage(cached={"text": 10}), "20"),
        (Usage(cached={"audio": 10}), "20"),
        (Usage(cache_write={"24h": 10}), "20"),
    ],
)
def test_cached_tokens_without_a_rate_are_estimated_at_the_full_one(usage: Usage, amount: str) -> None:
    assert cost(usage, Price(rates=rates(text_in="2"))) == (amount, "estimated")


def test_units_are_priced_beside_tokens_and_one_without_a_price_makes_an_estimate() -> None:
    price = Price(rates=Rates(tokens={"text_in": Decimal(1)}, units={"search": Decimal("0.01")}))
    assert cost(Usage(text_in=10, units={"search": 3}), price) == ("30010", "exact")
    assert cost(Usage(text_in=10, units={"search": 3, "page": 1}), price) == ("30010", "estimated")
    assert cost(Usage(units={"search": 0.5}), price) == ("5000", "exact")


def test_units_keep_their_price_in_bands_and_variants() -> None:
    price = Price(
        rates=Rates(tokens={"text_in": Decimal(1)}, units={"search": Decimal("0.01")}),
        variants={"batch": Price(rates=rates(text_in="0.5"))},
    )
    assert cost(Usage(text_in=10, units={"search": 1}), price, "batch") == ("10005", "exact")


def test_a_note_of_the_price_makes_an_estimate_and_is_its_reason() -> None:
    found = price_usage(Usage(text_in=1), Price(rates=rates(text_in="1"), note="cheaper at night"))
    assert (found.status, found.reason) == ("estimated", "cheaper at night")


def test_what_the_provider_states_wins() -> None:
    assert price_usage(Usage(text_in=1, other=3, stated_cost=Decimal("0.07")), None) == Cost(
        amount=Decimal("0.07"), status="exact", reason="stated by the provider"
    )


TIERED = b'{"id":"c","model":"gpt-6-luna","service_tier":"%s","choices":[{"index":0,"message":{"content":"x"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1000,"completion_tokens":10,"total_tokens":1010}}'


@pytest.mark.parametrize(
    ("tier", "variant"), [(b"flex", "flex"), (b"priority", "priority"), (b"default", ""), (b"auto", "")]
)
def test_the_tier_that_the_provider_says_it_billed_is_priced(tier: bytes, variant: str) -> None:
    model = ALL_MODELS["openai/gpt-6-luna"]
    call = Call(model=model, input=(), settings=GenerationSettings(), id="tier")
    reply = WireResponse(status=200, headers={}, body=TIERED % tier)
    usage = choose_protocol(get_provider("openai"), "text", model, "openai_chat").parse_response(call, reply).usage
    assert usage.tier == variant
    assert model.price is not None
    rates = (model.price.variants[variant] if variant else model.price).rates.tokens
    found = price_usage(usage, model.price)
    assert found.amount == (1000 * rates["text_in"] + 10 * rates["text_out"]) / 1_000_000
    assert found.status == "exact"


def test_sums_of_usage_keep_the_tier() -> None:
    assert (Usage(text_in=1, tier="flex") + Usage(text_in=1, tier="flex")).tier == "flex"


def test_real_prices_have_bands_and_variants() -> None:
    price = ALL_MODELS["openai/gpt-6-luna"].price
    assert price is not None
    (band,) = price.tiers
    below, above = (
        price_usage(Usage(text_in=band.above + more, text_out=1), price, "batch").parts["text_in"] for more in (0, 1)
    )
    batch = price.variants["batch"]
    assert below == batch.rates.tokens["text_in"] * band.above / 1_000_000
    assert above == batch.tiers[0].rates.tokens["text_in"] * (band.above + 1) / 1_000_000


def test_a_sum_of_tiers_is_an_estimate() -> None:
    price = Price(rates=Rates(tokens={"text_in": Decimal(1)}))
    whole = Usage(text_in=1) + Usage(text_in=1, tier="priority")
    assert price_usage(whole, price).status == "estimated"


def test_c2_a_negative_count_has_no_price() -> None:
    cost = price_usage(Usage(text_in=-5), Price(rates=Rates(tokens={"text_in": Decimal(1)})))
    assert (cost.status, cost.amount) == ("unknown", None)
    assert "-5 tokens" in cost.reason


def test_a_rate_that_is_not_exact_is_refused_where_it_is_written() -> None:
    with pytest.raises(ValidationError, match=r"rate text_in must be a Decimal, not float \(0.1\)"):
        Rates(tokens={"text_in": 0.1})  # type: ignore[dict-item]
