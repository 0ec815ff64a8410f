"""What text generation gives back: a whole response, or chunks of one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeAlias

import msgspec

from betterai.core.data import Data
from betterai.core.exceptions import ProviderError
from betterai.core.media import Media
from betterai.core.message import AnyPart, Citation, MediaPart, Message, Opaque, ToolCall
from betterai.core.usage import Cost, Usage

if TYPE_CHECKING:
    from typing_extensions import TypeVar

    Output = TypeVar("Output", default=Any)
else:
    from typing import TypeVar

    Output = TypeVar("Output")
"""The type that was asked for with `response_format`."""

FinishReason: TypeAlias = Literal[
    "stop", "length", "tool_calls", "content_filter", "refusal", "pause", "error", "other"
]


class CallWarning(Data, frozen=True, kw_only=True):
    """Something that the caller should know of. `field` is a setting's name.

    `dropped` was not sent; `translated` was sent in another form; `capability`: the catalogue says that the model
    cannot do this, and it was sent all the same; `truncated`: the provider cut the input, and says so; `provider`: its
    own warning, `field` being its word for it.
    """

    code: Literal["dropped", "translated", "unknown_model", "deprecated", "capability", "truncated", "provider"]
    field: str
    message: str


class Attempt(Data, frozen=True, kw_only=True):
    """One try of a call, for the record. `error` is the class of what it met, "" where it went well."""

    provider: str
    model: str
    seconds: float
    status: int | None = None
    error: str = ""
    waited: float = 0.0


class Timing(Data, frozen=True, kw_only=True):
    """Seconds from the call's start: `first_byte` when the reply's headers stood, `total` when all of it was read.

    `queue` is how long the call waited for its turn, `connect` how long the last attempt's connection took to be made:
    0 where one of the pool was used, None where it is not known. `age` is set where the answer came from a cache and no
    provider was asked: how long ago it was given first.

    Of a job `total` is the time from its call to its result, waiting in other processes too. Where a handle is gone on
    with that no store knows, it counts from there. `attempts` are those of this process.
    """

    queue: float = 0.0
    connect: float | None = None
    first_byte: float | None = None
    total: float = 0.0
    attempts: tuple[Attempt, ...] = ()
    age: float | None = None


class TokenLogprob(Data, frozen=True, kw_only=True):
    """Log probability of one token of the answer; `bytes` are its UTF-8 bytes."""

    token: str
    logprob: float
    bytes: tuple[int, ...] | None = None
    top_logprobs: tuple[TokenLogprob, ...] = ()


class ToolCallDelta(Data, frozen=True, kw_only=True, gc=False):
    """A piece of a tool call: `index` counts the calls of one answer from 0; `id` and `name` come with the first."""

    index: int
    id: str = ""
    name: str = ""
    arguments: str = ""


class ProviderResponse(Data, Generic[Output], frozen=True, kw_only=True):
    """One answer. With n > 1 the others are in `alternatives`.

    `message` is what goes back as history. `parsed` is set when `response_format` was a type. `body` is the reply as
    received, empty for streams.
    """

    content: str
    model: str = ""
    tokens_used: int | None = None
    message: Message | None = None
    usage: Usage | None = None
    finish_reason: FinishReason | None = None
    raw_finish_reason: str = ""
    warnings: tuple[CallWarning, ...] = ()
    cost: Cost | None = None
    alternatives: tuple[ProviderResponse[Output], ...] = ()
    parsed: Output = None  # type: ignore[assignment]
    """The answer as the type of `response_format`; None without one, and where the model refused or calls tools."""
    logprobs: tuple[TokenLogprob, ...] | None = None
    provider: str = ""
    id: str = ""
    request_id: str = ""
    headers: Mapping[str, str] = {}
    timing: Timing | None = None
    body: bytes = b""

    @property
    def raw(self) -> Any:
        """The reply's body as JSON values, with all that our types do not name; None for a stream."""
        return _decode(self.body) if self.body else None

    @property
    def reasoning(self) -> str:
        return self.message.reasoning if self.message else ""

    @property
    def tool_calls(self) -> tuple[ToolCall, ...]:
        return self.message.tool_calls if self.message else ()

    @property
    def media(self) -> tuple[Media, ...]:
        parts = self.message.parts if self.message else ()
        return tuple(part.media for part in parts if isinstance(part, MediaPart))


class TextChunk(Data, frozen=True, kw_only=True, gc=False):
    """A piece of a streamed answer: `content` and `reasoning` for showing, `part` once for each finished part.

    Parts in order are the assistant's message. `finish_reason` comes once a choice, `usage` once a stream (None where
    the provider gave none), `response` with the last chunk. `reset` says: forget what was shown, it begins anew.
    `opaque` belongs to the message as a whole; it comes with a part or with the finish reason.
    """

    content: str = ""
    reasoning: str = ""
    tool_call: ToolCallDelta | None = None
    choice: int = 0
    part: AnyPart | None = None
    media: Media | None = None
    citation: Citation | None = None
    logprobs: tuple[TokenLogprob, ...] | None = None
    reset: bool = False
    opaque: Opaque | None = None
    usage: Usage | None = None
    finish_reason: FinishReason | None = None
    raw_finish_reason: str = ""
    model: str = ""
    id: str = ""
    response: ProviderResponse | None = None
    body: bytes = b""

    @property
    def raw(self) -> Any:
        """The event as JSON values, as received."""
        return _decode(self.body) if self.body else None


def _decode(body: bytes) -> Any:
    """What codecs do not read may be no JSON all the same."""
    try:
        return msgspec.json.decode(body)
    except (ValueError, RecursionError) as error:
        raise ProviderError(f"the body is not readable as JSON values: {error}", code="unreadable_reply") from error
