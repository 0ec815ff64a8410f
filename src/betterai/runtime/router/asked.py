"""What a route is asked: the caller's settings, without what is meant for another vendor or protocol."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from msgspec import UNSET

from betterai.core.exceptions import BetterAIError, UnsupportedParam
from betterai.core.response import CallWarning
from betterai.core.settings import GenerationSettings

if TYPE_CHECKING:
    from betterai.runtime.router.router import Router
    from betterai.runtime.router.routes import Route

_OF_THE_VENDOR = ("extra_headers", "extra_query")
"""They may hold secrets: no other vendor is shown them."""
_OF_THE_PROTOCOL = ("extra_body",)
_BY_HAND = frozenset({*_OF_THE_VENDOR, *_OF_THE_PROTOCOL, "options"})


def fit_settings(
    settings: GenerationSettings, route: Route, router: Router
) -> tuple[GenerationSettings, tuple[CallWarning, ...]]:
    """The settings for a route, and what was left out of them. What the caller wrote by hand is written for the first
    target. Raises `UnsupportedParam` where warnings are errors.
    """
    given, own = settings.given(), route.lane.target.settings
    if own is None and _BY_HAND.isdisjoint(given):
        return settings, ()
    if settings.options:
        settings = _without_others(settings, settings.options, route, router)
    dropped = [name for name in (*_OF_THE_PROTOCOL, *_OF_THE_VENDOR) if given.get(name)]
    if dropped:
        dropped = _find_foreign(dropped, route, router)
    if not dropped and own is None:
        return settings, ()
    warnings = tuple(
        CallWarning(
            code="dropped", field=name, message=f"it is meant for another target: {route.lane.target} was not sent it"
        )
        for name in dropped
    )
    if warnings and router.unsupported == "raise":
        raise UnsupportedParam(f"{warnings[0].field}: {warnings[0].message}", param=warnings[0].field)
    kept = settings.replace(**dict.fromkeys(dropped, UNSET)) if dropped else settings
    return (kept if own is None else kept.replace(**own.given())), warnings


def _without_others(
    settings: GenerationSettings, options: Mapping[str, Mapping[str, Any]], route: Route, router: Router
) -> GenerationSettings:
    """Without the options for vendors of other targets. Those for nobody here stay, and are reported."""
    own = _find_vendors(route)
    others = set().union(*(_find_vendors(lane.routes[0]) for lane in router.lanes)) - own
    if others.isdisjoint(options):
        return settings
    return settings.replace(options={name: given for name, given in options.items() if name not in others})


def _find_vendors(route: Route) -> set[str]:
    """Whose models may answer there: several where it leads to a router."""
    lanes = getattr(route.provider, "lanes", None)
    return {route.name[0]} if lanes is None else set().union(*(_find_vendors(lane.routes[0]) for lane in lanes))


def _find_foreign(names: list[str], route: Route, router: Router) -> list[str]:
    first = router.lanes[0].routes[0]
    if route.lane is first.lane:
        return []
    if first.provider is None:
        with suppress(BetterAIError):  # nobody knows what it was written for
            first.open()
    vendor, protocol = first.protocol
    same_vendor, same_protocol = route.protocol[0] == vendor, bool(protocol) and route.protocol[1] == protocol
    return [name for name in names if not (same_protocol if name in _OF_THE_PROTOCOL else same_vendor)]
