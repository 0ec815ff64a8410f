"""Errors on demand: builds the error that `options={"local": {"error": …}}` names."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from betterai.core import exceptions
from betterai.core.exceptions import BetterAIError, StreamInterrupted, ValidationError
from betterai.core.response import ProviderResponse
from betterai.providers.local.options import LocalOptions, suggest


def build_error(options: LocalOptions, model: str, partial: ProviderResponse | None = None) -> BetterAIError:
    """The scripted error: the class that `error` names, else `StreamInterrupted`, which holds what came so far."""
    name = options.get("error", "StreamInterrupted")
    kinds = _list_errors()
    if name not in kinds:
        raise ValidationError(
            f"the option 'error' names no error of ours: {name!r}", hint=suggest(name, kinds), provider="local"
        )
    details: dict[str, Any] = {"provider": "local", "model": model, "hint": "scripted by the options of local"}
    if issubclass(kinds[name], StreamInterrupted) and partial is not None:
        details["partial"] = replace(partial, provider="local")
    return kinds[name](
        options.get("message", f"{name} on demand"),
        status=options.get("status"),
        retry_after=options.get("retry_after"),
        **details,
    )


def _list_errors() -> dict[str, type[BetterAIError]]:
    return {
        name: kind
        for name, kind in vars(exceptions).items()
        if isinstance(kind, type) and issubclass(kind, BetterAIError)
    }
