"""What is told of calls to whoever listens: when, where, how much, how they ended; never what was said."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, TypeAlias

from betterai.core.data import Data
from betterai.core.model import Category
from betterai.core.response import FinishReason, Timing
from betterai.core.usage import Cost, Usage

Outcome: TypeAlias = Literal["answered", "failed", "cancelled"]
"""`cancelled`: the task was cancelled, or a stream was left before its end."""


class CallInfo(Data, frozen=True, kw_only=True):
    """The call that an event tells of: the same in all of its events.

    `provider` and `model` are those that were asked for. `parent` is the id of the call, or of the run of a tool, that
    made this one, "" where nothing did. `wraps`: it is made of other calls, which are told of too, as a router's is:
    whoever adds up usage or cost counts either these or those.
    """

    id: str
    provider: str
    model: str
    protocol: str = ""
    stream: bool = False
    parent: str = ""
    wraps: bool = False
    embedded: bool = False
    category: Category = "text"
    host: str = ""
    port: int | None = None


class CallStarted(Data, frozen=True, kw_only=True):
    """A call begins."""

    call: CallInfo


class FirstContent(Data, frozen=True, kw_only=True):
    """The first content of a streamed answer came, so many seconds after the call began."""

    call: CallInfo
    seconds: float


class CallEnded(Data, frozen=True, kw_only=True):
    """A call ended, in whatever way. `provider` and `model` are those that answered; `error` is the class of what was
    raised, "" where nothing was. `first_content` in seconds since the call began, None for whole answers.
    """

    call: CallInfo
    kind: Outcome
    seconds: float
    provider: str = ""
    model: str = ""
    usage: Usage | None = None
    cost: Cost | None = None
    finish_reason: FinishReason | None = None
    first_content: float | None = None
    timing: Timing | None = None
    error: str = ""
    status: int | None = None
    id: str = ""
    request_id: str = ""


class TransportEvent(Data, frozen=True, kw_only=True):
    """The end of one request: an attempt of a call, or another one, such as the download of a picture.

    `call` is the id of the call that it was made for, "" outside of one. `seconds` since it began, `bytes` of the
    reply's body that came. Never holds content: no query, no header but the reply's request id, no body.
    """

    kind: Outcome
    method: str
    host: str
    path: str
    seconds: float
    status: int | None = None
    error: str = ""
    bytes: int = 0
    call: str = ""
    scheme: str = "https"
    port: int | None = None
    request_id: str = ""

    @property
    def url(self) -> str:
        """Where the request went, without its query."""
        usual = self.port is None or self.port == {"https": 443, "http": 80}.get(self.scheme)
        return f"{self.scheme}://{self.host if usual else f'{self.host}:{self.port}'}{self.path}"


class ToolInfo(Data, frozen=True, kw_only=True):
    """The run of a tool that an event tells of. `call_id` is the model's id of what it asked for."""

    id: str
    name: str
    call_id: str = ""
    parent: str = ""


class ToolStarted(Data, frozen=True, kw_only=True):
    """`run_tools` begins to run a function."""

    tool: ToolInfo


class ToolEnded(Data, frozen=True, kw_only=True):
    """It has run. `error` is the class of what it raised, which the model is told."""

    tool: ToolInfo
    kind: Outcome
    seconds: float
    error: str = ""


CallEvent: TypeAlias = CallStarted | FirstContent | TransportEvent | CallEnded | ToolStarted | ToolEnded
Listener: TypeAlias = Callable[[CallEvent], None]
"""A hook: called with each event as it happens, in the task of the call, so it must be quick. What it raises is logged,
and breaks nothing.
"""
