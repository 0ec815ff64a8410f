"""What the catalogue says against a call. Claims: they warn, and never block."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from betterai.core.message import Message
from betterai.core.model import ModelConfig
from betterai.core.response import CallWarning
from betterai.core.tools import JsonSchema


def check_claims(
    model: ModelConfig, messages: Sequence[Message], given: Mapping[str, Any], *, media: bool
) -> tuple[CallWarning, ...]:
    """`given` are the settings that were set; without `media` the messages are not looked through."""
    said: tuple[CallWarning, ...] = ()
    if model.shutdown or not model.known:
        said = _check_model(model.provider, model.id, model.known, model.shutdown)
    found = []
    ranges, claims = model.config, model.capabilities
    for name, value in given.items():
        if name in ranges and value is not None:
            low, high = ranges[name]
            if not low <= value <= high:
                found.append(_warn(name, f"{value} is outside {low:g} to {high:g}"))
        elif name == "tools" and value and claims.supports_tools is False:
            found.append(_warn("tools", f"{model.key} is said to take no tools"))
        elif name == "response_format" and isinstance(value, JsonSchema) and claims.supports_structured_output is False:
            found.append(_warn("response_format", f"{model.key} is said to take no JSON Schema"))
    if media:
        found.extend(_check_media(model, messages))
    return (*said, *found) if found else said


@lru_cache(maxsize=1024)
def _check_model(provider: str, id: str, known: bool, shutdown: str) -> tuple[CallWarning, ...]:
    key, found = f"{provider}/{id}", []
    if not known:
        found.append(CallWarning(code="unknown_model", field="model", message=f"the catalogue does not list {key}"))
    if shutdown:
        found.append(CallWarning(code="deprecated", field="model", message=f"{key} is shut down on {shutdown}"))
    return tuple(found)


def _check_media(model: ModelConfig, messages: Sequence[Message]) -> Iterator[CallWarning]:
    claims = model.capabilities
    taken = {
        "image": claims.supports_vision,
        "audio": claims.supports_audio_input,
        "video": claims.supports_video_input,
        "document": claims.supports_documents,
    }
    for message in messages:
        for part in message.parts:
            kind = getattr(getattr(part, "media", None), "kind", "")
            if taken.get(kind) is False:
                yield _warn("media", f"{model.key} is said to take no {kind}")


def _warn(field: str, message: str) -> CallWarning:
    return CallWarning(code="capability", field=field, message=message)
