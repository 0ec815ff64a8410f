"""AWS event streams, incrementally: binary frames with two checksums each, read here and written for server halves.

https://smithy.io/2.0/aws/amazon-eventstream.html; as botocore 1.44 reads them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from struct import Struct as Layout
from zlib import crc32

import msgspec

from betterai.core.exceptions import ProviderError
from betterai.core.wire import Event
from betterai.wire.framing import MAX_EVENT_BYTES, refuse_oversized

EXCEPTION, ERROR = "exception:", "error:"
"""What the names of frames begin with that are no events: their kind follows, as in "exception:throttlingException"."""

_PRELUDE = Layout("!III")
_LENGTHS = Layout("!II")
_CHECKSUM = Layout("!I")
_SHORT = Layout("!H")
_SMALLEST = _PRELUDE.size + _CHECKSUM.size
_STRING, _BYTES = 7, 6
_SIZES = {0: 0, 1: 0, 2: 1, 3: 2, 4: 4, 5: 8, 8: 8, 9: 16}
"""Bytes of a header's value by its type, but for byte strings and texts, which say their length."""

_MAX_KNOWN_HEADERS = 256


class EventStreamFramer:
    """Each frame becomes an event named by its type; `limit` is the size of one frame in bytes.

    A damaged frame ends the stream: what came before it is given out, then `ProviderError` is raised.
    """

    def __init__(self, limit: int = MAX_EVENT_BYTES) -> None:
        self._limit = limit
        self._rest = bytearray()
        self._needed = _SMALLEST
        self._names: dict[bytes, tuple[str, str]] = {}
        self._failure: ProviderError | None = None

    def feed(self, data: bytes) -> Sequence[Event]:
        if self._failure is not None:
            raise self._failure
        if self._rest:
            self._rest += data
            if len(self._rest) < self._needed:
                return ()
            data = bytes(self._rest)
            self._rest.clear()
        events: list[Event] = []
        try:
            start = self._read_frames(data, events)
        except ProviderError as error:
            if not events:
                raise
            self._failure = error
            return events
        if start < len(data):
            self._rest += data[start:] if start else data
        return events

    def flush(self) -> Sequence[Event]:
        """A frame that was cut is dropped: the protocol knows whether its answer was complete."""
        self._rest.clear()
        if self._failure is not None:
            raise self._failure
        return ()

    def _read_frames(self, data: bytes, events: list[Event]) -> int:
        """Read all whole frames, and say where the next one begins."""
        start, end = 0, len(data)
        while end - start >= _PRELUDE.size:
            total, headers, checksum = _PRELUDE.unpack_from(data, start)
            if crc32(data[start : start + 8]) != checksum:
                raise _damaged("the checksum of a frame's lengths is wrong")
            if total > self._limit:
                refuse_oversized(total, self._limit)
            if total < _SMALLEST + headers:
                raise _damaged("the lengths of a frame do not fit each other")
            if end - start < total:
                self._needed = total
                return start
            last = start + total - 4
            if crc32(data[start:last]) != _CHECKSUM.unpack_from(data, last)[0]:
                raise _damaged("the checksum of a frame is wrong")
            body = start + _PRELUDE.size + headers
            events.append(self._make_event(data[start + _PRELUDE.size : body], data[body:last]))
            start += total
        self._needed = _SMALLEST
        return start

    def _make_event(self, headers: bytes, payload: bytes) -> Event:
        """Frames of one kind have the same headers, so what these mean is remembered."""
        named = self._names.get(headers)
        if named is None:
            if len(self._names) >= _MAX_KNOWN_HEADERS:
                self._names.clear()
            named = self._names[headers] = _read_name(parse_headers(headers))
        name, message = named
        if message and not payload:
            payload = msgspec.json.encode({"message": message})
        return Event(name=name, data=payload)


def _read_name(headers: Mapping[str, str]) -> tuple[str, str]:
    """The event's name, and the message of an error, which stands in the headers."""
    kind = headers.get(":message-type", "event")
    if kind == "exception":
        return EXCEPTION + headers.get(":exception-type", ""), ""
    if kind == "error":
        return ERROR + headers.get(":error-code", ""), headers.get(":error-message", "")
    return headers.get(":event-type", ""), ""


def parse_headers(block: bytes) -> dict[str, str]:
    """The headers of a frame whose values are texts. Raises `ProviderError` where they are cut."""
    found: dict[str, str] = {}
    at, end = 0, len(block)
    while at < end:
        name_end = at + 1 + block[at]
        if name_end >= end:
            raise _damaged("a header of a frame is cut")
        name, kind, at = block[at + 1 : name_end], block[name_end], name_end + 1
        if kind in (_STRING, _BYTES):
            if at + 2 > end:
                raise _damaged("a header of a frame is cut")
            size, at = _SHORT.unpack_from(block, at)[0], at + 2
        elif (size := _SIZES.get(kind, -1)) < 0:
            raise _damaged(f"a header of a frame is of the unknown type {kind}")
        if at + size > end:
            raise _damaged("a header of a frame is cut")
        if kind == _STRING:
            found[name.decode("utf-8", "replace")] = block[at : at + size].decode("utf-8", "replace")
        at += size
    return found


def build_frame(headers: Mapping[str, str], payload: bytes) -> bytes:
    """One frame, its checksums computed."""
    block = b"".join(_build_header(name.encode(), value.encode()) for name, value in headers.items())
    lengths = _LENGTHS.pack(_SMALLEST + len(block) + len(payload), len(block))
    message = lengths + _CHECKSUM.pack(crc32(lengths)) + block + payload
    return message + _CHECKSUM.pack(crc32(message))


def _build_header(name: bytes, value: bytes) -> bytes:
    return bytes((len(name),)) + name + bytes((_STRING,)) + _SHORT.pack(len(value)) + value


def _damaged(what: str) -> ProviderError:
    return ProviderError(f"the stream is damaged: {what}", code="unreadable_event", retryable=True)
