"""What comes out of realtime sessions, whichever protocol is spoken; `core/realtime_input.py` is what goes in.

Units: times in milliseconds (`…_ms`), rates in Hz, sound as bytes in the session's formats: little-endian 16-bit
samples of one channel where nothing else was asked for. docs/realtime.md says what each event is in each protocol.

Each piece of an answer names its `response_id` and its `item_id`, the turn of the conversation that it belongs to;
both are "" where a protocol has none. Texts come as deltas, and once more as a whole with `final`. Usage is new in
each event that has it: the sum over all events is the session's.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Literal, Protocol, TypeAlias

from betterai.core.data import Data
from betterai.core.exceptions import BetterAIError
from betterai.core.message import Message, Opaque, ToolCall, ToolResult
from betterai.core.realtime_input import RealtimeEvent, RealtimeInput
from betterai.core.realtime_settings import RealtimeSettings
from betterai.core.response import CallWarning, FinishReason
from betterai.core.results import Result
from betterai.core.usage import Usage

RealtimeFinish: TypeAlias = FinishReason | Literal["interrupted"]
"""Why an answer ended: as for text, or because the user spoke into it, or the caller cancelled it."""


class SessionInfo(Data, frozen=True, kw_only=True):
    """The session as the provider has it: `settings` are those in force, as far as they are stated. `expires_at` in
    Unix seconds, None where it is not stated. `raw` is the provider's own description, verbatim.
    """

    id: str = ""
    model: str = ""
    conversation_id: str = ""
    settings: RealtimeSettings = RealtimeSettings()
    expires_at: float | None = None
    raw: Opaque | None = None


class SessionOpened(RealtimeEvent, frozen=True, kw_only=True, tag="session_opened"):
    """The session stands. `resumed` says that it goes on where an earlier one ended."""

    session: SessionInfo = SessionInfo()
    resumed: bool = False


class SessionUpdated(RealtimeEvent, frozen=True, kw_only=True, tag="session_updated"):
    """The provider took the settings."""

    session: SessionInfo = SessionInfo()


class SpeechStarted(RealtimeEvent, frozen=True, kw_only=True, tag="speech_started"):
    """The user speaks. `at_ms` counts the sound that was sent since the session began; None where it is not stated."""

    item_id: str = ""
    at_ms: int | None = None


class SpeechStopped(RealtimeEvent, frozen=True, kw_only=True, tag="speech_stopped"):
    """The user ceased to speak, at `at_ms` of the sound that was sent."""

    item_id: str = ""
    at_ms: int | None = None


class AudioCommitted(RealtimeEvent, frozen=True, kw_only=True, tag="audio_committed"):
    """The sound so far is the user's turn `item_id`, which comes behind the item `after`."""

    item_id: str = ""
    after: str = ""


class AudioCleared(RealtimeEvent, frozen=True, kw_only=True, tag="audio_cleared"):
    """The sound that was not committed is forgotten."""


class Interrupted(RealtimeEvent, frozen=True, kw_only=True, tag="interrupted"):
    """The user spoke into an answer: throw away its sound that was not played yet. `heard_ms` is how much of the item
    the user heard, where the session was told what is played.
    """

    response_id: str = ""
    item_id: str = ""
    heard_ms: int | None = None


class Transcribed(RealtimeEvent, frozen=True, kw_only=True):
    """What both transcripts are made of. `delta` is new; `text` is all of it, with the `final` event only. `reset`
    says that words were taken back: what was shown of this item is void, and `delta` holds all of it anew.
    """

    delta: str = ""
    text: str = ""
    final: bool = False
    reset: bool = False
    item_id: str = ""
    content_index: int = 0
    start_ms: int | None = None
    end_ms: int | None = None


class InputTranscript(Transcribed, frozen=True, kw_only=True, tag="input_transcript"):
    """What the user said, in the words of the model that wrote it down. It comes beside the answer, and often later.
    `usage` is that of the `model` that wrote it down, where it is billed by itself.
    """

    language: str = ""
    speaker: str = ""
    usage: Usage | None = None
    model: str = ""


class OutputTranscript(Transcribed, frozen=True, kw_only=True, tag="output_transcript"):
    """The words of the sound that the model speaks."""

    response_id: str = ""


class OutputText(Transcribed, frozen=True, kw_only=True, tag="output_text"):
    """An answer in writing: where text was asked for in place of sound."""

    response_id: str = ""


class OutputReasoning(Transcribed, frozen=True, kw_only=True, tag="output_reasoning"):
    """The model's thoughts, where they are shown."""

    response_id: str = ""


class OutputAudio(RealtimeEvent, frozen=True, kw_only=True, tag="output_audio"):
    """Sound of the answer, in the session's `output_format`, playable in order; the `final` event ends an item's."""

    audio: bytes = b""
    final: bool = False
    response_id: str = ""
    item_id: str = ""
    content_index: int = 0


class ToolCallPiece(RealtimeEvent, frozen=True, kw_only=True, tag="tool_call_piece"):
    """A piece of a call's arguments, for showing. `name` is "" where it is not known yet."""

    id: str = ""
    name: str = ""
    delta: str = ""
    response_id: str = ""
    item_id: str = ""


class ToolCalled(RealtimeEvent, frozen=True, kw_only=True, tag="tool_called"):
    """The model asks for a tool: the whole call. `handled` says that the session runs it by itself."""

    call: ToolCall
    handled: bool = False
    response_id: str = ""
    item_id: str = ""


class ToolsCancelled(RealtimeEvent, frozen=True, kw_only=True, tag="tools_cancelled"):
    """The results of these calls are not wanted any more."""

    ids: tuple[str, ...] = ()


class ToolRan(RealtimeEvent, frozen=True, kw_only=True, tag="tool_ran"):
    """The session ran a tool, and sent its result."""

    call: ToolCall
    result: ToolResult
    seconds: float = 0.0


class ItemAdded(RealtimeEvent, frozen=True, kw_only=True, tag="item_added"):
    """A turn is in the conversation, behind the item `after`; `done` once it is whole."""

    item_id: str = ""
    after: str = ""
    message: Message | None = None
    done: bool = False


class ItemDeleted(RealtimeEvent, frozen=True, kw_only=True, tag="item_deleted"):
    item_id: str = ""


class ItemTruncated(RealtimeEvent, frozen=True, kw_only=True, tag="item_truncated"):
    """The model forgot what comes after `audio_end_ms` of the item."""

    item_id: str = ""
    audio_end_ms: int = 0
    content_index: int = 0


class ResponseStarted(RealtimeEvent, frozen=True, kw_only=True, tag="response_started"):
    """An answer begins."""

    response_id: str = ""
    metadata: Mapping[str, str] = {}


class ResponseDone(RealtimeEvent, frozen=True, kw_only=True, tag="response_done"):
    """An answer ended. `message` is what it was: words, tool calls; never its sound. `error` is set where
    `finish_reason` is "error"; `usage` is None where the provider states none.
    """

    response_id: str = ""
    finish_reason: RealtimeFinish = "stop"
    raw_finish_reason: str = ""
    message: Message | None = None
    usage: Usage | None = None
    error: BetterAIError | None = None
    metadata: Mapping[str, str] = {}


class UsageStated(RealtimeEvent, frozen=True, kw_only=True, tag="usage_stated"):
    """Usage that belongs to no answer; `model` is whose it is, where it is not the session's."""

    usage: Usage
    response_id: str = ""
    model: str = ""


class RateLimit(Data, frozen=True, kw_only=True):
    """What is left of a limit, in the provider's name for it, and in how many seconds it is whole again."""

    name: str
    limit: float | None = None
    remaining: float | None = None
    reset_seconds: float | None = None


class RateLimitsStated(RealtimeEvent, frozen=True, kw_only=True, tag="rate_limits_stated"):
    limits: tuple[RateLimit, ...] = ()


class SessionEnding(RealtimeEvent, frozen=True, kw_only=True, tag="session_ending"):
    """The provider will end the session soon: in so many seconds, None where it does not say."""

    seconds_left: float | None = None
    reason: str = ""


class ResumptionOffered(RealtimeEvent, frozen=True, kw_only=True, tag="resumption_offered"):
    """The handle with which a later session goes on from here (`resumption` in the settings). It is as good as the
    conversation itself: keep it as you keep that. `resumable` is False while there is no such point.
    """

    handle: str = ""
    resumable: bool = True


class Reconnected(RealtimeEvent, frozen=True, kw_only=True, tag="reconnected"):
    """The connection broke, and a new one goes on: with the provider's own handle, or with the history sent again."""

    reason: str = ""
    resumed: bool = False


class StageMeasured(RealtimeEvent, frozen=True, kw_only=True, tag="stage_measured"):
    """How long one stage of an answer took, where a session is made of several providers."""

    stage: str
    seconds: float
    response_id: str = ""


class SessionWarned(RealtimeEvent, frozen=True, kw_only=True, tag="session_warned"):
    """What of the settings or events was not sent, or in another form."""

    warnings: tuple[CallWarning, ...]


class SessionError(RealtimeEvent, frozen=True, kw_only=True, tag="session_error"):
    """The provider complains, in its own words, and the session goes on; what ends it is raised. `about` is the
    `event_id`, or the item, that it complains about; `busy`: an answer was asked for while another one was under way.
    """

    error: BetterAIError
    about: str = ""
    busy: bool = False


class VendorEvent(RealtimeEvent, frozen=True, kw_only=True, tag="vendor_event"):
    """What only one protocol says, verbatim: `name` is its own."""

    name: str
    frame: Opaque


RealtimeOutput: TypeAlias = (
    SessionOpened | SessionUpdated | SpeechStarted | SpeechStopped | AudioCommitted | AudioCleared | Interrupted
    | InputTranscript | OutputTranscript | OutputText | OutputReasoning | OutputAudio | ToolCallPiece | ToolCalled
    | ToolsCancelled | ToolRan | ItemAdded | ItemDeleted | ItemTruncated | ResponseStarted | ResponseDone | UsageStated
    | RateLimitsStated | SessionEnding | ResumptionOffered | Reconnected | StageMeasured | SessionWarned | SessionError
    | VendorEvent
)  # fmt: skip
"""What comes out of one."""


class RealtimeToken(Result, frozen=True, kw_only=True):
    """What a browser opens a session with, in place of the key. `value` is a secret, and not shown; `expires_at` in
    Unix seconds.
    """

    value: str
    expires_at: float | None = None

    def __repr__(self) -> str:
        return f"RealtimeToken(value='***', expires_at={self.expires_at}, model={self.model!r})"


class RealtimeChannel(Protocol):
    """A bare session, which a provider opens; `RealtimeSession` does the rest around it: tools, what was heard, formats
    of sound, limits, usage. Codecs have one made of their socket; a class provider may make its own.
    """

    async def send(self, event: RealtimeInput) -> None:
        """Raises `APIConnectionError` where the session is over."""
        ...

    def __aiter__(self) -> AsyncIterator[RealtimeOutput]:
        """Events to the end of the session. Raises a `ProviderError` where it broke, or the provider ended it."""
        ...

    async def aclose(self) -> None: ...
