"""Which vendor's batches are asked for where in these tests."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import betterai
from doubles.batches import (
    KEY,
    AnthropicService,
    BatchService,
    GoogleService,
    MistralService,
    OpenAIService,
    XAIService,
)
from doubles.servers import web_server


class Vendor(NamedTuple):
    model: str
    service: Callable[[], Any]
    settings: Mapping[str, str] = MappingProxyType({})
    named: bool = True
    """Whether a batch can be found again by its name."""
    states: frozenset[str] = frozenset({"expire", "cancel"})
    """What a line may end as beside answered, failed and missing."""
    counts: bool = True


def inline(kind: type[Any]) -> Callable[[], Any]:
    def make() -> Any:
        service = kind()
        service.inline = True
        return service

    return make


ALL = {
    "openai": Vendor("openai/gpt-4.1-nano", OpenAIService),
    "openai-chat": Vendor("openai/gpt-4.1-nano", OpenAIService, {"protocol": "openai_chat"}),
    "azure": Vendor("azure/gpt-4.1-nano", lambda: OpenAIService("/openai/v1")),
    "azure-dated": Vendor("azure/gpt-4.1-nano", lambda: OpenAIService("/openai"), {"api_version": "2025-04-01"}),
    "groq": Vendor("groq/openai/gpt-oss-120b", lambda: OpenAIService("/openai/v1")),
    "mistral": Vendor("mistral/mistral-small-latest", MistralService, states=frozenset()),
    "mistral-inline": Vendor("mistral/mistral-small-latest", inline(MistralService), states=frozenset()),
    "anthropic": Vendor("anthropic/claude-haiku-4-5", AnthropicService, named=False),
    "google": Vendor("google/gemini-2.5-flash", GoogleService, states=frozenset({"cancel"})),
    "google-inline": Vendor("google/gemini-2.5-flash", inline(GoogleService), states=frozenset({"cancel"})),
    "xai": Vendor("xai/grok-4.3", XAIService, states=frozenset()),
}


@asynccontextmanager
async def serving(
    name: str, store: Path | None = None, **config: Any
) -> AsyncIterator[tuple[betterai.Client, Any, str, betterai.BatchStore | None]]:
    """A client whose batches go to a double, the double, the model to ask for, and a store."""
    vendor = ALL[name]
    service: BatchService = vendor.service()
    async with web_server(service.answer) as url:
        settings = dict(vendor.settings)
        protocol = settings.pop("protocol", "")
        if vendor.model.startswith("groq/"):
            settings["host"] = url
        else:
            config = {"base_url": url, **config}
        given = betterai.CoreConfig(
            api_key=KEY, protocol=protocol, settings=settings, retries=betterai.Retries(base=0.001), **config
        )
        async with betterai.Client(given) as client:
            yield client, service, vendor.model, betterai.BatchStore(store / "batches.sqlite") if store else None
