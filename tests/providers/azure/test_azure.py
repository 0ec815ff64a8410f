"""Azure: where it is asked, how it is signed, and what its answers say of filters."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import openai
import pytest
from msgspec.structs import replace

import betterai
from betterai import CoreConfig
from betterai.cli.providers import describe_provider
from betterai.config.environment import missing_settings
from betterai.core.exceptions import (
    AuthenticationError,
    BadRequestError,
    ConfigurationError,
    ContentFilterError,
    ModelNotFoundError,
    RateLimitError,
)
from betterai.core.wire import WireRequest, WireResponse
from betterai.providers.azure import PROVIDER
from betterai.providers.azure.address import FOUNDRY_VERSION
from betterai.providers.azure.chat import AzureChat
from betterai.runtime.relay import relay
from recordings.store import exchange_files, load, name_of
from runtime.upstream import Upstream, answer, reply
from wire.chats import SURFACE, body_of, chunk, listed, make_call, model, parse, stream, usage_event, whole

AZURE = AzureChat()
RESOURCE = "https://res.openai.azure.com"
CHAT = "/chat/completions"


def address(endpoint: str, version: str = "", deployment: str = "my-gpt") -> tuple[str, dict[str, str]]:
    settings = {name: value for name, value in (("base_url", endpoint), ("api_version", version)) if value}
    request = AZURE.build_request(replace(make_call(of=model("azure", deployment)), provider_settings=settings))
    return request.url, dict(request.query)


@pytest.mark.parametrize(
    ("endpoint", "version", "path", "stated"),
    [
        (RESOURCE, "", f"/openai/v1{CHAT}", ""),
        (f"{RESOURCE}/", "", f"/openai/v1{CHAT}", ""),
        (RESOURCE, "preview", f"/openai/v1{CHAT}", "preview"),
        (RESOURCE, "2024-10-21", f"/openai/deployments/my-gpt{CHAT}", "2024-10-21"),
        (f"{RESOURCE}/openai", "2024-10-21", f"/deployments/my-gpt{CHAT}", "2024-10-21"),
        (f"{RESOURCE}/openai/v1", "", CHAT, ""),
        (f"{RESOURCE}/openai/v1/", "2024-10-21", CHAT, ""),
        ("https://res.services.ai.azure.com/models", "", CHAT, FOUNDRY_VERSION),
        ("https://res.services.ai.azure.com/models", "2025-01-01", CHAT, "2025-01-01"),
    ],
)
def test_the_endpoint_and_the_version_say_the_way(endpoint: str, version: str, path: str, stated: str) -> None:
    assert address(endpoint, version) == (path, {"api-version": stated} if stated else {})


def test_a_deployments_name_is_one_step_of_the_path() -> None:
    assert address(RESOURCE, "2024-10-21", "a/b?c")[0] == f"/openai/deployments/a%2Fb%3Fc{CHAT}"


def test_the_callers_own_query_is_kept() -> None:
    call = make_call(of=model("azure"), extra_query={"api-version": "mine", "x": "1"})
    request = AZURE.build_request(replace(call, provider_settings={"base_url": RESOURCE, "api_version": "2024-10-21"}))
    assert request.query == {"api-version": "mine", "x": "1"}


ASKED = [file for file in exchange_files("openai_chat") if name_of(file).startswith("azure/") and load(file)["request"]]


@pytest.mark.recordings
@pytest.mark.parametrize("file", ASKED, ids=map(name_of, ASKED))
def test_every_recorded_request_goes_to_the_address_that_it_went_to(file: Any) -> None:
    """Some recorders left the version out of the URL."""
    request = load(file)["request"]
    parts = urlsplit(request["url"])
    query = dict(parse_qsl(parts.query)) or ({"api-version": "2025-04-01"} if "/deployments/" in parts.path else {})
    deployment = SURFACE.parse_request(WireRequest(url=parts.path, body={"messages": [], "model": ""})).model.id if (
        "/deployments/" in parts.path
    ) else "any"  # fmt: skip
    endpoint = f"https://{parts.netloc}" + ("/models" if parts.path.startswith("/models/") else "")
    path, sent = address(endpoint, query.get("api-version", ""), deployment)
    assert endpoint + path == f"https://{parts.netloc}{parts.path.replace('//', '/')}"
    assert sent == query


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for setting in PROVIDER.settings:
        for variable in setting.env:
            monkeypatch.delenv(variable, raising=False)


async def ask(upstream: Upstream, monkeypatch: pytest.MonkeyPatch, **variables: str) -> Any:
    monkeypatch.setenv("AZURE_OPENAI_ENDPOINT", f"http://127.0.0.1:{upstream.port}/")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    await betterai.Client().generate("azure/my-gpt", "Hello")
    return upstream.requests[-1]


async def test_a_key_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    with Upstream(answer()) as upstream:
        request = await ask(upstream, monkeypatch, AZURE_OPENAI_API_KEY="key-1")
    assert (request.path, request.query) == (f"/openai/v1{CHAT}", {})
    assert request.headers["api-key"] == "key-1"
    assert "Authorization" not in request.headers
    assert request.body["model"] == "my-gpt"


async def test_a_token_does_as_well_as_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    with Upstream(answer()) as upstream:
        tokens = {"AZURE_OPENAI_AD_TOKEN": "token-1", "OPENAI_API_VERSION": "2024-10-21"}
        request = await ask(upstream, monkeypatch, **tokens)
        state = describe_provider("azure")
    assert (state.status, state.missing) == ("ready", [])
    assert (request.path, request.query) == (f"/openai/deployments/my-gpt{CHAT}", {"api-version": "2024-10-21"})
    assert request.headers["Authorization"] == "Bearer token-1"
    assert "api-key" not in request.headers


async def test_without_either_the_key_is_asked_for() -> None:
    assert [setting.name for setting in missing_settings(PROVIDER)] == ["api_key", "base_url"]
    with pytest.raises(ConfigurationError, match="AZURE_OPENAI_API_KEY"):
        await betterai.Client().generate("azure/my-gpt", "Hello")
    with pytest.raises(ConfigurationError, match="AZURE_OPENAI_ENDPOINT"):
        await betterai.Client().generate("azure/my-gpt", "Hello", config=CoreConfig(api_key="key-1"))


async def test_a_relay_goes_the_same_way() -> None:
    with Upstream(answer()) as upstream:
        provider: Any = betterai.get_text_provider(
            CoreConfig(model="azure/my-gpt", api_key="k", base_url=f"http://127.0.0.1:{upstream.port}/models")
        )
        relayed = await relay(provider, "openai_chat", b'{"model": "x", "messages": []}')
        assert b"".join([piece async for piece in relayed.pieces()])
        (request,) = upstream.requests
    assert (request.path, request.query) == (f"/models{CHAT}", {"api-version": FOUNDRY_VERSION})


def test_a_server_half_finds_the_model_in_the_path() -> None:
    """Clients of Azure ask so: the body does not name the model."""
    call = SURFACE.parse_request(WireRequest(url=f"/openai/deployments/my%20gpt{CHAT}", body={"messages": []}))
    assert call.model.id == "my gpt"
    with pytest.raises(BadRequestError, match="model is missing"):
        SURFACE.parse_request(WireRequest(url=CHAT, body={"messages": []}))


def test_traits_of_the_models_of_others() -> None:
    assert body_of(AZURE, of=listed("azure", "Mistral-Large-3"), max_tokens=5) == {"max_tokens": 5}
    assert body_of(AZURE, of=listed("azure", "gpt-5-mini"), max_tokens=5) == {"max_completion_tokens": 5}


FILTERED = {"hate": {"filtered": True, "severity": "high"}}


def test_the_first_event_may_speak_of_the_prompts_filter_only() -> None:
    first = {"id": "", "model": "", "choices": [], "prompt_filter_results": [{"prompt_index": 0}]}
    last = {
        **chunk(finish="stop"),
        "choices": [{"index": 0, "delta": {}, "finish_reason": "stop", "content_filter_results": {}}],
    }
    usage = usage_event(prompt_tokens=3, completion_tokens=1, total_tokens=4)
    response = stream(first, chunk({"content": "Hi"}), last, usage, codec=AZURE)
    assert (response.content, response.model, response.finish_reason) == ("Hi", "m-1", "stop")


def test_an_answer_that_was_filtered_away_has_no_message() -> None:
    body = whole(usage={"prompt_tokens": 15, "completion_tokens": 19, "total_tokens": 34})
    body["choices"] = [{"index": 0, "finish_reason": "content_filter", "content_filter_results": FILTERED}]
    response = parse(body, AZURE)
    assert (response.content, response.finish_reason) == ("", "content_filter")
    assert response.raw["choices"][0]["content_filter_results"] == FILTERED


def test_another_word_for_tool_calls() -> None:
    calls = [{"id": "a", "index": 0, "type": "function", "function": {"name": "f", "arguments": "{}"}}]
    assert parse(whole({"content": "So:", "tool_calls": calls}, "tool_call"), AZURE).finish_reason == "tool_calls"


@pytest.mark.parametrize(
    ("status", "error", "kind"),
    [
        (400, {"code": "content_filter", "message": "The response was filtered", "param": "prompt", "status": 400,
               "innererror": {"code": "ResponsibleAIPolicyViolation", "content_filter_result": FILTERED}}, ContentFilterError),
        (401, {"code": "401", "message": "Access denied due to invalid subscription key"}, AuthenticationError),
        (404, {"code": "DeploymentNotFound", "message": "The API deployment for this resource does not exist."}, ModelNotFoundError),
        (422, {"code": "Invalid input", "message": "invalid input error", "status": 422}, BadRequestError),
        (429, {"code": "RateLimitReached", "message": "Your requests have exceeded rate limit."}, RateLimitError),
    ],
)  # fmt: skip
async def test_errors(status: int, error: dict[str, Any], kind: type[Exception]) -> None:
    headers = {"retry-after": "1", "retry-after-ms": "0", "apim-request-id": "r-1"}
    found = AZURE.parse_error(WireResponse(status=status, headers=headers, body=json.dumps({"error": error}).encode()))
    assert type(found) is kind
    assert (found.code, found.request_id, found.retry_after) == (error["code"], "r-1", 1.0)
    with Upstream(reply(status, {"error": error})) as upstream, pytest.raises(kind):
        await betterai.generate("azure/x", "Hello", config=CoreConfig(api_key="k", base_url=upstream.url, retries=0))


@pytest.mark.parametrize("version", ["", "2024-10-21"])
@pytest.mark.parametrize("token", [False, True])
async def test_the_official_client_asks_the_same(version: str, token: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    with Upstream(answer()) as upstream:
        here = f"http://127.0.0.1:{upstream.port}"
        signed = {"azure_ad_token": "token-1"} if token else {"api_key": "key-1"}
        client: Any = (
            openai.AsyncAzureOpenAI(azure_endpoint=here, api_version=version, **signed)  # type: ignore[call-overload]
            if version
            else openai.AsyncOpenAI(base_url=f"{here}/openai/v1", api_key="token-1" if token else "key-1")
        )
        async with client:
            await client.chat.completions.create(model="my-gpt", messages=[{"role": "user", "content": "Hello"}])
        variables = {"AZURE_OPENAI_AD_TOKEN" if token else "AZURE_OPENAI_API_KEY": "token-1" if token else "key-1"}
        ours = await ask(upstream, monkeypatch, **variables, **({"OPENAI_API_VERSION": version} if version else {}))
        theirs = upstream.requests[0]
    assert (ours.path, ours.query, ours.body) == (theirs.path, theirs.query, theirs.body)
    if version or token:
        assert ours.headers.get("Authorization") == theirs.headers.get("Authorization")
        assert ours.headers.get("api-key") == theirs.headers.get("api-key")
