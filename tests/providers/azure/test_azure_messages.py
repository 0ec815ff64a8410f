"""Claude in Azure AI Foundry: beside the other protocols of the same resource, whatever its endpoint is written as."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec.structs import replace

import betterai
from betterai.core.config import CoreConfig
from betterai.providers.azure import PROVIDER
from betterai.providers.azure.messages import AzureMessages
from betterai.runtime.registry import choose_protocol, resolve_model
from runtime.upstream import Upstream, reply
from wire.messages import make_call, model
from wire.messages import reply as message

HOST = "https://r.services.ai.azure.com"


@pytest.mark.parametrize(
    "endpoint",
    ["", "/", "/models", "/openai", "/openai/v1/", "/anthropic", "/anthropic/v1", "/api/projects/p"],
)
def test_where_it_is_asked(endpoint: str) -> None:
    call = replace(make_call(of=model(provider="azure")), provider_settings={"base_url": HOST + endpoint})
    request = AzureMessages().build_request(call)
    assert request.url == f"{HOST}/anthropic/v1/messages"
    assert request.headers == {"anthropic-version": "2026-10-21"}
    assert AzureMessages().answers("/anthropic/v1/messages")


@pytest.mark.parametrize(
    ("name", "protocol"),
    [("claude-haiku-4-5", "anthropic_messages"), ("gpt-4o", "openai_chat"), ("mine", "openai_chat")],
)
def test_the_model_says_which_protocol(name: str, protocol: str) -> None:
    assert choose_protocol(PROVIDER, "text", resolve_model(f"azure/{name}")).protocol == protocol


async def test_a_call(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AZURE_OPENAI_AD_TOKEN", raising=False)
    answer: dict[str, Any] = json.loads(message({"type": "text", "text": "Hi"}))
    with Upstream(reply(200, answer)) as upstream:
        base_url = upstream.url.removesuffix("/v1") + "/models"
        config = CoreConfig(model="azure/claude-sonnet-4-6", base_url=base_url, api_key="k", retries=0)
        response = await betterai.get_text_provider(config).generate("Hello")
    (request,) = upstream.requests
    assert (request.path, request.headers["api-key"]) == ("/anthropic/v1/messages", "k")
    assert response.content == "Hi"
    assert {warning.code for warning in response.warnings} <= {"deprecated"}
