"""From bytes as they come to events: what all framings have in common, and which there are."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from betterai.core.exceptions import ProviderError
from betterai.core.wire import Event, Framing

MAX_EVENT_BYTES = 64 * 1024 * 1024
"""An event larger than this is an attack or a defect: the largest real ones are base64 pictures of some MiB."""

BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class Framer(Protocol):
    """Cuts a byte stream into events, wherever the network cut it."""

    def feed(self, data: bytes) -> Sequence[Event]:
        """The events that are now complete. Raises `ProviderError` when one grows beyond the limit."""
        ...

    def flush(self) -> Sequence[Event]:
        """At the end of bytes: the last event, where the server left out its terminator."""
        ...


def refuse_oversized(size: int, limit: int) -> None:
    if size > limit:
        raise ProviderError(f"one event of the stream is larger than {limit} bytes")


def open_framer(framing: Framing) -> Framer:
    """A new framer. Raises `ProviderError` for a framing that is not built in yet."""
    from betterai.wire.event_stream import EventStreamFramer
    from betterai.wire.ndjson import NDJSONFramer
    from betterai.wire.sse import SSEFramer

    framers: Mapping[str, Callable[[], Framer]] = {
        "sse": SSEFramer,
        "ndjson": NDJSONFramer,
        "event_stream": EventStreamFramer,
    }
    if framing not in framers:
        raise ProviderError(f"no framer for {framing!r}; there are {', '.join(framers)}")
    return framers[framing]()
