"""Newline-delimited JSON, incrementally (https://github.com/ndjson/ndjson-spec)."""

from __future__ import annotations

from collections.abc import Sequence

from betterai.core.wire import Event
from betterai.wire.framing import BYTE_ORDER_MARK, MAX_EVENT_BYTES, refuse_oversized


class NDJSONFramer:
    """One JSON text a line; LF or CRLF; blank lines are passed over. `limit` is the size of one line in bytes."""

    def __init__(self, limit: int = MAX_EVENT_BYTES) -> None:
        self._limit = limit
        self._rest = bytearray()
        self._began = False

    def feed(self, data: bytes) -> Sequence[Event]:
        rest = self._rest
        end = data.rfind(b"\n")
        if end >= 0:
            whole = bytes(rest + data[:end]) if rest else data[:end]
            rest.clear()
        rest += data[end + 1 :]
        refuse_oversized(len(rest), self._limit)
        return self._parse(whole) if end >= 0 else ()

    def flush(self) -> Sequence[Event]:
        rest = bytes(self._rest)
        self._rest.clear()
        return self._parse(rest)

    def _parse(self, whole: bytes) -> list[Event]:
        if not self._began:
            self._began = True
            whole = whole.removeprefix(BYTE_ORDER_MARK)
        lines = whole.split(b"\n")
        if len(whole) > self._limit:
            refuse_oversized(max(map(len, lines)), self._limit)
        return [Event(data=text) for line in lines if (text := line.strip())]
