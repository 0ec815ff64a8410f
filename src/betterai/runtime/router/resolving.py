"""All targets of a router, looked up at once: what is misspelt, or has no key, is found before it is needed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from betterai.config.providers import ALL_MODELS
from betterai.core.exceptions import BetterAIError, ConfigurationError
from betterai.core.model import ModelConfig
from betterai.core.response import CallWarning

if TYPE_CHECKING:
    from betterai.runtime.router.router import Router
    from betterai.runtime.router.routes import Route


def check_targets(router: Router) -> tuple[CallWarning, ...]:
    """What is doubtful. Raises the error of a target that cannot be asked, or `ConfigurationError` for several."""
    warnings: list[CallWarning] = []
    wrong: list[tuple[Route, BetterAIError]] = []
    for route in router.routes:
        try:
            warnings += _check_route(route)
        except BetterAIError as error:
            wrong.append((route, error))
    if len(wrong) == 1:
        raise wrong[0][1]
    if wrong:
        said = "; ".join(f"target {route.lane.index}: {error}" for route, error in wrong)
        raise ConfigurationError(f"{len(wrong)} targets cannot be asked: {said}")
    return tuple(warnings)


def _check_route(route: Route) -> tuple[CallWarning, ...]:
    provider: Any = route.open()
    if (deeper := getattr(provider, "check", None)) is not None:
        return tuple(deeper())
    if (connection := getattr(provider, "connection", None)) is not None:
        connection.endpoint()
    model: ModelConfig | None = getattr(provider, "model", None)
    if not isinstance(model, ModelConfig) or not model.id or model.known:
        return ()
    like = ALL_MODELS.near(model.provider, model.id)
    hint = f": did you mean {' or '.join(like)}?" if like else ""
    said = f"{model.key} is not in the catalogue{hint}"
    return (CallWarning(code="unknown_model", field=f"targets[{route.lane.index}]", message=said),)
