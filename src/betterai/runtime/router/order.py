"""Which lane is asked first."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf, log
from random import Random
from typing import TYPE_CHECKING

from betterai.core.routing import Choose
from betterai.runtime.router.routes import Lane, Route

if TYPE_CHECKING:
    from betterai.runtime.router.choosing import RouteChoice
    from betterai.runtime.router.router import Router

STALE = 60.0
"""After so many seconds without an answer a lane's time is no longer known."""


def order_routes(router: Router, call: RouteChoice, now: float) -> Sequence[Route]:
    """The routes in the order in which a call asks them, those in front that its conversation belongs to."""
    routes: Sequence[Route] = router.routes
    if router.choose != "order" and len(router.lanes) > 1:
        routes = _order_by_choice(router, now, streaming=call.streaming)
    return routes if len(routes) < 2 else router.affinity.arrange(call.conversation, call.messages, routes)


def _order_by_choice(router: Router, now: float, *, streaming: bool) -> Sequence[Route]:
    lanes = _order_lanes(router.lanes, router.choose, router.random, now, streaming=streaming)
    routes = [route for lane in lanes for route in lane.routes]
    if router.health.rests:
        routes.sort(key=lambda route: router.health.state(route.places(), now) != "due")
    return routes


def _order_lanes(
    lanes: Sequence[Lane], choose: Choose, random: Random, now: float, *, streaming: bool
) -> Sequence[Lane]:
    if choose == "weight":
        return sorted(lanes, key=lambda lane: _draw(random, lane.target.weight))
    if choose == "load":
        return sorted(lanes, key=lambda lane: lane.load)
    return sorted(lanes, key=lambda lane: _expect(lane, now, streaming=streaming))


def _draw(random: Random, weight: float) -> float:
    """When an event of this rate happens first: of several events, each is the first with a chance of its weight."""
    return -log(1.0 - random.random()) / weight


def _expect(lane: Lane, now: float, *, streaming: bool) -> float:
    """How long its answer will take. One of which that is not known goes first, and one call at a time finds out."""
    times = lane.times(streaming=streaming)
    if times.mean is None or now - times.last > STALE:
        return inf if lane.in_flight else -inf
    return times.mean
