"""Golden invoices (C1 to C3) over the usage of every protocol but Chat: real bodies, and the edges that none shows."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from betterai.config.providers import ALL_MODELS
from betterai.core.accumulate import Accumulator
from betterai.core.model import ModelConfig
from betterai.core.price import Price, Rates, Tier, price_usage
from betterai.core.settings import GenerationSettings
from betterai.core.usage import Cost, Usage
from betterai.core.wire import Call, WireResponse
from betterai.runtime.registry import get_provider
from betterai.wire.framing import open_framer
from catalogue.bills import bill, count, stream_of, usage_of
from catalogue.test_invoices import price_row
from contract.cases import TEXT_CODECS
from contract.doubles import DOUBLES, Said
from contract.reading import read_whole
from recordings.store import ROOT, load, needs_recordings
from together import each

BILLS: list[tuple[str, str, str]] = [
    tuple(row) for row in json.loads(Path(__file__).with_name("bills.json").read_text())
]
"""Protocol, recording, and the model that it is priced as."""
NEAR = Decimal("0.000000001")


def read_usage(protocol: str, exchange: Mapping[str, Any], id: str) -> Usage | None:
    """As the provider's codec reads it."""
    name, response = exchange["provider"], exchange["response"]
    codec = get_provider(name).protocols["text"][protocol]
    streamed = "body_text" in response or "body_base64" in response
    call: Any = Call(
        model=ALL_MODELS[f"{name}/{id}"], input=(), settings=GenerationSettings(), stream=streamed, id="bill"
    )
    if not streamed:
        body = msgspec.json.encode(response["body"])
        return codec.parse_response(call, WireResponse(status=200, body=body)).usage  # type: ignore[no-any-return, union-attr]
    framing = "event_stream" if "body_base64" in response else "sse"
    state, framer, gathered = codec.open_stream(call), open_framer(framing), Accumulator(id)  # type: ignore[union-attr, arg-type]
    for event in (*framer.feed(stream_of(response)), *framer.flush()):
        for chunk in state.parse_event(event):
            gathered.add(chunk)
        if state.done:
            break
    for chunk in state.finish():
        gathered.add(chunk)
    return gathered.response().usage


def stated(provider: str, usage: Mapping[str, Any]) -> Decimal | None:
    if provider == "openrouter" and usage.get("cost") is not None:
        return Decimal(str(usage["cost"]))
    if provider == "xai" and usage.get("cost_in_usd_ticks") is not None:
        return Decimal(usage["cost_in_usd_ticks"]) / 10**10
    return None


def test_there_are_forty_more_of_all_protocols() -> None:
    kinds = Counter(protocol for protocol, _, _ in BILLS)
    assert kinds.keys() == DOUBLES.keys() - {"openai_chat", "ollama_chat"}
    assert len({path for _, path, _ in BILLS}) == len(BILLS) >= 90
    assert min(kinds.values()) >= 6


@needs_recordings
@pytest.mark.recordings
@pytest.mark.parametrize(("protocol", "path", "id"), BILLS)
def test_c1_a_real_call_costs_what_it_costs_by_hand(protocol: str, path: str, id: str) -> None:
    exchange = load(ROOT / f"{path}.json")
    provider, said = exchange["provider"], usage_of(protocol, exchange["response"])
    usage = read_usage(protocol, exchange, id)
    assert usage is not None
    cost = price_usage(usage, ALL_MODELS[f"{provider}/{id}"].price)
    if (told := stated(provider, said)) is not None:
        assert (cost.amount, cost.status) == (told, "exact")
        return
    searches = (said.get("server_tool_use") or {}).get("web_search_requests") or said.get("searches") or 0
    tokens = count(protocol, said)
    by_hand = bill(tokens, price_row(provider, id)["price"], tier=said.get("tier") or "", searches=searches)
    assert cost.amount is not None, cost.reason
    assert abs(cost.amount - by_hand) < NEAR, (cost, tokens)
    if protocol != "cohere_chat":  # its bill is for less than was read
        assert usage.total_tokens == sum(tokens.values())


# ── edges that no recording shows, at prices made up ──

RATES = {"text_in": "1", "text_out": "10", "cached": "0.1", "cache_write_5m": "1.25", "cache_write_1h": "2"}
LONG = {"text_in": "2", "text_out": "15", "cached": "0.2", "cache_write_5m": "2.5", "cache_write_1h": "4"}
ROW: dict[str, Any] = {
    "rates": {"tokens": RATES, "units": {"search": "0.01"}},
    "tiers": [{"above": 1000, "rates": {"tokens": LONG}}],
    "variants": {
        name: {"rates": {"tokens": {key: str(Decimal(rate) * factor) for key, rate in RATES.items()}},
               "tiers": [{"above": 1000, "rates": {"tokens": {key: str(Decimal(rate) * factor) for key, rate in LONG.items()}}}]}
        for name, factor in {"batch": Decimal("0.5"), "flex": Decimal("0.5"), "priority": Decimal(2)}.items()
    },
}  # fmt: skip


def _rates(row: Mapping[str, Any]) -> Rates:
    return Rates(
        tokens={name: Decimal(rate) for name, rate in row["tokens"].items()},
        units={name: Decimal(rate) for name, rate in row.get("units", {}).items()},
    )


def price_of(row: Mapping[str, Any]) -> Price:
    return Price(
        rates=_rates(row["rates"]),
        tiers=tuple(Tier(above=tier["above"], rates=_rates(tier["rates"])) for tier in row.get("tiers", ())),
        variants={name: price_of(inner) for name, inner in row.get("variants", {}).items()},
    )


PRICE = price_of(ROW)
USAGES: Mapping[str, Mapping[str, Any]] = {
    "anthropic_messages": {
        "input_tokens": 100, "cache_read_input_tokens": 50, "cache_creation_input_tokens": 70, "output_tokens": 30,
        "cache_creation": {"ephemeral_5m_input_tokens": 30, "ephemeral_1h_input_tokens": 40},
        "server_tool_use": {"web_search_requests": 3},
    },
    "openai_responses": {
        "input_tokens": 150, "output_tokens": 30, "total_tokens": 180,
        "input_tokens_details": {"cached_tokens": 50}, "output_tokens_details": {"reasoning_tokens": 12},
    },
    "gemini": {
        "promptTokenCount": 150, "cachedContentTokenCount": 50, "candidatesTokenCount": 18, "thoughtsTokenCount": 12,
        "totalTokenCount": 180,
    },
    "bedrock_converse": {
        "inputTokens": 100, "cacheReadInputTokens": 50, "cacheWriteInputTokens": 70, "outputTokens": 30,
        "totalTokens": 250, "cacheDetails": [{"ttl": "5m", "inputTokens": 30}, {"ttl": "1h", "inputTokens": 40}],
    },
}  # fmt: skip
INPUT = {"anthropic_messages": "input_tokens", "openai_responses": "input_tokens", "gemini": "promptTokenCount",
         "bedrock_converse": "inputTokens"}  # fmt: skip


def read(protocol: str, usage: Mapping[str, Any], **more: Any) -> Usage:
    """The usage as the first provider of a protocol reads it."""
    case = next(case for case in TEXT_CODECS if case.protocol == protocol)
    found = read_whole(case, DOUBLES[protocol].whole(Said(text="Hi", usage=dict(usage), more=more or None))).usage
    assert found is not None
    return found


def bill_of(protocol: str, usage: Mapping[str, Any], tier: str = "") -> Decimal:
    searches = (usage.get("server_tool_use") or {}).get("web_search_requests", 0)
    tokens = count(protocol, usage)
    if protocol == "bedrock_converse":
        tokens |= {"cache_write_5m": tokens.pop("cache_write")}
    dear = bill(tokens, ROW, tier=tier)
    return dear + searches * Decimal("0.01")


@each("past", [-1, 0, 1])
@each("protocol", USAGES)
def test_c3_a_band_begins_above_its_edge_of_all_input(protocol: str, past: int) -> None:
    """Cached and written tokens count towards the edge; they are 120 here, and among the input of two protocols."""
    usage = dict(USAGES[protocol])
    usage[INPUT[protocol]] = 1000 + past - (120 if protocol in ("anthropic_messages", "bedrock_converse") else 0)
    if protocol == "gemini":
        usage["totalTokenCount"] = 1000 + past + 30
    found = read(protocol, usage)
    assert found.input_tokens == 1000 + past
    cost = price_usage(found, PRICE)
    assert (cost.amount, cost.status) == (bill_of(protocol, usage), "exact")
    cheap = price_usage(found, price_of({**ROW, "tiers": []})).amount
    assert cheap is not None
    assert (cost.amount > cheap) == (past > 0)


TIERED: Mapping[str, tuple[tuple[str, dict[str, Any], dict[str, Any]], ...]] = {
    "anthropic_messages": (("priority", {"service_tier": "priority"}, {}), ("batch", {"service_tier": "batch"}, {})),
    "openai_responses": (("priority", {}, {"service_tier": "priority"}), ("flex", {}, {"service_tier": "flex"})),
    "gemini": (("priority", {"trafficType": "ON_DEMAND_PRIORITY"}, {}), ("flex", {"trafficType": "ON_DEMAND_FLEX"}, {})),
    "bedrock_converse": (("priority", {}, {"serviceTier": {"type": "priority"}}), ("flex", {}, {"serviceTier": {"type": "flex"}})),
}  # fmt: skip
WAYS = [(protocol, *row) for protocol, rows in TIERED.items() for row in rows]


@pytest.mark.parametrize(("protocol", "tier", "inside", "beside"), WAYS)
def test_c3_the_way_of_buying_that_was_billed_has_its_own_price(
    protocol: str, tier: str, inside: dict[str, Any], beside: dict[str, Any]
) -> None:
    usage = {**USAGES[protocol], **inside}
    found = read(protocol, usage, **beside)
    assert found.tier == tier
    cost = price_usage(found, PRICE)
    assert (cost.amount, cost.status) == (bill_of(protocol, usage, tier), "exact")
    unpriced = price_usage(found, price_of({**ROW, "variants": {}}))
    assert unpriced.status == "estimated"
    assert tier in unpriced.reason


@pytest.mark.parametrize("protocol", USAGES)
def test_c3_a_batch_is_billed_as_one_whatever_the_reply_says(protocol: str) -> None:
    cost = price_usage(read(protocol, USAGES[protocol]), PRICE, "batch")
    assert (cost.amount, cost.status) == (bill_of(protocol, USAGES[protocol], "batch"), "exact")


def test_c1_writes_to_a_cache_are_billed_by_their_time_to_live() -> None:
    parts = price_usage(read("anthropic_messages", USAGES["anthropic_messages"]), PRICE).parts
    assert parts["cache_write_5m"] * 1_000_000 == 30 * Decimal("1.25")
    assert parts["cache_write_1h"] * 1_000_000 == 40 * Decimal(2)
    assert parts["search"] == Decimal("0.03")


@pytest.mark.parametrize("protocol", DOUBLES)
def test_c2_an_unknown_price_is_unknown_and_never_nothing(protocol: str) -> None:
    usage = read(protocol, DOUBLES[protocol].usage)
    assert price_usage(usage, None) == Cost(reason="no price is known for this model")
    unpriced = price_usage(usage, Price(rates=Rates(tokens={"text_out": Decimal(1)})))
    assert (unpriced.amount, unpriced.status) == (None, "unknown")
    assert price_usage(None, PRICE).amount is None


@pytest.mark.parametrize("protocol", DOUBLES)
def test_c1_a_cost_that_the_provider_stated_wins(protocol: str) -> None:
    usage = msgspec.structs.replace(read(protocol, DOUBLES[protocol].usage), stated_cost=Decimal("0.125"))
    for price in (PRICE, None):
        assert price_usage(usage, price, "batch").amount == Decimal("0.125")
        assert price_usage(usage, price).status == "exact"


def test_c2_a_model_that_no_catalogue_names_has_no_price() -> None:
    model = ALL_MODELS.resolve("anthropic/claude-of-next-year")
    assert isinstance(model, ModelConfig)
    assert model.price is None
