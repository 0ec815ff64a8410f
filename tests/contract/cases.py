"""What the contract tests run over: every provider that is found × every category × every protocol it offers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import msgspec

from betterai.core.message import Message
from betterai.core.model import ModelConfig
from betterai.core.provider import Provider
from betterai.core.settings import (
    AudioOutput,
    GenerationSettings,
    PromptCache,
    ReasoningControl,
    StreamOptions,
    WebSearch,
)
from betterai.core.tools import JsonSchema, Tool
from betterai.core.wire import Call, WireRequest
from betterai.providers import declared_providers
from betterai.runtime.encoding import encode_request
from together import Test, each

PROVIDERS = {provider.name: provider for provider in declared_providers()}


@dataclass(frozen=True)
class Case:
    """One way to ask one provider for one kind of thing."""

    provider: Provider
    category: str
    protocol: str
    codec: Any

    def __str__(self) -> str:
        return f"{self.provider.name}-{self.category}-{self.protocol}"

    @property
    def is_class(self) -> bool:
        return isinstance(self.codec, type)

    @property
    def models(self) -> list[str]:
        """The ids of the provider's models of this category."""
        return [id for id, model in self.provider.models().items() if model.category == self.category]

    @property
    def model(self) -> ModelConfig:
        """A model that nothing is known of."""
        return ModelConfig(id="neutral-model", provider=self.provider.name, category=self.category)  # type: ignore[arg-type]


CASES = [
    Case(provider, category, protocol, codec)
    for provider in PROVIDERS.values()
    for category, protocols in provider.protocols.items()
    for protocol, codec in protocols.items()
]
CODECS = [case for case in CASES if not case.is_class]
ASKED = [case for case in CODECS if not case.provider.embedded]
"""Those whose replies come from somewhere: they have errors."""
TEXT_CODECS = [case for case in CODECS if case.category == "text"]


def over(cases: Iterable[Case]) -> Callable[[Test], Test]:
    """A test for each provider, over its cases."""
    return each("case", cases, by=lambda case: case.provider.name)


CANARY = "canary-17"
SETTINGS: dict[str, Any] = {
    "temperature": 0.625, "top_p": 0.375, "top_k": 17, "min_p": 0.125, "max_tokens": 1717, "stop": [CANARY], "seed": 1717,
    "n": 3, "frequency_penalty": 0.625, "presence_penalty": 0.375, "logit_bias": {"1717": 5.0}, "logprobs": True,
    "top_logprobs": 7, "tools": [Tool(name=CANARY, parameters={"type": "object", "properties": {}})],
    "tool_choice": CANARY, "parallel_tool_calls": False,
    "response_format": JsonSchema(name=CANARY, schema={"type": "object", "properties": {}}),
    "reasoning": ReasoningControl(effort="high"), "verbosity": "low", "modalities": ["text", "audio"],
    "audio": AudioOutput(voice=CANARY, format="wav"), "prediction": CANARY, "cache": PromptCache(key=CANARY),
    "web_search": WebSearch(context_size="low"), "moderation": {"mode": CANARY}, "service_tier": CANARY, "store": True,
    "metadata": {"key": CANARY}, "user": CANARY, "safety_identifier": CANARY,
    "stream_options": StreamOptions(include_usage=False), "extra_body": {"unheard_of": CANARY},
    "extra_headers": {"X-Unheard-Of": CANARY}, "extra_query": {"unheard_of": CANARY},
}  # fmt: skip
"""A value for every setting of a generation, none of them a usual default. `options` are a vendor's own."""


def build(case: Case, *, stream: bool = False, messages: tuple[Message, ...] = (), **settings: Any) -> WireRequest:
    """The request that a call becomes, its body as bytes."""
    call: Any = Call(
        model=case.model,
        input=messages or (Message.user("Hello"),),
        settings=GenerationSettings(**settings),
        stream=stream,
        id="0" * 32,
        now=1_800_000_000.0,
    )
    return encode_request(case.codec.build_request(call), settings.get("extra_body"))


def flatten(value: Any, at: str = "") -> dict[str, Any]:
    """All leaves of a JSON value by their place; those of a text that holds an object as well."""
    if isinstance(value, str) and value.startswith("{"):
        with suppress(msgspec.DecodeError):
            return {at: value, **flatten(msgspec.json.decode(value), at)}
    pairs = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else None
    if pairs is None:
        return {at: value}
    found = {place: leaf for key, item in pairs for place, leaf in flatten(item, f"{at}/{key}").items()}
    return found or {at: value}


def visible(request: WireRequest) -> dict[str, Any]:
    """All that a request says, by place: body, headers and query."""
    body = msgspec.json.decode(request.body) if isinstance(request.body, bytes) and request.body else {}
    return flatten({"body": body, "headers": dict(request.headers), "query": dict(request.query), "url": request.url})
