"""What a call may cost, said before it is made: the input as estimated or counted, the output as long as it may get."""

from __future__ import annotations

from decimal import Decimal

from msgspec.structs import replace

from betterai.core.data import Data
from betterai.core.model import ModelConfig
from betterai.core.price import Price, price_usage
from betterai.core.tools import Tool
from betterai.core.usage import Usage
from betterai.runtime.middleware.base import ProviderCall
from betterai.runtime.schema import prepare_settings
from betterai.wire.tokens import estimate_text, estimate_tokens


class Estimate(Data, frozen=True, kw_only=True):
    """US dollars: what the input costs, and the most that the whole call should. None: that cannot be said."""

    input: Decimal | None = None
    most: Decimal | None = None
    missing: str = ""
    """What would have to be known."""


def estimate_input(call: ProviderCall, protocol: str = "") -> int:
    """The input tokens of a call, guessed."""
    return estimate_tokens(call.messages, prepare_settings(call.settings)[0], protocol)[0]


def estimate_call(call: ProviderCall, model: ModelConfig, tokens: int) -> Estimate:
    """The cost of a call with so many input tokens."""
    if model.price is None:
        return Estimate(missing=f"no price is known for {model.key}")
    tier = call.settings.service_tier or ""
    read = _find_dearest_input(call, model.price, Usage(text_in=tokens, tier=tier))
    asked = price_usage(read, model.price).amount
    length = model.capabilities.max_tokens if call.settings.max_tokens is None else call.settings.max_tokens
    if length is None:
        return Estimate(input=asked, missing=f"it is not known how long an answer of {model.key} may be")
    spoken = "audio" in (call.settings.modalities or ())
    said = length * (call.settings.n or 1)
    whole = replace(read, text_out=0 if spoken else said, audio_out=said if spoken else 0)
    most = price_usage(whole, model.price).amount
    missing = "" if most is not None else f"not all prices of {model.key} are known"
    return Estimate(input=asked, most=most, missing=missing)


def _find_dearest_input(call: ProviderCall, price: Price, plain: Usage) -> Usage:
    """Writing a prompt to a cache, where the call asks for that, may cost more than reading it."""
    tools = [tool.cache for tool in call.settings.tools or () if isinstance(tool, Tool)]
    marks = [*tools, call.settings.cache, *(part.cache for message in call.messages for part in message.parts)]
    lives = {mark.ttl or "" for mark in marks if mark is not None}
    written = [replace(plain, text_in=0, cache_write={ttl: plain.text_in}) for ttl in lives]
    return max([plain, *written], key=lambda usage: price_usage(usage, price).amount or Decimal(0))


def estimate_output(text: str, model: ModelConfig) -> Decimal:
    """What a text that was answered costs; 0 where no price is known."""
    return price_usage(Usage(text_out=round(estimate_text(text))), model.price).amount or Decimal(0)
