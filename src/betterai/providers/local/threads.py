"""Work that blocks, in a thread. asyncio comes with the first of it, and not with the models' names."""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


async def in_thread(work: Callable[P, T], *given: P.args, **named: P.kwargs) -> T:
    from asyncio import to_thread

    return await to_thread(work, *given, **named)
