"""Newline-delimited JSON, incrementally (https://github.com/ndjson/ndjson-spec)."""

from __future__ import annotations

from collections.abc import Sequence

from betterai.core.wire import Event
from betterai.wire.framing import MAX_EVENT_BYTES, refuse_oversized

_BOM = b"\xef\xbb\xbf"


class NDJSONFramer:
    """One JSON text a line; LF or CRLF; blank lines are passed over."""

    def __init__(self, limit: int = MAX_EVENT_BYTES) -> None:
        self._limit = limit
        self._rest = bytearray()
        self._began = False

    def feed(self, data: bytes) -> Sequence[Event]:
        rest = self._rest
        start = len(rest)
        rest += data
        end = rest.rfind(b"\n", start)
        if end < 0:
            refuse_oversized(len(rest), self._limit)
            return ()
        whole = bytes(rest[:end])
        del rest[: end + 1]
        return self._parse(whole)

    def flush(self) -> Sequence[Event]:
        rest = bytes(self._rest)
        self._rest.clear()
        return self._parse(rest)

    def _parse(self, whole: bytes) -> list[Event]:
        if not self._began:
            self._began = True
            whole = whole.removeprefix(_BOM)
        return [Event(data=line.strip()) for line in whole.split(b"\n") if line.strip()]
