"""What an attempt tells whoever watches: how it ended and how long it took, never what it carried."""

from __future__ import annotations

import logging
import time
from asyncio import CancelledError
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from yarl import URL

from betterai.core.events import Listener, Outcome, TransportEvent
from betterai.core.wire import REQUEST_ID_HEADERS
from betterai.transport import listening

logger = logging.getLogger("betterai")
requests = logging.getLogger("betterai.requests")

_NO_HEADERS: Mapping[str, str] = {}


class Finish(Protocol):
    """Call it at the end of an attempt; further calls are passed over."""

    def __call__(
        self,
        status: int | None,
        error: BaseException | None = None,
        size: int = 0,
        headers: Mapping[str, str] = _NO_HEADERS,
    ) -> None: ...


def watch(tell: Listener | None, method: str, url: URL, *sent: Mapping[str, str]) -> Finish:
    """Begin an attempt. A watcher that raises is logged, and does not break the call.

    `sent` are headers, query and settings of the request: a reply's request id that repeats one of their values is not
    told, for it may be a key.
    """
    everywhere = listening.everywhere
    if tell is None and everywhere is None and not requests.isEnabledFor(logging.DEBUG):
        return _pass_over
    return _begin([listener for listener in (tell, everywhere) if listener is not None], method, url, sent)


def _begin(listeners: Sequence[Listener], method: str, url: URL, sent: Iterable[Mapping[str, str]]) -> Finish:
    began, ended, work = time.monotonic(), False, listening.running.get()

    def finish(
        status: int | None,
        error: BaseException | None = None,
        size: int = 0,
        headers: Mapping[str, str] = _NO_HEADERS,
    ) -> None:
        nonlocal ended
        if ended:
            return
        ended = True
        event = TransportEvent(
            kind=read_outcome(error),
            method=method,
            host=url.host or "",
            path=url.raw_path,
            seconds=time.monotonic() - began,
            status=status,
            error=type(error).__name__ if error is not None else "",
            bytes=size,
            call="" if work is None else work.id,
            scheme=url.scheme,
            port=url.port,
            request_id=_read_request_id(headers, sent),
        )
        _log(event)
        for listener in listeners:
            try:
                listener(event)
            except Exception:
                logger.exception("on_event failed")

    return finish


def read_outcome(error: BaseException | None) -> Outcome:
    if error is None:
        return "answered"
    return "cancelled" if isinstance(error, CancelledError | GeneratorExit) else "failed"


def _log(event: TransportEvent) -> None:
    if requests.isEnabledFor(logging.DEBUG):
        requests.debug(
            "%s %s %s (%s) in %.3f s, %d bytes, request id %s",
            event.method,
            event.url,
            event.kind,
            event.error or event.status,
            event.seconds,
            event.bytes,
            event.request_id or "unknown",
        )


def _read_request_id(headers: Mapping[str, str], sent: Iterable[Mapping[str, str]]) -> str:
    said = next((headers[name] for name in REQUEST_ID_HEADERS if name in headers), "")
    for items in sent:
        for name, value in items.items():
            repeats = said in value or (value in said and len(value) >= 8)
            if repeats and not name.lower().endswith("request-id"):
                return ""
    return said


def _pass_over(
    status: int | None,
    error: BaseException | None = None,
    size: int = 0,
    headers: Mapping[str, str] = _NO_HEADERS,
) -> None:
    """Nobody watches."""
