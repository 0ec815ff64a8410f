"""A line before it is stored: whom it asks, and whether it can be asked at all."""

from __future__ import annotations

from typing import Any

import msgspec

from betterai.config.providers import ALL_MODELS
from betterai.core.batches import BatchRequest
from betterai.core.exceptions import ModelNotFoundError, UnsupportedParam, ValidationError
from betterai.core.message import MediaPart
from betterai.core.model import Category
from betterai.runtime.client import Client
from betterai.runtime.messages import read_messages
from betterai.runtime.packing import UNSAFE
from betterai.runtime.registry import get_provider, provider_names


async def check_request(client: Client, request: BatchRequest, model: str, category: Category) -> None:
    """Build the line's request as its call will: what it refuses is refused before anything is sent. A line with
    media is looked at when it is asked: some of it would have to be fetched. Raises `ValidationError`.
    """
    _refuse_unsafe(request)
    given: Any = request.input
    _check_embedded(model, category)
    if category == "text":
        given = read_messages(given)
        found: Any = client.look_up(msgspec.structs.replace(client.config, model=model))
        if any(isinstance(part, MediaPart) for message in given for part in message.parts):
            return
    else:
        found = client.find(category, model)
        given = (given,) if isinstance(given, str) and category != "image" else given
    if hasattr(found.provider, "plan"):
        await found.provider.plan(given, found.id, request.settings)


def _check_embedded(name: str, category: Category) -> None:
    """What runs in this process lists all that there is. Raises `ModelNotFoundError`."""
    provider = get_provider(name.partition("/")[0])
    if not provider.embedded or not (models := provider.models()):
        return
    found = ALL_MODELS.find(name)
    if found is None or found.category != category:
        known = [model.id for model in models.values() if model.category == category]
        raise ModelNotFoundError(
            f"{provider.title} has no {category} model of this name",
            hint=f"it has {', '.join(known) or 'none'}",
            provider=provider.name,
            model=name,
        )


def name_model(provider: str, request: BatchRequest, id: str) -> str:
    """The model that a line asks: `id` where it names none itself. Raises `ValidationError` for another provider's."""
    key = f"{provider}/{request.model or id}"
    whose, _, rest = request.model.partition("/")
    if not rest or ALL_MODELS.find(key) is not None:
        return key
    if whose == provider:
        return request.model
    if whose in provider_names():
        raise ValidationError(
            f"{request.model} is a model of another provider than the batch's",
            hint="make a batch for each provider",
        )
    return key


def _refuse_unsafe(request: BatchRequest) -> None:
    """Raises `UnsupportedParam` for what is never stored, and would be missing when the line is asked."""
    given = request.settings.given() if request.settings is not None else {}
    for name in sorted(UNSAFE):
        if given.get(name):
            raise UnsupportedParam(
                f"{name} may hold keys, and is not stored with a batch",
                hint="pass Client(headers=…), and submit with client.batches",
                param=name,
            )
