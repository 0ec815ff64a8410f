"""A look at a router: its targets, who rests, how quick they are, and what was spent beside the answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from betterai.core.data import Data
from betterai.core.usage import Cost
from betterai.runtime.router.health import State

if TYPE_CHECKING:
    from betterai.runtime.router.router import Router
    from betterai.runtime.router.routes import Lane, Route


class RouteStatus(Data, frozen=True, kw_only=True):
    """A target with one of its keys: `ready`, `resting` for so many `seconds`, or `due` to be tried by one call."""

    key: int
    state: State
    seconds: float = 0.0
    failing: str = ""
    """What is at fault: its key, account, model or region."""


class TargetStatus(Data, frozen=True, kw_only=True):
    """One target. Times are running means in seconds: to the first content of a stream, and to a whole answer."""

    target: str
    calls: int
    failures: int
    in_flight: int
    concurrency: int | None
    first_content: float | None
    whole: float | None
    routes: tuple[RouteStatus, ...]


class RouterStatus(Data, frozen=True, kw_only=True):
    """`waiting` calls have no place yet. `lost` is the cost of answers that nobody got, of hedges and of streams that
    broke: its amount is None where that is not known of each.
    """

    targets: tuple[TargetStatus, ...]
    waiting: int
    hedges: int
    hedges_won: int
    lost: Cost


def describe_router(router: Router) -> RouterStatus:
    hedging, now = router.hedging, router.clock.monotonic()
    return RouterStatus(
        targets=tuple(_describe_lane(lane, router, now) for lane in router.lanes),
        waiting=router.turns.waiting,
        hedges=hedging.begun,
        hedges_won=hedging.won,
        lost=hedging.lost.cost,
    )


def _describe_lane(lane: Lane, router: Router, now: float) -> TargetStatus:
    return TargetStatus(
        target=str(lane.target),
        calls=lane.calls,
        failures=lane.failures,
        in_flight=lane.in_flight,
        concurrency=lane.limit,
        first_content=lane.streamed.mean,
        whole=lane.whole.mean,
        routes=tuple(_describe_route(route, router, now) for route in lane.routes),
    )


def _describe_route(route: Route, router: Router, now: float) -> RouteStatus:
    health = router.health
    places = route.places() if health.rests else ()
    state = health.state(places, now)
    if state == "ready":
        return RouteStatus(key=route.number, state=state)
    resting = [place for place in places if health.state((place,), now) == state]
    seconds = max(0.0, health.until(resting) - now)
    return RouteStatus(key=route.number, state=state, seconds=seconds, failing=resting[0][0])
