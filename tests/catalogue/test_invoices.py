"""Golden invoices (C1, C2): what real usage bodies cost, worked out a second time from plain dictionaries."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from betterai.config.providers import ALL_MODELS
from betterai.core.accumulate import Accumulator
from betterai.core.price import price_usage
from betterai.core.settings import GenerationSettings
from betterai.core.usage import Cost, Usage
from betterai.core.wire import Call, WireResponse
from betterai.providers import FOLDER
from betterai.runtime.registry import choose_protocol, get_provider
from betterai.wire.framing import open_framer
from recordings.store import ROOT, load, needs_recordings

INVOICES = [
    ("openai/chat/langsmith-sdk--cassettes-test-openai-test-wrap-openai-chat-async-tokens--04", "gpt-5-nano"),
    ("openai/chat/pydantic-ai--test-multimodal-tool-returns-test-mixed-content-ordering-openai-chat--01", "gpt-5-mini"),
    ("openai/chat-stream/fantasy--openai-gpt-5-simple-streaming--00", "gpt-5"),
    ("openai/chat/dd-trace-js--openai-openai-chat-completions-post-b716cbcd--00", "gpt-4o"),
    ("openai/chat/rig--prompt-caching-chat-completions-agent-loop--00", "gpt-4o-mini"),
    ("openai/chat-stream/dd-trace-py--v1-chat-completion-stream-prompt-caching-cache-read--00", "gpt-4o"),
    ("openai/chat/pydantic-ai--test-openai-prompt-cache-test-openai-chat-prompt-cache-e2e--00", "gpt-5.6-sol"),
    (
        "openai/chat/ruby-llm--vcr-cassettes-chat-audio-models-openai-gpt-audio-mini-can-understand-audio--00",
        "gpt-audio-mini",
    ),
    ("openai/chat-stream/chatlas--test-provider-openai-completions-test-openai-logprobs--00", "gpt-5.4"),
    ("openai/chat/activeagent--native-format-test-test-agent-logprobs--00", "gpt-4"),
    ("openai/chat/braintrust-sdk-java--mappings-chat-completions-6d5f19c8f2ab--00", "gpt-4o-mini"),
    ("groq/chat/pydantic-ai--test-groq-test-tool-use-failed-error--02", "openai/gpt-oss-120b"),
    ("groq/chat/rig--prompt-caching-blocking-probe--01", "openai/gpt-oss-20b"),
    ("groq/chat-stream/rig--prompt-caching-streaming-probe--00", "openai/gpt-oss-20b"),
    ("groq/chat/pydantic-ai--test-groq-test-tool-use-failed-error--01", "openai/gpt-oss-120b"),
    (
        "deepseek/chat/pydantic-ai--test-deepseek-test-deepseek-deferred-capability-with-thinking--00",
        "deepseek-reasoner",
    ),
    ("deepseek/chat/rig--extractor-usage-extract-and-extract-with-usage-return-same-data--01", "deepseek-v4-flash"),
    ("deepseek/chat-stream/chatlas--test-provider-deepseek-test-deepseek-tool-variations--01", "deepseek-v4-flash"),
    ("deepseek/chat/rig--agent-completion-smoke--00", "deepseek-v4-flash"),
    ("deepseek/chat-stream/dd-trace-py--v1-deepseek-streamed-reasoning-content--00", "deepseek-v4-pro"),
    ("deepseek/chat-stream/dd-trace-py--v1-deepseek-streamed-cumulative-tokens--00", "deepseek-chat"),
    ("mistral/chat/dd-trace-py--mistral-mistral-v1-chat-completions-post-20aaaaf3--00", "magistral-medium-latest"),
    ("mistral/chat/openllmetry--test-chat-test-mistralai-chat-with-cache-tokens--00", "mistral-tiny"),
    ("mistral/chat-stream/rig--prompt-caching-streaming-probe--00", "mistral-large-latest"),
    ("mistral/chat/agentops--recordings-test-mistral-provider--00", "open-mistral-nemo"),
    ("mistral/chat/chatlas--test-provider-mistral-test-data-extraction--00", "mistral-large-latest"),
    ("perplexity/chat/rig--chat-chat-history-smoke--00", "sonar"),
    (
        "perplexity/chat/ruby-llm--chat-with-extended-thinking-perplexity-sonar-reasoning-pro-returns-thinking-when-available--00",
        "sonar-reasoning-pro",
    ),
    ("perplexity/chat-stream/langchaingo--testdata-TestPerplexityTool--00", "sonar"),
    ("xai/chat/fantasy--xai-grok-code-fast-simple--00", "grok-code-fast-1"),
    ("xai/chat/req-llm--grok-code-fast-1-basic--00", "grok-code-fast-1"),
    ("xai/chat-stream/req-llm--grok-code-fast-1-object-streaming--00", "grok-code-fast-1"),
    ("zai/chat/fantasy--zai-glm-4-7-flash-multi-tool--00", "glm-4.7-flash"),
    ("zai/chat/pydantic-ai--test-zai-test-zai-vision-thinking--00", "glm-4.6v"),
    ("zai/chat-stream/req-llm--glm-4-6-object-streaming--00.2", "glm-4.6"),
    ("zai/chat/pydantic-ai--test-zai-test-zai-glm-5-3-reasoning-effort--00", "glm-5.3"),
    (
        "azure/chat/ruby-llm--assettes-chat-with-params-azure-grok-4-1-fast-non-reasoning-supports-response-format-param--00",
        "grok-4-1-fast-non-reasoning",
    ),
    ("azure/chat/ai-gateway--cassettes-azure-chat-basic--00", "gpt-5-nano"),
    (
        "azure/chat/crewAI--agents-TestAzureNativeToolCalling.test-azure-agent-with-native-tool-calling--00",
        "gpt-5-nano-2025-08-07",
    ),
    ("azure/chat-stream/fantasy--azure-gpt-5-mini-thinking-streaming--00", "gpt-5-mini"),
    ("openrouter/chat-stream/req-llm--x-ai-grok-4-fast-streaming--00", "x-ai/grok-4-fast"),
    ("openrouter/chat/req-llm--z-ai-glm-4-5-air-basic--00", "z-ai/glm-4.5-air"),
    ("openrouter/chat/req-llm--deepseek-deepseek-chat-v3-0324-basic--00", "deepseek/deepseek-chat-v3-0324"),
    (
        "openrouter/chat/pydantic-ai--test-openrouter-test-openrouter-thinking-high-emits-effort-high--00",
        "anthropic/claude-sonnet-4.5",
    ),
    ("openrouter/chat-stream/req-llm--google-gemini-2-5-pro-object-streaming--00", "google/gemini-2.5-pro"),
    ("together/chat/openinference--test-instrumentor-test-async-chat--00", "meta-llama/Llama-3.3-70B-Instruct-Turbo"),
    ("cerebras/chat/pydantic-ai--test-cerebras-test-cerebras-thinking-part-survives-multiturn--00", "gpt-oss-120b"),
    ("cerebras/chat/req-llm--gpt-oss-120b-basic--00.2", "gpt-oss-120b"),
]
"""Recordings with usage, and the model that they are priced as."""


def usage_bodies(exchange: Mapping[str, Any]) -> Iterator[tuple[dict[str, Any], str]]:
    """The usage objects of a reply and its service tier, read from the recording: /response/body, or its events."""
    response = exchange["response"]
    if "body_text" not in response:
        yield response["body"]["usage"], response["body"].get("service_tier") or ""
        return
    for line in response["body_text"].splitlines():
        if line.startswith("data:") and line[5:].strip() not in ("", "[DONE]"):
            event = json.loads(line[5:])
            if usage := event.get("usage") or (event.get("x_groq") or {}).get("usage"):
                yield usage, event.get("service_tier") or ""


def stated_cost(provider: str, usage: Mapping[str, Any]) -> Decimal | None:
    """What those who state a cost say."""
    if provider == "openrouter" and usage.get("cost") is not None:
        return Decimal(str(usage["cost"]))
    if provider == "perplexity" and isinstance(usage.get("cost"), dict):
        return Decimal(str(usage["cost"]["total_cost"]))
    if provider == "xai" and usage.get("cost_in_usd_ticks") is not None:
        return Decimal(usage["cost_in_usd_ticks"]) / 10**10
    return None


def invoice(usage: Mapping[str, Any], price: Mapping[str, Any]) -> Decimal:
    """US dollars, by hand: tokens by their kinds, each kind at its rate, or at the rate it is billed at without one."""
    inputs = usage.get("prompt_tokens_details") or {}
    outputs = usage.get("completion_tokens_details") or {}
    prompt, completion = usage["prompt_tokens"], usage["completion_tokens"]
    spellings = ("prompt_cache_hit_tokens", "cached_tokens", "num_cached_tokens")
    cached = inputs.get("cached_tokens") or next((usage[name] for name in spellings if usage.get(name)), 0)
    if cached > prompt:
        prompt += cached
    heard, written = inputs.get("audio_tokens") or 0, inputs.get("cache_write_tokens") or 0
    thought = outputs.get("reasoning_tokens") or usage.get("reasoning_tokens") or 0
    if thought and usage["total_tokens"] == usage["prompt_tokens"] + completion + thought:
        completion += thought
    thought, spoken = min(thought, completion), outputs.get("audio_tokens") or 0
    rates = {name: Decimal(rate) for name, rate in price["rates"]["tokens"].items()}
    for tier in price.get("tiers", ()):
        if prompt > tier["above"]:
            rates |= {name: Decimal(rate) for name, rate in tier["rates"]["tokens"].items()}
    text_in, text_out = rates["text_in"], rates["text_out"]
    lines = (
        (prompt - cached - heard - written) * text_in,
        cached * rates.get("cached", text_in),
        written * rates.get("cache_write", text_in),
        heard * rates.get("audio_in", text_in),
        (completion - thought - spoken) * text_out,
        thought * rates.get("reasoning", text_out),
        spoken * rates.get("audio_out", text_out),
    )
    return sum(lines, Decimal(0)) / 1_000_000


def read_usage(exchange: Mapping[str, Any], id: str) -> Usage | None:
    """The usage as the provider's own codec reads it."""
    name, response = exchange["provider"], exchange["response"]
    model = ALL_MODELS[f"{name}/{id}"]
    codec = choose_protocol(get_provider(name), "text", model, "openai_chat")
    streamed = "body_text" in response
    call = Call(model=model, input=(), settings=GenerationSettings(), stream=streamed, id="invoice")
    if not streamed:
        whole = WireResponse(status=200, headers={}, body=msgspec.json.encode(response["body"]))
        return codec.parse_response(call, whole).usage  # type: ignore[no-any-return]
    state, framer, gathered = codec.open_stream(call), open_framer("sse"), Accumulator(id)
    for event in (*framer.feed(response["body_text"].encode()), *framer.flush()):
        for chunk in state.parse_event(event):
            gathered.add(chunk)
    for chunk in state.finish():
        gathered.add(chunk)
    return gathered.response().usage


def price_row(provider: str, id: str) -> dict[str, Any]:
    row: dict[str, Any] = json.loads((FOLDER / provider / "models.json").read_text())["models"][id]
    return row


def test_there_are_forty_of_all_who_are_read() -> None:
    assert len(INVOICES) >= 40
    assert len({path for path, _ in INVOICES}) == len(INVOICES)
    assert len({path.split("/")[0] for path, _ in INVOICES}) >= 10


@needs_recordings
@pytest.mark.recordings
@pytest.mark.parametrize(("path", "id"), INVOICES)
def test_a_real_call_costs_what_it_costs_by_hand(path: str, id: str) -> None:
    exchange = load(ROOT / f"{path}.json")
    provider = exchange["provider"]
    body, tier = list(usage_bodies(exchange))[-1]
    cost = price_usage(read_usage(exchange, id), ALL_MODELS[f"{provider}/{id}"].price)
    stated = stated_cost(provider, body)
    if stated is not None:
        assert (cost.amount, cost.status) == (stated, "exact")
        return
    price = price_row(provider, id)["price"]
    by_hand = invoice(body, price.get("variants", {}).get(tier, price))
    assert cost.amount is not None
    assert abs(cost.amount - by_hand) < Decimal("0.00000001")
    assert by_hand > 0 or id.endswith("-flash")
    assert sum(cost.parts.values()) == cost.amount


UNKNOWN = [
    ("groq/chat/rig--prompt-caching-blocking-probe--01", "no/such-model"),
    ("openai/chat/dd-trace-js--openai-openai-chat-completions-post-b716cbcd--00", "gpt-of-next-year"),
]


@needs_recordings
@pytest.mark.recordings
@pytest.mark.parametrize(("path", "id"), UNKNOWN)
def test_a_model_without_a_price_costs_something_unknown_never_nothing(path: str, id: str) -> None:
    exchange = load(ROOT / f"{path}.json")
    model = ALL_MODELS.resolve(f"{exchange['provider']}/{id}")
    usage = Usage(text_in=next(usage_bodies(exchange))[0]["prompt_tokens"])
    assert price_usage(usage, model.price) == Cost(reason="no price is known for this model")
