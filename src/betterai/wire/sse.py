"""Server-sent events, incrementally (https://html.spec.whatwg.org/multipage/server-sent-events.html)."""

from __future__ import annotations

from collections.abc import Sequence

from betterai.core.wire import Event
from betterai.wire.framing import BYTE_ORDER_MARK, MAX_EVENT_BYTES, refuse_oversized


class SSEFramer:
    """Lines may end in LF, CR or CRLF, at any cut of the network. Comments and events without data are passed over.

    `limit` is the size of one event in bytes, its field names and first line end included.
    """

    def __init__(self, limit: int = MAX_EVENT_BYTES) -> None:
        self._limit = limit
        self._rest = bytearray()
        self._began = False
        self._skip_line_feed = False

    def feed(self, data: bytes) -> Sequence[Event]:
        if self._skip_line_feed or b"\r" in data:
            data = self._normalise(data)
        rest = self._rest
        if rest:
            start = len(rest) - 1
            rest += data
            end = rest.rfind(b"\n\n", start)
            if end >= 0:
                data = bytes(rest[:end])
                del rest[: end + 2]
        else:
            end = data.rfind(b"\n\n")
            if end < 0:
                rest += data
            else:
                rest += data[end + 2 :]
                data = data[:end]
        if len(rest) > self._limit:
            refuse_oversized(len(rest), self._limit)
        return self._parse(data) if end >= 0 else ()

    def flush(self) -> Sequence[Event]:
        rest = bytes(self._rest)
        self._rest.clear()
        return self._parse(rest)

    def _normalise(self, data: bytes) -> bytes:
        """CR and CRLF become LF. A CR at the very end counts at once; a LF after it is the same line end."""
        if self._skip_line_feed and data.startswith(b"\n"):
            data = data[1:]
            self._skip_line_feed = False
        if data:
            self._skip_line_feed = data.endswith(b"\r")
        return data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")

    def _parse(self, whole: bytes) -> list[Event]:
        if not self._began:
            self._began = True
            whole = whole.removeprefix(BYTE_ORDER_MARK)
        blocks = whole.split(b"\n\n")
        if len(whole) >= self._limit:
            refuse_oversized(max(map(len, blocks)) + 1, self._limit)
        events = []
        for block in blocks:
            if block.startswith(b"data: ") and b"\n" not in block:
                events.append(Event(data=block[6:]))
            elif (event := _parse_block(block)) is not None:
                events.append(event)
        return events


def _parse_block(block: bytes) -> Event | None:
    name = ""
    lines = []
    for line in block.split(b"\n"):
        field, _, value = line.partition(b":")
        if field == b"data":
            lines.append(value.removeprefix(b" "))
        elif field == b"event":
            name = value.removeprefix(b" ").decode("utf-8", "replace")
    return Event(data=b"\n".join(lines), name=name) if lines else None
