"""Two attempts side by side: where the first is slow, a second one begins, and the first content wins."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from betterai.runtime.router.answer import Answer
from betterai.runtime.router.call import RoutedCall
from betterai.runtime.router.routes import Route


async def race(call: RoutedCall, route: Route, delay: float) -> Answer | None:
    """The first answer; None where each failed, and the call may go on. Nothing is left running: what comes second is
    cancelled, which closes its socket.
    """
    first = call.begin(route)
    running = {asyncio.create_task(call.ask(first)): first}
    winner = None
    try:
        await asyncio.wait(running, timeout=delay)
        if not any(task.done() for task in running) and (beside := _begin_beside(call, route)) is not None:
            running[asyncio.create_task(call.ask(beside, beside=True))] = beside
        while running and winner is None:
            done, _ = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            task = min(done, key=lambda task: running[task] is not first)
            answer, error = running.pop(task), task.exception()
            if error is None:
                winner = answer
                call.router.hedging.won += answer is not first
            elif isinstance(error, Exception):
                call.judge(answer.route, error)
            else:
                raise error
    except BaseException:
        await _leave(call, running)
        raise
    if running and not await _leave(call, running) and winner is not None:
        await call.drop(winner)
        raise asyncio.CancelledError
    return winner


def _begin_beside(call: RoutedCall, route: Route) -> Answer | None:
    trial, hedging = call.trial, call.router.hedging
    if not hedging.allows(trial=trial) or (beside := call.pick_beside(route)) is None:
        return None
    hedging.begin(trial=trial)
    return call.begin(beside, beside=True)


async def _leave(call: RoutedCall, running: Mapping[asyncio.Task[Answer], Answer]) -> bool:
    """Cancel what came second, and note what it cost. False where the call was cancelled meanwhile."""
    left = True
    for task in running:
        task.cancel()
    while not all(task.done() for task in running):
        try:
            await asyncio.wait(running)
        except asyncio.CancelledError:
            left = False
    for task, answer in running.items():
        if not task.cancelled():
            task.exception()  # it was looked at
        call.hedges = (*call.hedges, call.router.hedging.lose(call, answer))
        await call.drop(answer)
    return left
