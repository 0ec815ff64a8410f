"""Two attempts side by side: where the first is slow, a second one begins, and the first content wins."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from typing import Any

from betterai.runtime.router.answer import Answer
from betterai.runtime.router.call import RoutedCall
from betterai.runtime.router.routes import Route
from betterai.runtime.spending import was_free


async def race(call: RoutedCall, route: Route, delay: float) -> Answer | None:
    """The first answer; None where each failed, and the call may go on. Nothing is left running: what comes second is
    cancelled, which closes its socket.
    """
    first = call.begin(route)
    running = {asyncio.create_task(call.ask(first)): first}
    winner, beside = None, None
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
                if beside is not None and not was_free(error):
                    await call.router.hedging.lose(call, answer, error)
                call.judge(answer.route, error)
            else:
                raise error
    except BaseException as error:
        await _leave(call, running)
        call.tell_lost(error)
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
    for task in running:
        task.cancel()
    left = await _wait_for(running)
    bills = []
    for task, answer in running.items():
        error = None if task.cancelled() else task.exception()
        if error is None or not was_free(error):
            bills.append(asyncio.create_task(call.router.hedging.lose(call, answer, error)))
        await call.drop(answer)
    return await _wait_for(bills) and left


async def _wait_for(tasks: Collection[asyncio.Task[Any]]) -> bool:
    """Wait until all of them are done. False where the call was cancelled meanwhile."""
    left = True
    while not all(task.done() for task in tasks):
        try:
            await asyncio.wait(tasks)
        except asyncio.CancelledError:
            left = False
    return left
