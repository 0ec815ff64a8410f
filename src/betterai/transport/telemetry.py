"""What an attempt tells whoever watches: how it ended and how long it took, never what it carried."""

from __future__ import annotations

import logging
import time
from asyncio import CancelledError
from collections.abc import Callable
from typing import Literal, Protocol

from yarl import URL

from betterai.core.data import Data

logger = logging.getLogger("betterai")


class TransportEvent(Data, frozen=True, kw_only=True):
    """The end of one attempt. `seconds` since it began, `bytes` of the reply's body that came. Never holds content:
    no query, no header, no body.
    """

    kind: Literal["answered", "failed", "cancelled"]
    method: str
    host: str
    path: str
    seconds: float
    status: int | None = None
    error: str = ""
    bytes: int = 0


class Finish(Protocol):
    """Call it at the end of an attempt; further calls are passed over."""

    def __call__(self, status: int | None, error: BaseException | None = None, size: int = 0) -> None: ...


def watch(tell: Callable[[TransportEvent], None] | None, method: str, url: URL) -> Finish:
    """Begin an attempt. A watcher that raises is logged, and does not break the call."""
    if tell is None:
        return _pass_over
    began, ended = time.monotonic(), False

    def finish(status: int | None, error: BaseException | None = None, size: int = 0) -> None:
        nonlocal ended
        if ended:
            return
        ended = True
        event = TransportEvent(
            kind="answered" if error is None else "cancelled" if isinstance(error, CancelledError) else "failed",
            method=method,
            host=url.host or "",
            path=url.raw_path,
            seconds=time.monotonic() - began,
            status=status,
            error=type(error).__name__ if error is not None else "",
            bytes=size,
        )
        try:
            tell(event)
        except Exception:
            logger.exception("on_event failed")

    return finish


def _pass_over(status: int | None, error: BaseException | None = None, size: int = 0) -> None:
    """Nobody watches."""
