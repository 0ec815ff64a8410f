"""Embedded providers, every category but text: each setting has an effect, is reported or raises; what comes is whole."""

from __future__ import annotations

from typing import Any

import pytest

import betterai
from betterai.core.exceptions import BetterAIError, ConfigurationError, ModelNotFoundError, ValidationError
from betterai.core.results import Result
from contract.cases import PROVIDERS
from contract.modality_cases import KINDS, SETTINGS, SHARED
from providers.local.engines import beep, need

MODELS = [
    (provider.name, model.id, model.category)
    for provider in PROVIDERS.values()
    if provider.embedded
    for model in provider.models().values()
    if model.category != "text"
]
EFFECTIVE: dict[str, set[str]] = {
    "tts": {"voice", "sample_rate", "speed", "language", "alignment"},
    "audio": {"timestamps", "sample_rate", "channels", "interim"},
    "image": {"size", "aspect", "n", "format", "compression", "background", "seed", "images", "partial_images"},
    "video": {"seconds", "size", "aspect", "resolution", "fps", "seed", "audio", "first_frame", "last_frame"},
    "embeddings": {"dimensions", "truncate"},
}
"""What does something at one engine at least: which effect is tested beside the engines."""
SMALL: dict[str, Any] = {"image": {"size": "32x32"}, "video": {"size": "32x32", "seconds": 0.2}}
OVER_ALL = pytest.mark.parametrize(("provider", "model", "category"), MODELS, ids=[model for _, model, _ in MODELS])


async def ask(provider: str, model: str, category: str, settings: Any) -> Result:
    """The result of a short input."""
    name = f"{provider}/{model}"
    if category == "embeddings":
        return await betterai.embed(name, ["alpha", "beta"], settings=settings)
    if category == "image":
        return await betterai.generate_image(name, "alpha", settings=settings)
    if category == "video":
        return await betterai.generate_video(name, "alpha", settings=settings, store=None)
    if category == "audio":
        return await betterai.transcribe(name, betterai.Media(kind="audio", data=beep()), settings=settings)
    return await betterai.speak(name, "alpha", settings=settings)


def test_every_category_has_an_embedded_model() -> None:
    assert {category for _, _, category in MODELS} == set(EFFECTIVE)


@OVER_ALL
async def test_t1_each_setting_has_an_effect_is_reported_or_raises(provider: str, model: str, category: str) -> None:
    need(model)
    for name, value in {**SETTINGS[category], **SHARED}.items():
        refused, result = "", None
        try:
            result = await ask(provider, model, category, KINDS[category](**{**SMALL.get(category, {}), name: value}))
        except ValidationError as error:
            refused = str(error)
        reported = {warning.field for warning in result.warnings} if result is not None else set()
        assert reported <= {name}, name
        assert reported or refused or name in EFFECTIVE[category], name
        told = name.removesuffix("s").replace("_", " ")
        assert not refused or told in refused.replace("_", " ") or "is not read here" in refused, name


@OVER_ALL
async def test_t5_null_is_as_if_nothing_was_said(provider: str, model: str, category: str) -> None:
    need(model)
    nothing = dict.fromkeys((*SETTINGS[category], *SHARED))
    result = await ask(provider, model, category, KINDS[category](**{**nothing, **SMALL.get(category, {})}))
    assert result.warnings == ()


@OVER_ALL
async def test_a_result_says_who_made_it_and_that_it_cost_nothing(provider: str, model: str, category: str) -> None:
    need(model)
    result = await ask(provider, model, category, KINDS[category](**SMALL.get(category, {})))
    assert (result.provider, result.model, result.warnings) == (provider, model, ())
    assert result.usage is not None
    assert result.cost is not None
    assert result.timing is not None
    assert (result.cost.amount, result.cost.status) == (0, "exact")
    assert result.usage.units or result.usage.text_in


@OVER_ALL
async def test_an_unknown_option_and_an_unknown_model_are_refused(provider: str, model: str, category: str) -> None:
    need(model)
    if model != "hashing":
        with pytest.raises(ValidationError, match="unheard_of"):
            await ask(provider, model, category, KINDS[category](options={provider: {"unheard_of": 1}}))
    if category != "embeddings":
        with pytest.raises(ModelNotFoundError, match=model):
            await ask(provider, f"{model}x", category, KINDS[category]())


async def test_what_is_missing_is_named_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    from betterai.providers.local.extras import load_extra

    with pytest.raises(ConfigurationError, match=r"no_such_engine – pip install 'betterai\[local\]'") as caught:
        load_extra("no_such_engine", "local", "pictures")
    assert isinstance(caught.value, BetterAIError)
