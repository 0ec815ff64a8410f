"""From the bytes of a streamed reply to the chunks that are shown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from betterai.core.codec import StreamState
from betterai.core.exceptions import APIConnectionError, ProviderError, StreamInterrupted
from betterai.core.response import ProviderResponse, TextChunk
from betterai.core.wire import Event
from betterai.runtime.gatherer import Gatherer
from betterai.wire.error_bodies import UNREADABLE
from betterai.wire.errors import make_unreadable_event
from betterai.wire.framing import Framer


def is_stream(headers: Mapping[str, str]) -> bool:
    return not headers.get("content-type", "").startswith(("application/json", "text/html"))


def read_piece(state: StreamState[TextChunk], framer: Framer, piece: bytes, gathered: Gatherer) -> Iterator[TextChunk]:
    """What the next bytes say; b"" is the end. Only what is no plain text needs gathering: its part comes whole."""
    try:
        for event in framer.feed(piece) if piece else framer.flush():
            for chunk in state.parse_event(event) if piece else _parse_last(state, event):
                if (
                    chunk.part is not None
                    or chunk.finish_reason is not None
                    or chunk.model
                    or chunk.logprobs is not None
                ):
                    shown = gathered.take(chunk)
                    if shown is not None:
                        yield shown
                elif chunk.usage is None:
                    yield chunk
                elif (shown := gathered.take(chunk)) is not None:
                    yield shown
            if state.done:
                return
    except UNREADABLE as error:
        raise make_unreadable_event(piece, error) from error


def finish_stream(
    state: StreamState[TextChunk], gathered: Gatherer, broke: APIConnectionError | None
) -> list[TextChunk]:
    """The last chunks. A connection that broke after the answer was complete did no harm."""
    try:
        final = list(state.finish())
    except StreamInterrupted as error:
        raise error from broke
    except UNREADABLE as error:
        raise make_unreadable_event(b"", error) from error
    return gathered.take_all(final)


def _parse_last(state: StreamState[TextChunk], event: Event) -> Sequence[TextChunk]:
    """What an event says. A last one without its terminator may be cut in the middle: `finish` judges that."""
    try:
        return state.parse_event(event)
    except ProviderError as error:
        if error.code == "unreadable_event":
            return ()
        raise


def with_response(final: list[TextChunk], response: ProviderResponse) -> list[TextChunk]:
    """The final chunks, the last of them carrying the response."""
    if final:
        return [*final[:-1], msgspec.structs.replace(final[-1], response=response)]
    return [TextChunk(response=response)]
