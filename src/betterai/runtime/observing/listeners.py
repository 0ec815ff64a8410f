"""Who is told of calls: the listeners of the process and of clients, and what runs and is told of."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from contextvars import Token
from inspect import iscoroutinefunction
from random import getrandbits
from threading import Lock
from typing import Any, Self, TypeAlias

from betterai.core.events import CallEvent, Listener, Outcome
from betterai.core.exceptions import ValidationError
from betterai.transport import listening
from betterai.transport.listening import Work, running

logger = logging.getLogger("betterai")
calls = logging.getLogger("betterai.calls")

Around: TypeAlias = tuple[Callable[[], Any], Callable[[Any], object]]
"""What to do before each step of a call, and after it with what that gave."""
Entered: TypeAlias = tuple[Token[Work | None], Any]

_listeners: tuple[Listener, ...] = ()
_lock = Lock()


class Observation:
    """A listener of the whole process, until it is stopped. `with betterai.observe(hook): …` stops it by itself."""

    def __init__(self, listener: Listener) -> None:
        if listener is None:
            raise ValidationError("a hook is a plain function, not None")
        check_listener(listener)
        self._listener = listener
        self._stopped = False
        with _lock:
            _tell_all((*_listeners, listener))

    def stop(self) -> None:
        """Tell no more. What is running then is told of to its end."""
        with _lock:
            if self._stopped:
                return
            self._stopped = True
            place = next(place for place, other in enumerate(_listeners) if other is self._listener)
            _tell_all(_listeners[:place] + _listeners[place + 1 :])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def observe(listener: Listener) -> Observation:
    """Have `listener` told of all calls of this process: of their starts, requests, first contents and ends, never of
    what was said. It is told in the task of the call, so it must be quick; what it raises is logged.
    Raises `ValidationError` for what is no plain function.
    """
    return Observation(listener)


def check_listener(listener: Listener | None) -> None:
    """Raises `ValidationError` for what cannot be told anything: it is called, not awaited."""
    if listener is not None and (not callable(listener) or iscoroutinefunction(listener)):
        raise ValidationError(
            f"a hook is a plain function, not {listener!r:.80}", hint="an async one can be begun in it, as a task"
        )


def _tell_all(listeners: tuple[Listener, ...]) -> None:
    global _listeners
    _listeners = listeners
    listening.everywhere = _tell_everywhere if listeners else None


def _tell_everywhere(event: CallEvent) -> None:
    _tell(_listeners, event)


def _tell(listeners: Iterable[Listener], event: CallEvent) -> None:
    for listener in listeners:
        try:
            listener(event)
        except Exception:
            logger.exception("a listener failed")


def is_heard(listener: Listener | None) -> bool:
    """Whether anybody is to be told of a call that begins now."""
    return (
        listener is not None or _listeners != () or running.get() is not None or calls.isEnabledFor(logging.DEBUG)
    )  # fmt: skip


def find_running() -> Running | None:
    """What runs in this task, and is told of: for listeners that must know more of it than events hold."""
    found = running.get()
    return found if isinstance(found, Running) else None


class Running:
    """Work that is told of while it runs. Who is told of its start may set what is done `around` each of its steps."""

    def __init__(self, listener: Listener | None = None) -> None:
        self.id = f"{getrandbits(64):016x}"
        self.around: Around | None = None
        self.kept: dict[Listener, Any] = {}
        """What listeners keep beside it."""
        self._own: tuple[Listener, ...] = () if listener is None else (listener,)
        self._listeners: tuple[Listener, ...] = ()
        self.began = 0.0

    def start(self) -> str:
        """Begin, inside of what runs already, whose listeners hear of this too. The id of that, or ""."""
        above = find_running()
        if above is not None:
            self._own = (*above._own, *(mine for mine in self._own if mine not in above._own))
        self._listeners = (*_listeners, *self._own)
        self.began = time.monotonic()
        return "" if above is None else above.id

    def tell(self, event: CallEvent) -> None:
        _tell(self._listeners, event)

    def begin_with(self, event: CallEvent) -> Entered:
        """Enter the first step, and tell of the start in it: listeners find what begins (see `find_running`), and what
        they put around its steps holds from then on.
        """
        token = running.set(self)
        self.tell(event)
        return token, None if self.around is None else self.around[0]()

    def elapsed(self) -> float:
        return time.monotonic() - self.began

    def enter(self) -> Entered:
        """Before a step: what runs in this task is this. Between the steps of a stream it is the reader's again."""
        token = running.set(self)
        return token, None if self.around is None else self.around[0]()

    def leave(self, entered: Entered) -> None:
        """After the step."""
        token, inner = entered
        if self.around is not None:
            self.around[1](inner)
        try:
            running.reset(token)
        except ValueError:
            """The step was abandoned with its task, and is closed from elsewhere: that task's context is gone."""


def read_outcome(error: BaseException | None) -> Outcome:
    """How work ended that raised this, or nothing."""
    if error is None:
        return "answered"
    from asyncio import CancelledError

    return "cancelled" if isinstance(error, CancelledError | GeneratorExit) else "failed"
