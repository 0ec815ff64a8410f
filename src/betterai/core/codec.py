"""The shapes of codecs: Exchange, Steps and Duplex, and Surface, the server half. Codecs are pure."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from typing import Any, Never, Protocol, TypeAlias, TypeVar

import msgspec

from betterai.core.batches import BatchAnswer, BatchInput, BatchLimits, BatchPart
from betterai.core.exceptions import ProviderError
from betterai.core.media import Media
from betterai.core.message import Message
from betterai.core.model import Category
from betterai.core.response import ProviderResponse, TextChunk
from betterai.core.results import (
    EmbeddingResponse,
    FileHandle,
    FileUpload,
    ImageChunk,
    ImageResponse,
    ModerationResponse,
    RerankInput,
    RerankResponse,
    Speech,
    SpeechChunk,
    TokenCount,
    Transcript,
    TranscriptChunk,
    VideoResponse,
)
from betterai.core.settings import (
    CallSettings,
    EmbeddingSettings,
    GenerationSettings,
    ImageSettings,
    ModerationSettings,
    RerankSettings,
    SpeechSettings,
    TranscriptionSettings,
    VideoSettings,
)
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
        """The result, or one more request of the same call, where the reply holds nothing of the answer yet. An answer
        that paused in the middle is a result with the finish reason "pause": see `Continuing`.
        """
        ...

    def parse_error(self, reply: WireResponse) -> ProviderError:
        """Returned, not raised: the runner raises."""
        ...

    def open_stream(self, call: C_contra) -> StreamState[E_co]: ...


class Continuing(Protocol):
    """What an Exchange of text may have beside: how an answer that paused goes on (docs/decisions/0008-hops.md)."""

    def continue_request(
        self, call: Call[tuple[Message, ...], GenerationSettings], response: ProviderResponse
    ) -> Call[tuple[Message, ...], GenerationSettings] | WireRequest | None:
        """Asked where the finish reason is "pause". `call` is the caller's, `response` all that was answered so far;
        `response.message.opaque` is that of the last reply. The call to make next (see `continue_turn`), or the
        request, which is read as a reply to the same call; None leaves it at the pause.
        """
        ...


class Background(Protocol):
    """What an Exchange of text may have beside: answers that are worked on as a job
    (docs/decisions/0010-answers-as-jobs.md).
    """

    def background(
        self, call: Call[tuple[Message, ...], GenerationSettings]
    ) -> Steps[Call[tuple[Message, ...], GenerationSettings], ProviderResponse] | None:
        """The job that answers a call, where the call asks for one; else None. Asked for whole answers only."""
        ...


def continue_turn(
    call: Call[tuple[Message, ...], GenerationSettings], response: ProviderResponse
) -> Call[tuple[Message, ...], GenerationSettings]:
    """The same call with what was answered so far as its last turn, for the model to go on with."""
    said = response.message or Message.assistant(response.content)
    history = call.input
    if history and history[-1].role == "assistant":
        begun, history = history[-1], history[:-1]
        said = msgspec.structs.replace(said, parts=(*begun.parts, *said.parts), opaque=said.opaque or begun.opaque)
    return msgspec.structs.replace(call, input=(*history, said))


class Steps(Protocol[C_contra, R_co]):
    """Submit, wait, fetch: video, batches, uploads, transcription jobs. To resume, call `run` with the last state."""

    def run(
        self, call: C_contra, state: Mapping[str, Any] | None = None
    ) -> Generator[WireRequest | Wait | Checkpoint, WireResponse | None, R_co]:
        """A checkpoint stands before each request that is not safe to repeat, and after it one with what it gave.
        Resumed from the former, `run` asks for the same again without a checkpoint: the runner then raises
        `JobInDoubt`. A request that may be repeated (it carries an idempotency key, say) has `safe_to_repeat`; the one
        that holds the call has `begins_job`.
        The error of a request that failed for good is thrown in where the request was asked for: a codec that knows
        how to go on catches it, for all others the job ends with it.
        """
        ...

    def parse_error(self, reply: WireResponse) -> ProviderError: ...

    def cancel(self, state: Mapping[str, Any]) -> WireRequest | None:
        """The request that stops the job of a state at the provider; None where there is nothing to stop."""
        ...


class DuplexState(Protocol[I_contra, E_co]):
    """One open session, sans I/O."""

    done: bool

    def send(self, item: I_contra) -> Sequence[bytes | str]:
        """Our event as frames; may hold them back until the session is up."""
        ...

    def receive(self, frame: bytes | str) -> tuple[Sequence[E_co], Sequence[bytes | str]]:
        """The frame as our events, and frames to send back."""
        ...


class Closing(Protocol[E_co]):
    """What the state of a session may have beside: how it ends (docs/decisions/0030-sessions.md).

    `ending` is set once all has come that must: the runner then waits no longer than a second for what may follow.
    """

    ending: bool

    def finish(self, code: int | None, reason: str) -> Sequence[E_co]:
        """The other side has closed (RFC 6455, 7.4), and `done` is not set: what is still to say. Raises
        `StreamInterrupted`, or what the code means, when the session was not complete.
        """
        ...

    def so_far(self) -> Any:
        """The result that what has come amounts to, for `StreamInterrupted.partial`."""
        ...


class Kept(Protocol):
    """What the state of a session may have beside: what to send where nothing else was sent for so many seconds."""

    keep_alive_seconds: float

    def keep_alive(self) -> Sequence[bytes | str]: ...


class Duplex(Protocol[C_contra, I_contra, E_co]):
    """A session over one WebSocket: realtime voice, live speech and live transcription. Where it stands beside an
    Exchange, `carries(settings)` may say that it cannot do what is asked for: the latter is then taken. One that is
    `alone` has models of its own, and never takes the place of an Exchange.
    """

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

    def rewrite(self, body: bytes, model: str | None) -> bytes:
        """For relaying: the same body for another model name; None where the URL alone names the model."""
        ...

    def read_usage(self, event: bytes) -> Usage | None:
        """For relaying: the usage that a reply or an event states, if any."""
        ...


TextCall: TypeAlias = Call[tuple[Message, ...], GenerationSettings]
TextExchange: TypeAlias = Exchange[TextCall, ProviderResponse, TextChunk]
CountExchange: TypeAlias = Exchange[TextCall, TokenCount, Never]
TextReader: TypeAlias = RequestReader[TextCall]
TextSurface: TypeAlias = Surface[TextCall, ProviderResponse, TextChunk]
FileCall: TypeAlias = Call[FileUpload, CallSettings]
EmbeddingCall: TypeAlias = Call[tuple[str, ...], EmbeddingSettings]
EmbeddingExchange: TypeAlias = Exchange[EmbeddingCall, EmbeddingResponse, Never]
RerankCall: TypeAlias = Call[RerankInput, RerankSettings]
RerankExchange: TypeAlias = Exchange[RerankCall, RerankResponse, Never]
ModerationCall: TypeAlias = Call[tuple[str | Media, ...], ModerationSettings]
ModerationExchange: TypeAlias = Exchange[ModerationCall, ModerationResponse, Never]
ImageCall: TypeAlias = Call[str, ImageSettings]
ImageExchange: TypeAlias = Exchange[ImageCall, ImageResponse, ImageChunk]
TranscriptionCall: TypeAlias = Call[Media, TranscriptionSettings]
TranscriptionExchange: TypeAlias = Exchange[TranscriptionCall, Transcript, TranscriptChunk]
SpeechCall: TypeAlias = Call[str, SpeechSettings]
SpeechExchange: TypeAlias = Exchange[SpeechCall, Speech, SpeechChunk]
VideoCall: TypeAlias = Call[str, VideoSettings]
VideoSteps: TypeAlias = Steps[VideoCall, VideoResponse]
BatchCall: TypeAlias = Call[BatchInput, CallSettings]


class FilesCodec(Steps[FileCall, FileHandle], Protocol):
    """Files kept at a provider: `run` uploads one, the rest are single requests. The runner fills in the owner."""

    @property
    def protocol(self) -> str: ...

    @property
    def max_bytes(self) -> int:
        """The largest file that is taken."""
        ...

    def build_get(self, id: str) -> WireRequest: ...

    def build_delete(self, id: str) -> WireRequest: ...

    def build_download(self, id: str) -> WireRequest:
        """The bytes of a file, into a file."""
        ...

    def build_list(self, after: str) -> WireRequest:
        """A page of the list: the first, or the one after a place that `parse_list` gave."""
        ...

    def parse_file(self, reply: WireResponse) -> FileHandle: ...

    def parse_list(self, reply: WireResponse, after: str = "") -> tuple[tuple[FileHandle, ...], str]:
        """The files of the page after a place, and the place after which the next one begins; "" at the end."""
        ...


class BatchCodec(Steps[BatchCall, Mapping[str, Any]], Protocol):
    """Batches at a provider. `run` submits one (see `BatchInput`) and gives its last state: the runner splits what is
    more than the provider takes, and asks for the rest with single requests.

    A submit that broke off is found again in `run` where the provider can tell; else the runner raises `JobInDoubt`.
    It may have `partial` (answers can be had before it is over) and `reads` (the protocol that answers come in, by that
    of the lines, where it is another one).
    """

    @property
    def protocol(self) -> str: ...

    @property
    def limits(self) -> BatchLimits: ...

    @property
    def carries(self) -> Mapping[Category, Mapping[str, str]]:
        """The categories whose calls may be lines; for each the protocols that they may be written in, with the
        endpoint that such lines are for.
        """
        ...

    @property
    def frame(self) -> tuple[bytes, bytes, bytes]:
        """What stands before the lines, between them, and after them."""
        ...

    def build_line(self, id: str, request: WireRequest, target: str) -> bytes:
        """One request, as its category's codec wrote it, as a line. Raises `UnsupportedParam` for what is lost."""
        ...

    def shared_headers(self, request: WireRequest) -> Mapping[str, str]:
        """Those of its headers that the whole batch is sent with. Raises `UnsupportedParam` for what is lost."""
        ...

    def build_look(self, state: Mapping[str, Any]) -> WireRequest:
        """How a batch stands, by its state."""
        ...

    def parse_look(self, reply: WireResponse) -> BatchPart: ...

    def fetch(
        self, state: Mapping[str, Any], look: WireResponse
    ) -> Generator[WireRequest | BatchAnswer, WireResponse | None, None]:
        """The answers of a batch, by the last reply that says how it stands: requests for them, and each answer as it
        is read, so that none but one is held in memory.
        """
        ...
