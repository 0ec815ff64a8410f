"""Whether the stages of a cascade can be asked at all: found out when a session is opened, before anything is said."""

from __future__ import annotations

import asyncio

from betterai.config.providers import ALL_MODELS
from betterai.core.exceptions import BetterAIError, ModelNotFoundError
from betterai.core.model import ModelConfig
from betterai.core.response import CallWarning
from betterai.core.routing import ROUTER_PREFIX
from betterai.runtime.cascade.stages import Stage
from betterai.runtime.client import Client
from betterai.runtime.found import Found
from betterai.runtime.lookup import check_model

LIST_SECONDS = 5.0
"""How long a provider may take to list its models."""
_MOST_NAMED = 5


async def check_stage(client: Client, stage: Stage) -> tuple[CallWarning, ...]:
    """What is to be said of a stage. Raises `ModelNotFoundError` for a model that is none of the stage's kind, or that
    its provider says it does not have, and `ConfigurationError` for a key or a package that is missing.
    """
    if not isinstance(stage.model, str):
        await stage.model.check_ready("")
        return ()
    if stage.model.startswith(ROUTER_PREFIX):
        from betterai.runtime.router.declared import make_router

        make_router(stage.model.removeprefix(ROUTER_PREFIX), client)
        return ()
    found = client.find(stage.category, stage.model)
    try:
        warnings = _check_kind(stage, found)
        if (connection := getattr(found.provider, "connection", None)) is not None:
            connection.endpoint()
        elif (check := getattr(found.provider, "check_ready", None)) is not None:
            await check(found.id)
    except BetterAIError as error:
        raise error.locate(found.declared.name, found.id) from error.__cause__
    if not found.model.known and not found.declared.embedded and await _is_refused(client, found):
        raise _refuse(stage, found.model, f"{found.declared.title or found.declared.name} does not list it")
    return tuple(_suggest_names(warning, found.model) for warning in warnings)


def _check_kind(stage: Stage, found: Found) -> tuple[CallWarning, ...]:
    """Elsewhere the catalogue's word is a warning: here it would be heard by those who speak, and not by a caller."""
    find_codec = getattr(found.provider, "find_codec", None)
    others = getattr(find_codec(found.model), "categories", ()) if find_codec is not None else ()
    warnings = check_model(found.model, stage.category, others)
    if any(warning.code == "capability" for warning in warnings) and not found.declared.embedded:
        raise _refuse(stage, found.model, f"it is a model for {found.model.category}, not for {stage.category}")
    return warnings


async def _is_refused(client: Client, found: Found) -> bool:
    """Whether the provider's own list lacks a model that the catalogue does not know. Not every key may see it."""
    if not found.declared.list_models_path:
        return False
    try:
        async with asyncio.timeout(LIST_SECONDS):
            listed = await client.list_models(found.declared.name)
    except (BetterAIError, TimeoutError):
        return False
    return bool(listed) and found.id not in listed


def _refuse(stage: Stage, model: ModelConfig, message: str) -> ModelNotFoundError:
    near = [key for key in ALL_MODELS.near(model.provider, model.id) if ALL_MODELS[key].category == stage.category]
    fitting = [
        key for key in ALL_MODELS if key.startswith(f"{model.provider}/") and ALL_MODELS[key].category == stage.category
    ]
    hint = f"no {stage.category} model of it is known"
    if near or fitting:
        named = near or fitting[:_MOST_NAMED]
        hint = f"did you mean {', '.join(named)}?" if near else f"one for {stage.category} is {' or '.join(named)}"
    return ModelNotFoundError(message, hint=hint, provider=model.provider, model=model.id)


def _suggest_names(warning: CallWarning, model: ModelConfig) -> CallWarning:
    near = ALL_MODELS.near(model.provider, model.id)
    if warning.code != "unknown_model" or not near:
        return warning
    return CallWarning(code=warning.code, field=warning.field, message=f"{warning.message}: is it {near[0]}?")
