"""Which provider is behind a name, and which of its protocols a call takes."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

import betterai
from betterai.config.providers import ALL_MODELS
from betterai.core.config import CoreConfig
from betterai.core.exceptions import ConfigurationError, ModelNotFoundError, ValidationError
from betterai.core.model import ModelConfig, ModelTraits
from betterai.core.provider import Provider
from betterai.core.response import ProviderResponse
from betterai.runtime.factory import get_text_provider, read_key
from betterai.runtime.registry import (
    choose_protocol,
    declare_class,
    get_provider,
    provider_names,
    register_provider,
    registry_version,
    resolve_model,
)
from betterai.runtime.text import CodecTextProvider
from betterai.wire.openai_chat import OpenAIChat
from runtime.providers import PROVIDER


class Mine(betterai.BaseTextProvider):
    def __init__(self, api_key: str, **options: Any) -> None:
        self.api_key, self.options = api_key, options

    async def generate(self, messages: Any, model: str, settings: Any) -> ProviderResponse:
        return ProviderResponse(content=f"{model}:{len(messages)}")


class Painter(betterai.BaseImageProvider):
    def __init__(self, api_key: str) -> None:
        self.api_key = api_key


def test_a_misspelt_setting_of_the_configuration_is_refused() -> None:
    get_text_provider(CoreConfig(model="azure/x", settings={"api_version": "1", "region": "elsewhere"}))
    with pytest.raises(ConfigurationError, match=r"no settings.api_verson – did you mean api_version\?"):
        get_text_provider(CoreConfig(model="azure/x", settings={"api_verson": "1"}))


def test_options_for_a_constructor_that_is_none_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="options go to class providers"):
        get_text_provider(CoreConfig(model="azure/x", options={"depth": 3}))


async def test_a_misspelt_vendor_in_the_options_of_a_call_is_refused() -> None:
    with pytest.raises(ValidationError, match="no provider 'gorq' – did you mean groq"):
        await betterai.generate("groq/x", "Hi", options={"gorq": {"x": 1}})


def test_near_names_are_near() -> None:
    with pytest.raises(betterai.ModelNotFoundError) as caught:
        get_text_provider("nope/x")
    assert "did you mean" not in str(caught.value)
    assert "write provider/model" in str(caught.value)


def test_a_class_is_made_with_its_key_and_options(monkeypatch: pytest.MonkeyPatch) -> None:
    betterai.register_text_provider("made-up.one", Mine)
    monkeypatch.setenv("MADE_UP_ONE_API_KEY", " from the environment ")
    made = get_text_provider(CoreConfig(model="made-up.one/x", options={"depth": 3}))
    assert isinstance(made, Mine)
    assert (made.api_key, made.options) == ("from the environment", {"depth": 3})
    given = get_text_provider(CoreConfig(model="made-up.one/x", api_key="given"))
    assert isinstance(given, Mine)
    assert given.api_key == "given"


@pytest.mark.parametrize("make", [lambda api_key: Mine(api_key), partial(Mine, depth=1)], ids=["function", "partial"])
def test_anything_that_makes_a_provider_can_be_registered(make: Any) -> None:
    betterai.register_text_provider("maker", make, replace=True)
    assert isinstance(get_text_provider("maker/x"), Mine)


@pytest.mark.parametrize("name", ["", "a/b"])
def test_a_name_that_cannot_be_one_is_refused(name: str) -> None:
    with pytest.raises(ConfigurationError, match="cannot be a provider's name"):
        betterai.register_text_provider(name, Mine)


@pytest.mark.parametrize("category", ["text", "image", "video", "audio", "tts", "realtime"])
def test_a_built_in_name_is_taken_only_on_purpose(category: Any) -> None:
    with pytest.raises(ConfigurationError, match="built in"):
        register_provider(category, "local", Mine)
    assert get_provider("local").embedded


def test_replacing_one_category_keeps_all_else() -> None:
    declared = Provider(
        name="whole",
        title="Whole",
        settings=PROVIDER.settings,
        base_url="https://h",
        protocols={"text": {"a": OpenAIChat()}},
    )
    betterai.register_text_provider("whole", declared)
    betterai.register_image_provider("whole", Painter)
    found = get_provider("whole")
    assert (found.title, found.settings, set(found.protocols)) == ("Whole", PROVIDER.settings, {"text", "image"})
    assert isinstance(get_text_provider("whole/x"), CodecTextProvider)
    assert isinstance(betterai.get_image_provider("whole/x"), Painter)
    betterai.register_text_provider("whole", Mine)
    assert isinstance(get_text_provider("whole/x"), Mine)
    assert set(get_provider("whole").protocols) == {"text", "image"}


def test_a_declaration_gets_the_name_it_is_registered_under_and_so_do_its_models() -> None:
    models = {"m": ModelConfig(id="m", provider="other", aliases=("short",))}
    declared = Provider(name="other", base_url="https://h", models=lambda: models, protocols=PROVIDER.protocols)
    betterai.register_text_provider("renamed", declared)
    assert get_provider("renamed").name == "renamed"
    assert ALL_MODELS["renamed/m"].provider == "renamed"
    assert resolve_model("renamed/short").id == "m"


def test_the_version_changes_with_registry_and_catalogue() -> None:
    seen = {registry_version()}
    betterai.register_text_provider("versioned", Mine)
    seen.add(registry_version())
    ALL_MODELS["versioned/x"] = ModelConfig(id="x", provider="versioned")
    seen.add(registry_version())
    del ALL_MODELS["versioned/x"]
    seen.add(registry_version())
    assert len(seen) == 4


def test_an_unknown_provider_is_refused_with_those_there_are() -> None:
    with pytest.raises(ConfigurationError, match="there is no provider") as caught:
        get_provider("xyzzy")
    assert "local" in caught.value.hint


@pytest.mark.parametrize("category", ["image", "video", "audio", "tts", "realtime"])
def test_a_category_that_a_provider_lacks_is_refused(category: str) -> None:
    betterai.register_text_provider("texts-only", Mine)
    with pytest.raises(ModelNotFoundError, match=f"offers no {category}") as caught:
        getattr(betterai, f"get_{category}_provider")("texts-only/x")
    assert (caught.value.provider, caught.value.model) == ("texts-only", "x")


@pytest.mark.parametrize("category", ["rerank", "moderation", "realtime"])
def test_without_a_model_the_variable_is_named(category: str) -> None:
    with pytest.raises(ConfigurationError, match="BETTERAI_"):
        getattr(betterai, f"get_{category}_provider")(CoreConfig())


def test_a_providers_name_alone_means_its_default_of_the_category() -> None:
    defaults = {"text": "words", "image": "pictures"}
    betterai.register_text_provider("both", Provider(name="both", protocols=PROVIDER.protocols, defaults=defaults))
    assert resolve_model("both").id == "words"
    assert resolve_model("both", "image").id == "pictures"


ONE, TWO = OpenAIChat(), OpenAIChat()
PROTOCOLS = Provider(name="p", protocols={"text": {"one": ONE, "two": TWO}})


@pytest.mark.parametrize(
    ("model", "wanted", "chosen"),
    [
        (ModelConfig(id="m", provider="p"), "", ONE),
        (ModelConfig(id="m", provider="p"), "two", TWO),
        (ModelConfig(id="m", provider="p", protocol="two"), "", TWO),
        (ModelConfig(id="m", provider="p", protocol="two"), "one", ONE),
        (ModelConfig(id="m", provider="p", traits=ModelTraits(protocol="two")), "", TWO),
        (ModelConfig(id="m", provider="p", protocol="one", traits=ModelTraits(protocol="two")), "", ONE),
        (ModelConfig(id="m", provider="p", protocol="elsewhere"), "two", TWO),
    ],
)
def test_the_call_chooses_then_the_model_then_its_family_then_the_first(
    model: ModelConfig, wanted: str, chosen: Any
) -> None:
    assert choose_protocol(PROTOCOLS, "text", model, wanted) is chosen


def test_a_protocol_that_is_not_spoken_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="it speaks one, two"):
        choose_protocol(PROTOCOLS, "text", ModelConfig(id="m", provider="p"), "three")


def test_a_model_of_another_protocol_is_refused_before_it_is_asked() -> None:
    with pytest.raises(ConfigurationError, match="over elsewhere only") as caught:
        choose_protocol(PROTOCOLS, "text", ModelConfig(id="m", provider="p", protocol="elsewhere"))

    assert "one or two" in str(caught.value)


def test_names_are_listed_once_and_in_order() -> None:
    betterai.register_text_provider("aaa", Mine)
    names = provider_names()
    assert list(names) == sorted(set(names))
    assert {"aaa", "local"} <= set(names)


@pytest.mark.parametrize(
    ("config", "key"), [(CoreConfig(), "env"), (CoreConfig(api_key="given"), "given"), (CoreConfig(api_key=" "), "")]
)
def test_the_key_of_a_class_comes_from_the_call_else_the_environment(
    config: CoreConfig, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KEYED_API_KEY", "env")
    assert read_key(declare_class("keyed", {}), config) == key
    assert read_key(Provider(name="keyless"), config) == (config.api_key or "")
