"""Two attempts side by side: where the first is slow, a second one begins, and the first content wins."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from betterai.runtime.router.call import Answer, RoutedCall
from betterai.runtime.router.routes import Lane, Route

if TYPE_CHECKING:
    Runs = dict[asyncio.Task[Answer], Route]


async def race(call: RoutedCall, route: Route, delay: float) -> Answer | None:
    """The first answer; None where each failed, and the call may go on. Nothing is left running: what comes second is
    cancelled, which closes its socket.
    """
    hedging, trial, clock = call.router.hedging, call.trial, call.router.clock
    began = {route: clock.monotonic()}
    running: Runs = {asyncio.create_task(call.ask(route)): route}
    try:
        await asyncio.wait(running, timeout=delay)
        if not any(task.done() for task in running) and hedging.allows(trial=trial):
            full: list[Lane] = []
            beside = call.pick_beside(route, full)
            if beside is not None:
                hedging.begin(trial=trial)
                began[beside] = clock.monotonic()
                running[asyncio.create_task(call.ask(beside, beside=True))] = beside
        while running:
            done, _ = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            for task in sorted(done, key=lambda task: running[task] is not route):
                asked, error = running[task], task.exception()
                if error is None:
                    del running[task]
                    hedging.won += asked is not route
                    return task.result()
                del running[task]
                if not isinstance(error, Exception):
                    raise error
                call.judge(asked, error)
        return None
    finally:
        if running:
            await _leave(call, running, began)


async def _leave(call: RoutedCall, running: Runs, began: dict[Route, float]) -> None:
    """Cancel what came second, and note what it cost."""
    for task in running:
        task.cancel()
    await asyncio.wait(running)
    for task, route in running.items():
        answer = None if task.cancelled() or task.exception() is not None else task.result()
        call.router.hedging.lose(call, route, answer)
        await call.drop(route, answer, call.router.clock.monotonic() - began[route])
