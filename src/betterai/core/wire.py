"""Requests and replies as data: what a codec writes, and somebody else carries."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Generic, Literal, TypeVar

from msgspec import Struct

from betterai.core.data import Data
from betterai.core.media import Media
from betterai.core.model import ModelConfig
from betterai.core.response import CallWarning

I_co = TypeVar("I_co", covariant=True)
C_co = TypeVar("C_co", covariant=True)

Framing = Literal["sse", "ndjson", "event_stream"]

REQUEST_ID_HEADERS = (
    "x-request-id", "request-id", "x-amzn-requestid", "apim-request-id", "x-debug-trace-id", "dg-request-id",
    "cf-ray",
)  # fmt: skip
"""Where providers put their own id of a request, which their support asks for."""


class Rest(Data, frozen=True, kw_only=True):
    """Media from a byte on: what is left of an upload that broke off; or `size` bytes of them, which are one part of
    it, small enough to be held in memory.
    """

    media: Media
    offset: int
    size: int | None = None


class Field(Data, frozen=True, kw_only=True):
    """One field of a form: a plain value, or a file."""

    name: str
    value: str | bytes | Media | Rest
    filename: str = ""
    mime_type: str = ""


class Multipart(Data, frozen=True, kw_only=True):
    """A form, sent as multipart/form-data (RFC 7578)."""

    fields: tuple[Field, ...]


JSON_HEADERS: Mapping[str, str] = {"Content-Type": "application/json"}
"""Those of a request that has no others: always this one object, by which such requests are known."""


class WireRequest(Data, frozen=True, kw_only=True):
    """One HTTP request or WebSocket handshake.

    `url` is a path under the provider's base URL, or absolute. A struct or mapping body is sent as JSON. `reply` says
    how the answer is framed. `trust` "foreign" means: public addresses only, and never a key. `safe_to_repeat` is False
    for what costs money twice when it is sent twice. `begins_job` marks the request of a job that holds the call: the
    runner lays the caller's `extra_body` over it.
    """

    url: str
    method: str = "POST"
    query: Mapping[str, str] = {}
    headers: Mapping[str, str] = {}
    body: Struct | Mapping[str, Any] | Multipart | Media | Rest | bytes | None = None
    reply: Literal["json", "text", "bytes", "file"] | Framing = "json"
    trust: Literal["provider", "foreign"] = "provider"
    safe_to_repeat: bool = False
    begins_job: bool = False
    warnings: tuple[CallWarning, ...] = ()


class WireResponse(Data, frozen=True, kw_only=True):
    """One reply. Header names are lower case. `body` is a path where the reply went to a file."""

    status: int
    headers: Mapping[str, str] = {}
    body: bytes | Path = b""

    @property
    def content(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else self.body.read_bytes()

    def lines(self) -> Iterator[bytes]:
        """The body line by line, without the empty ones; one that is in a file is never read whole."""
        if isinstance(self.body, bytes):
            yield from filter(None, map(bytes.strip, self.body.split(b"\n")))
        else:
            with self.body.open("rb") as file:
                yield from filter(None, map(bytes.strip, file))


class Event(Data, frozen=True, kw_only=True, gc=False):
    """One SSE event, one NDJSON line or one AWS frame."""

    data: bytes
    name: str = ""


class Wait(Data, frozen=True, kw_only=True):
    """A job asks to be continued in so many seconds. `progress` from 0 to 1, where the provider tells."""

    seconds: float
    progress: float | None = None


class Checkpoint(Data, frozen=True, kw_only=True):
    """All that a job needs to go on in another process: stored before its next step runs."""

    state: Mapping[str, Any]


class Call(Data, Generic[I_co, C_co], frozen=True, kw_only=True):
    """Everything a codec may know. `id` and `now` (Unix seconds) come from the runner: so codecs stay pure.

    `warnings` are what the surface that received the call could not carry over; `provider_settings` those settings of
    the provider that its declaration names in `codec_settings`.
    """

    model: ModelConfig
    input: I_co
    settings: C_co
    stream: bool = False
    id: str = ""
    now: float = 0.0
    warnings: tuple[CallWarning, ...] = ()
    provider_settings: Mapping[str, str] = {}
