"""The shapes of codecs: Exchange, Steps and Duplex, and Surface, the server half. Codecs are pure."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from typing import Any, Never, Protocol, TypeAlias, TypeVar

from betterai.core.exceptions import ProviderError
from betterai.core.message import Message
from betterai.core.response import ProviderResponse, TextChunk
from betterai.core.results import TokenCount
from betterai.core.settings import GenerationSettings
from betterai.core.usage import Usage
from betterai.core.wire import Call, Checkpoint, Event, Wait, WireRequest, WireResponse

C_contra = TypeVar("C_contra", contravariant=True)
C = TypeVar("C")
C_co = TypeVar("C_co", covariant=True)
R_co = TypeVar("R_co", covariant=True)
R_contra = TypeVar("R_contra", contravariant=True)
E_co = TypeVar("E_co", covariant=True)
E_contra = TypeVar("E_contra", contravariant=True)
I_contra = TypeVar("I_contra", contravariant=True)


class StreamState(Protocol[E_co]):
    """One stream being read. `done` is set by the protocol's terminator: the runner stops reading.

    `ending` is set once the answer is complete and only usage or a terminator may follow: the runner then waits no
    longer than a second for them.
    """

    done: bool
    ending: bool

    def parse_event(self, event: Event) -> Sequence[E_co]:
        """What the event says. Raises a `ProviderError` for an error inside a 200 stream."""
        ...

    def finish(self) -> Sequence[E_co]:
        """At the end of bytes: what is still to say. Raises `StreamInterrupted` when the answer was not complete."""
        ...


class Exchange(Protocol[C_contra, R_co, E_co]):
    """One request, one reply or one stream: text, image, embeddings, speech and transcription over HTTP."""

    @property
    def protocol(self) -> str:
        """Equal on both sides: the gateway may relay bytes."""
        ...

    @property
    def accepts(self) -> Mapping[str, frozenset[str]]:
        """For each kind of media, which of bytes, url and file_id can be sent; the runner loads the rest before."""
        ...

    def answers(self, path: str) -> bool:
        """Whether a URL's path is one that this codec asks."""
        ...

    def build_request(self, call: C_contra) -> WireRequest: ...

    def parse_response(self, call: C_contra, reply: WireResponse) -> R_co | WireRequest:
        """The result, or one more request of the same call (a pause, a continuation)."""
        ...

    def parse_error(self, reply: WireResponse) -> ProviderError:
        """Returned, not raised: the runner raises."""
        ...

    def open_stream(self, call: C_contra) -> StreamState[E_co]: ...


class Steps(Protocol[C_contra, R_co]):
    """Submit, wait, fetch: video, batches, uploads, transcription jobs. To resume, call `run` with the last state."""

    def run(
        self, call: C_contra, state: Mapping[str, Any] | None = None
    ) -> Generator[WireRequest | Wait | Checkpoint, WireResponse | None, R_co]: ...

    def parse_error(self, reply: WireResponse) -> ProviderError: ...

    def cancel(self, state: Mapping[str, Any]) -> WireRequest | None: ...


class DuplexState(Protocol[I_contra, E_co]):
    """One open session, sans I/O."""

    done: bool

    def send(self, item: I_contra) -> Sequence[bytes | str]:
        """Our event as frames; may hold them back until the session is up."""
        ...

    def receive(self, frame: bytes | str) -> tuple[Sequence[E_co], Sequence[bytes | str]]:
        """The frame as our events, and frames to send back."""
        ...


class Duplex(Protocol[C_contra, I_contra, E_co]):
    """A session over one WebSocket: realtime voice, live speech and live transcription."""

    def connect(self, call: C_contra) -> WireRequest: ...

    def parse_error(self, reply: WireResponse) -> ProviderError: ...

    def open(self, call: C_contra) -> DuplexState[I_contra, E_co]: ...


class RequestReader(Protocol[C_co]):
    """Reads the requests of a protocol. A protocol that one vendor speaks and no gateway serves has no more of a server
    half: its codec names the reader as its `reader`, and recorded requests are judged with it.
    """

    @property
    def protocol(self) -> str: ...

    @property
    def pointers(self) -> Mapping[str, tuple[str, ...]]:
        """Where the settings that warnings name stand in a request's body: JSON pointers (RFC 6901), `*` for any index.
        A name that is not here stands at the top under its own name.
        """
        ...

    def parse_request(self, request: WireRequest) -> C_co: ...


class Surface(RequestReader[C], Protocol[C, R_contra, E_contra]):
    """The server half of a protocol: what a gateway reads and answers."""

    def build_response(self, call: C, result: R_contra) -> WireResponse: ...

    def build_event(self, call: C, item: E_contra | Exception | None, state: dict[str, Any]) -> bytes:
        """The chunk as bytes on the wire; an exception in band; None is the terminator."""
        ...

    def build_error(self, error: Exception) -> WireResponse: ...

    def rewrite(self, body: bytes, model: str) -> bytes:
        """For relaying: the same request for another model name."""
        ...

    def read_usage(self, event: bytes) -> Usage | None:
        """For relaying: the usage that a reply or an event states, if any."""
        ...


TextCall: TypeAlias = Call[tuple[Message, ...], GenerationSettings]
TextExchange: TypeAlias = Exchange[TextCall, ProviderResponse, TextChunk]
CountExchange: TypeAlias = Exchange[TextCall, TokenCount, Never]
TextReader: TypeAlias = RequestReader[TextCall]
TextSurface: TypeAlias = Surface[TextCall, ProviderResponse, TextChunk]
