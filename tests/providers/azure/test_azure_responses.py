"""Where Azure's Responses are asked: with a dated version, without one, and where they are not served."""

from __future__ import annotations

from typing import Any

import openai
import pytest
from msgspec.structs import replace

import betterai
from betterai.core.config import CoreConfig
from betterai.core.exceptions import ConfigurationError
from betterai.providers.azure.responses import AzureResponses
from runtime.upstream import Upstream, reply
from wire.responses import make_call, model, said, whole

RESOURCE = "https://res.openai.azure.com"


def address(endpoint: str, version: str) -> tuple[str, dict[str, str]]:
    settings = {"base_url": endpoint, "api_version": version}
    call = replace(make_call(of=model("azure", "my-gpt")), provider_settings=settings)
    request = AzureResponses().build_request(call)
    return request.url, dict(request.query)


@pytest.mark.parametrize(
    ("endpoint", "version", "url", "query"),
    [
        (RESOURCE, "", "/openai/v1/responses", {}),
        (RESOURCE, "preview", "/openai/v1/responses", {"api-version": "preview"}),
        (RESOURCE, "2025-04-01-preview", "/openai/responses", {"api-version": "2025-04-01-preview"}),
        (f"{RESOURCE}/openai", "2025-04-01-preview", "/responses", {"api-version": "2025-04-01-preview"}),
        (f"{RESOURCE}/openai/v1/", "", "/responses", {}),
    ],
)
def test_addresses(endpoint: str, version: str, url: str, query: dict[str, str]) -> None:
    assert address(endpoint, version) == (url, query)


def test_the_endpoint_of_models_has_none() -> None:
    with pytest.raises(ConfigurationError, match="AZURE_OPENAI_ENDPOINT"):
        address("https://res.services.ai.azure.com/models", "")


@pytest.mark.parametrize("version", ["", "2025-04-01-preview"])
async def test_the_official_client_asks_the_same(version: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with Upstream(reply(200, whole(said("Hello")))) as upstream:
        here = f"http://127.0.0.1:{upstream.port}"
        client: Any = (
            openai.AsyncAzureOpenAI(azure_endpoint=here, api_version=version, api_key="key-1")
            if version
            else openai.AsyncOpenAI(base_url=f"{here}/openai/v1", api_key="key-1")
        )
        async with client:
            await client.responses.create(model="my-gpt", input=[{"role": "user", "content": "Hello"}])
        config = CoreConfig(
            protocol="openai_responses", base_url=here, api_key="key-1", retries=0, settings={"api_version": version}
        )
        await betterai.generate("azure/my-gpt", "Hello", config=config)
    theirs, ours = upstream.requests
    assert (ours.path, ours.query, ours.body) == (theirs.path, theirs.query, theirs.body)
