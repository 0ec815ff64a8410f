"""The provider handbook, steps 1 to 8 and its example, as written: only imports, placeholders and keys are filled in."""

from __future__ import annotations

import logging
import os
from collections.abc import AsyncGenerator
from types import SimpleNamespace
from typing import Any
from unittest.mock import AsyncMock

import pytest

import betterai
from betterai import (
    ALL_MODELS,
    AuthenticationError,
    BaseTextProvider,
    CoreConfig,
    GenerationSettings,
    ModelCapabilities,
    ModelConfig,
    ProviderError,
    ProviderResponse,
    RateLimitError,
    TextChunk,
    ValidationError,
    ai_clients,
    get_text_provider,
    register_text_provider,
)
from betterai.providers import built_in_names
from betterai.runtime import registry
from together import each

logger = logging.getLogger("handbook")


class NewProviderError(Exception):
    """What the made-up client raises."""


class NewProviderClient:
    """The made-up client of the handbook, as small as can be: it answers with what it was asked."""

    def __init__(self, api_key: str | None) -> None:
        if not api_key:
            raise NewProviderError("no key")
        self.calls: list[dict[str, Any]] = []
        self.failure: Exception | None = None

    async def create_chat_completion(self, **call: Any) -> Any:
        self.calls.append(call)
        if self.failure is not None:
            raise self.failure
        if call["stream"]:
            return self._stream()
        return SimpleNamespace(content="Hello", usage=SimpleNamespace(total_tokens=7))

    async def _stream(self) -> AsyncGenerator[Any, None]:
        for content in ("Hel", "", "lo"):
            yield SimpleNamespace(content=content)


AsyncNewProviderClient = NewProviderClient

# ── step 1 ──

PROVIDER_MODELS = {
    "model-id-1": ModelConfig(
        id="model-id-1",
        name="Model Display Name",
        provider="provider-name",
        capabilities=ModelCapabilities(
            supports_streaming=True,
            supports_vision=False,
            supports_audio_input=False,
            max_tokens=4096,
            supports_batch_api=False,
        ),
        config={"temperature": (0.0, 2.0), "top_p": (0.0, 1.0)},
    ),
    "model-id-2": ModelConfig(id="model-id-2", provider="newprovider"),
}

# ── step 3 ──


class NewProviderTextProvider(BaseTextProvider):
    """Text generation via NewProvider API."""

    def __init__(self, api_key: str, **options: Any) -> None:
        self._api_key = api_key
        self._client = NewProviderClient(api_key=api_key)
        self._options = options

    async def generate_stream(
        self,
        messages: list[dict],
        model: str,
        settings: GenerationSettings,
    ) -> AsyncGenerator[TextChunk, None]:
        """Stream text generation."""
        try:
            # Call provider API
            response = await self._client.create_chat_completion(
                model=model,
                messages=messages,
                temperature=settings.temperature,
                max_tokens=settings.max_tokens,
                stream=True,
            )

            # Stream chunks
            async for chunk in response:
                if chunk.content:
                    yield TextChunk(content=chunk.content)

        except NewProviderError as exc:
            raise ProviderError(f"NewProvider error: {exc}") from exc
        except Exception as exc:
            raise ProviderError(f"Unexpected error: {exc}") from exc

    async def generate(
        self,
        messages: list[dict],
        model: str,
        settings: GenerationSettings,
    ) -> ProviderResponse:
        """Non-streaming text generation."""
        try:
            response = await self._client.create_chat_completion(
                model=model,
                messages=messages,
                temperature=settings.temperature,
                max_tokens=settings.max_tokens,
                stream=False,
            )

            return ProviderResponse(
                content=response.content,
                model=model,
                tokens_used=response.usage.total_tokens,
            )

        except NewProviderError as exc:
            raise ProviderError(f"NewProvider error: {exc}") from exc


@pytest.fixture(autouse=True)
def _steps_2_and_4(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEWPROVIDER_API_KEY", "test-key")

    # step 2: Add to ALL_MODELS dictionary
    ALL_MODELS.update({
        "model-name": {
            "provider": "newprovider",
            "config": PROVIDER_MODELS["model-id-1"],
        },
    })  # fmt: skip

    # step 4: Register in factory
    register_text_provider("newprovider", NewProviderTextProvider)


# ── the steps ──


def test_step_1_models_are_data_with_the_handbooks_fields() -> None:
    model = PROVIDER_MODELS["model-id-1"]
    assert (model.id, model.name, model.provider) == ("model-id-1", "Model Display Name", "provider-name")
    assert model.capabilities.max_tokens == 4096
    assert model.capabilities.supports_streaming is True
    assert model.capabilities.supports_reasoning is None
    assert model.config["temperature"] == (0.0, 2.0)


def test_step_2_both_shapes_are_taken_and_the_name_leads_to_the_provider() -> None:
    ALL_MODELS.update({"model-id-2": PROVIDER_MODELS["model-id-2"]})
    assert ALL_MODELS["model-name"].provider == "newprovider"
    assert ALL_MODELS["model-name"].id == "model-id-1"
    assert ALL_MODELS["model-id-2"].provider == "newprovider"
    assert "model-name" in ALL_MODELS
    assert "newprovider/model-id-1" in ALL_MODELS


async def test_steps_3_and_4_the_class_answers_through_the_factory() -> None:
    provider = get_text_provider(CoreConfig(model="model-name"))
    assert type(provider) is NewProviderTextProvider
    assert provider._api_key == "test-key"
    messages = [{"role": "user", "content": "test"}]
    response = await provider.generate(messages, "model-id-1", GenerationSettings(max_tokens=5))
    assert (response.content, response.model, response.tokens_used) == ("Hello", "model-id-1", 7)
    chunks = [chunk.content async for chunk in provider.generate_stream(messages, "model-id-1", GenerationSettings())]
    assert chunks == ["Hel", "lo"]
    assert provider._client.calls == [
        {"model": "model-id-1", "messages": messages, "temperature": None, "max_tokens": 5, "stream": False},
        {"model": "model-id-1", "messages": messages, "temperature": None, "max_tokens": None, "stream": True},
    ]


@pytest.mark.parametrize("name", ["model-name", "newprovider/model-id-1"])
async def test_step_5_the_factory_and_the_short_way_resolve_by_the_catalogues_name(name: str) -> None:
    async with betterai.Client() as client:
        response = await client.generate(name, "test", system="Be kind.", temperature=0.0)
        async with client.stream(name, "test") as stream:
            text = "".join([chunk.content async for chunk in stream])
        calls = client._providers[name].provider.inner._client.calls  # type: ignore[union-attr]
    assert response.content == text == "Hello"
    assert (response.tokens_used, response.provider) == (7, "newprovider")
    assert stream.response.content == "Hello"
    assert calls[0] == {
        "model": "model-id-1",
        "messages": [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "test"}],
        "temperature": 0.0,
        "max_tokens": None,
        "stream": False,
    }
    assert calls[1]["messages"] == [{"role": "user", "content": "test"}]


async def test_step_5_the_module_functions_reach_it_too() -> None:
    assert (await betterai.generate("model-name", "test")).content == "Hello"
    assert (await betterai.stream("model-name", "test")).content == "Hello"
    assert betterai.sync.generate("model-name", "test").content == "Hello"


def test_step_5_options_and_a_key_are_passed_on() -> None:
    provider = get_text_provider(CoreConfig(model="model-name", api_key="own", options={"depth": 1}))
    assert isinstance(provider, NewProviderTextProvider)
    assert (provider._api_key, provider._options) == ("own", {"depth": 1})


def test_step_6_configuration_is_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    from betterai.config import defaults

    NEWPROVIDER_API_KEY = os.getenv("NEWPROVIDER_API_KEY", "")  # noqa: N806 - the handbook's line
    assert defaults.NEWPROVIDER_API_KEY == NEWPROVIDER_API_KEY == "test-key"
    assert defaults.NEWPROVIDER_STT_MODEL == ""
    monkeypatch.setenv("NEWPROVIDER_STT_MODEL", "default-model")
    assert defaults.NEWPROVIDER_STT_MODEL == "default-model"


@pytest.mark.parametrize("key", ["test-key", ""])
def test_step_7_a_client_is_put_in_or_warned_of(
    key: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("NEWPROVIDER_API_KEY", key)
    try:
        ai_clients["newprovider-client"] = AsyncNewProviderClient(
            api_key=os.getenv("NEWPROVIDER_API_KEY")
        )  # fmt: skip
    except Exception as e:
        logger.warning(f"NewProvider client not initialized: {e}")
    assert ("not initialized" in caplog.text) is (key == "")
    assert ("newprovider-client" in ai_clients) is (key != "")
    ai_clients.pop("newprovider-client", None)


# ── step 8, its tests word for word ──


@pytest.fixture
def mock_client():
    return AsyncMock()


@pytest.fixture
def provider(mock_client):
    provider = NewProviderTextProvider(api_key="test-key")
    provider._client = mock_client
    return provider


@pytest.mark.asyncio
async def test_generate_stream_success(provider, mock_client):
    """Test streaming text generation."""
    mock_client.create_chat_completion.return_value = AsyncMock()
    # Mock streaming chunks...
    mock_client.create_chat_completion.return_value.__aiter__.return_value = [SimpleNamespace(content="Hello")]

    chunks = []
    async for chunk in provider.generate_stream(
        messages=[{"role": "user", "content": "test"}],
        model="test-model",
        settings=GenerationSettings(),
    ):
        chunks.append(chunk)  # noqa: PERF401 - the handbook's line

    assert len(chunks) > 0
    mock_client.create_chat_completion.assert_called_once()


@pytest.mark.asyncio
async def test_generate_stream_error(provider, mock_client):
    """Test error handling."""
    mock_client.create_chat_completion.side_effect = Exception("API Error")

    with pytest.raises(ProviderError):
        async for _ in provider.generate_stream(
            messages=[{"role": "user", "content": "test"}],
            model="test-model",
            settings=GenerationSettings(),
        ):
            pass


# ── what the handbook says besides ──


async def test_a_class_that_lacks_a_method_works_until_it_is_called() -> None:
    class Half(BaseTextProvider):
        def __init__(self, api_key: str) -> None:
            pass

    class Streams(Half):
        async def generate_stream(self, messages: Any, model: str, settings: Any) -> Any:
            yield TextChunk(content="Hello")

    register_text_provider("half", Half)
    register_text_provider("streams", Streams)
    half = get_text_provider("half/x")
    with pytest.raises(NotImplementedError, match=r"Half does not implement generate\(\)"):
        await half.generate([], "x", GenerationSettings())
    with pytest.raises(NotImplementedError, match=r"Half does not implement generate_stream\(\)"):
        await anext(half.generate_stream([], "x", GenerationSettings()))
    with pytest.raises(NotImplementedError):
        await betterai.generate("half/x", "test")
    with pytest.raises(NotImplementedError):
        await betterai.stream("half/x", "test")
    assert (await betterai.generate("streams/x", "test")).content == "Hello"


@pytest.mark.parametrize(
    ("base", "methods"),
    [
        ("BaseTextProvider", "generate generate_stream"), ("BaseImageProvider", "generate generate_batch"),
        ("BaseVideoProvider", "generate"), ("BaseAudioProvider", "transcribe transcribe_stream"),
        ("BaseTTSProvider", "synthesize synthesize_stream"), ("BaseRealtimeProvider", "connect"),
    ],
)  # fmt: skip
def test_every_category_has_its_base_its_methods_and_its_registration(base: str, methods: str) -> None:
    category = base.removeprefix("Base").removesuffix("Provider").lower()
    kind = type("Mine", (getattr(betterai, base),), {"__init__": lambda self, api_key: None})
    for method in methods.split():
        assert callable(getattr(kind, method))
    name = f"mine-{category}"
    getattr(betterai, f"register_{category}_provider")(name, kind)
    assert type(getattr(betterai, f"get_{category}_provider")(CoreConfig(model=f"{name}/x"))) is kind


def test_the_category_of_a_model_is_text_unless_it_says_otherwise() -> None:
    assert PROVIDER_MODELS["model-id-1"].category == "text"


def test_settings_that_were_not_given_are_none() -> None:
    settings = GenerationSettings()
    assert settings.temperature is None
    assert settings.max_tokens is None


def test_a_response_needs_no_more_than_the_handbook_gives_it() -> None:
    response = ProviderResponse(content="Hello", model="m", tokens_used=7)
    assert (response.content, response.model, response.tokens_used) == ("Hello", "m", 7)
    assert TextChunk(content="Hello").content == "Hello"


class APIError(Exception):
    """What the clients of the exception example raise."""


class APIRateLimitError(APIError): ...


class APIAuthError(APIError): ...


@pytest.mark.parametrize(
    ("raised", "kinds"),
    [
        (APIRateLimitError("429"), (RateLimitError, ProviderError)),
        (APIAuthError("401"), (ValidationError,)),
        (APIError("500"), (ProviderError,)),
    ],
)
async def test_exceptions_are_mapped_as_shown(raised: Exception, kinds: tuple[type[Exception], ...]) -> None:
    class Client:
        async def call(self) -> None:
            raise raised

    class Mapped(BaseTextProvider):
        def __init__(self, api_key: str) -> None:
            self._client = Client()

        async def generate(self, messages: Any, model: str, settings: Any) -> Any:
            # Specific error
            try:
                return await self._client.call()
            except APIRateLimitError as exc:
                raise RateLimitError(f"Rate limited: {exc}") from exc
            except APIAuthError as exc:
                raise ValidationError(f"Auth failed: {exc}") from exc
            except APIError as exc:
                raise ProviderError(f"API error: {exc}") from exc

    register_text_provider("mapped", Mapped)
    with pytest.raises(betterai.BetterAIError) as caught:
        await betterai.generate("mapped/x", "test")
    assert isinstance(caught.value, kinds)
    assert (caught.value.provider, caught.value.model) == ("mapped", "x")


def test_a_rate_limit_is_a_providers_error_and_a_bad_key_is_both() -> None:
    assert issubclass(RateLimitError, ProviderError)
    assert issubclass(AuthenticationError, ProviderError)
    assert issubclass(AuthenticationError, ValidationError)


async def test_the_pattern_of_streaming_with_a_timeout() -> None:
    class Slow(BaseTextProvider):
        def __init__(self, api_key: str) -> None:
            pass

        async def _stream(self) -> AsyncGenerator[Any, None]:
            yield SimpleNamespace(timeout=False, text="Hel")
            yield SimpleNamespace(timeout=True, text="")

        async def generate_stream(self, messages: Any, model: str, settings: Any) -> Any:
            async for chunk in self._stream():
                if chunk.timeout:
                    raise ProviderError("Stream timeout")
                yield TextChunk(content=chunk.text)

    register_text_provider("slow", Slow)
    stream = betterai.stream("slow/x", "test")
    with pytest.raises(ProviderError, match="Stream timeout"):
        await stream.collect()
    assert stream.partial.content == "Hel"


async def test_the_pattern_of_retries_with_tenacity() -> None:
    from tenacity import retry, stop_after_attempt, wait_exponential

    class Retried(BaseTextProvider):
        def __init__(self, api_key: str) -> None:
            self._client = AsyncMock()
            self._client.call.side_effect = [ProviderError("once"), "Hello"]

        @retry(
            stop=stop_after_attempt(3),
            wait=wait_exponential(multiplier=0, min=0, max=0),
        )
        async def _call_api(self) -> str:
            return await self._client.call()

        async def generate(self, messages: Any, model: str, settings: Any) -> ProviderResponse:
            return ProviderResponse(content=await self._call_api())

    register_text_provider("retried", Retried)
    assert (await betterai.generate("retried/x", "test")).content == "Hello"


# ── the example: OpenRouter ──

OPENROUTER_MODELS = {
    "openrouter/auto": ModelConfig(
        id="openrouter/auto",
        name="OpenRouter Auto",
        provider="openrouter",
        capabilities=ModelCapabilities(supports_streaming=True),
    ),
}


class OpenRouterClient:
    """A client whose `stream` is an async context manager over chunks."""

    def stream(self, **call: Any) -> OpenRouterClient:
        self.call = call
        return self

    async def __aenter__(self) -> AsyncGenerator[Any, None]:
        return self._chunks()

    async def __aexit__(self, *_: object) -> None:
        pass

    async def _chunks(self) -> AsyncGenerator[Any, None]:
        for content in ("Hel", "lo"):
            yield SimpleNamespace(choices=[SimpleNamespace(delta=SimpleNamespace(content=content))])


class OpenRouterTextProvider(BaseTextProvider):
    made: OpenRouterTextProvider

    def __init__(self, api_key: str) -> None:
        self._client = OpenRouterClient()
        OpenRouterTextProvider.made = self

    async def generate_stream(self, messages, model, settings):
        async with self._client.stream(messages=messages, model=model) as response:
            async for chunk in response:
                yield TextChunk(content=chunk.choices[0].delta.content)


@pytest.fixture
def _openrouter() -> Any:
    ALL_MODELS.update({"openrouter/auto": OPENROUTER_MODELS["openrouter/auto"]})
    # once OpenRouter is built in, taking its place must be said
    taken = "openrouter" in built_in_names()
    register_text_provider("openrouter", OpenRouterTextProvider, **({"replace": True} if taken else {}))
    yield
    registry._registered.pop("openrouter")


@pytest.mark.usefixtures("_openrouter")
@pytest.mark.parametrize("name", ["openrouter/auto", "openrouter/openrouter/auto"])
async def test_the_openrouter_example_answers_streamed_and_whole(name: str) -> None:
    async with betterai.Client() as client:
        async with client.stream(name, "test") as stream:
            assert [chunk.content async for chunk in stream if chunk.content] == ["Hel", "lo"]
        assert (await client.generate(name, "test")).content == "Hello"
    call = OpenRouterTextProvider.made._client.call
    assert call == {"messages": [{"role": "user", "content": "test"}], "model": "openrouter/auto"}


HANDBOOK_NAMES = (
    "ModelConfig ModelCapabilities ALL_MODELS BaseTextProvider BaseImageProvider BaseVideoProvider BaseAudioProvider "
    "BaseTTSProvider BaseRealtimeProvider ProviderError ValidationError RateLimitError GenerationSettings TextChunk "
    "ProviderResponse register_text_provider get_text_provider CoreConfig ai_clients"
)


@each("name", HANDBOOK_NAMES.split())
def test_every_name_of_the_handbook_is_there(name: str) -> None:
    assert name in betterai.__all__
    assert getattr(betterai, name) is not None
