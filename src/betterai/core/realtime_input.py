"""What goes into a realtime session: see `core/realtime.py` for what comes out, and for the units."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

import msgspec

from betterai.core.data import Data
from betterai.core.exceptions import BetterAIError
from betterai.core.media import Media
from betterai.core.message import Message, Opaque, ToolResult
from betterai.core.realtime_settings import RealtimeSettings


class RealtimeEvent(Data, frozen=True, kw_only=True, tag_field="type", omit_defaults=True):
    """One event, either way. `event_id` is its sender's own: errors name the event that they are about by it."""

    event_id: str = ""

    @property
    def type(self) -> str:
        """The event's name, as in its JSON form."""
        return str(self.__struct_config__.tag)

    def to_json(self) -> bytes:
        """For logs and pipes: bytes in base64, what is not set left out, errors as their class and text. Headers and
        query parameters of settings, which may hold keys, stay out.
        """
        return msgspec.json.encode(self, enc_hook=_write)


def _write(value: Any) -> Any:
    if isinstance(value, RealtimeSettings):
        return {name: item for name, item in value.given().items() if name not in ("extra_headers", "extra_query")}
    if isinstance(value, BetterAIError):
        return {"type": type(value).__name__, "message": str(value), "code": value.code}
    return str(value)


class UpdateSession(RealtimeEvent, frozen=True, kw_only=True, tag="update_session"):
    """Change what was given; all else stays."""

    settings: RealtimeSettings


class AppendAudio(RealtimeEvent, frozen=True, kw_only=True, tag="append_audio"):
    """Sound of the user, in the session's `input_format`, as it comes."""

    audio: bytes


class StartSpeech(RealtimeEvent, frozen=True, kw_only=True, tag="start_speech"):
    """The user begins to speak: only where the caller finds the turns. Sound that is sent after a commit says so by
    itself; this is for callers who send silence too.
    """


class CommitAudio(RealtimeEvent, frozen=True, kw_only=True, tag="commit_audio"):
    """The user's turn is over; where the provider finds the turns, the sound pauses here (a muted microphone)."""


class ClearAudio(RealtimeEvent, frozen=True, kw_only=True, tag="clear_audio"):
    """Forget the sound that was not committed yet."""


class ShowImage(RealtimeEvent, frozen=True, kw_only=True, tag="show_image"):
    """What the user's camera or screen shows now: not a turn, and no answer is asked for."""

    image: Media


class AddMessages(RealtimeEvent, frozen=True, kw_only=True, tag="add_messages"):
    """Turns for the conversation: history, or what the user writes, with pictures or recorded sound. `item_id` is what
    a single one will be named by, `after` the item it comes behind: "root" is the beginning, "" the end.
    """

    messages: tuple[Message, ...]
    respond: bool = False
    item_id: str = ""
    after: str = ""


class AddToolResults(RealtimeEvent, frozen=True, kw_only=True, tag="add_tool_results"):
    """What tools gave, by the id of their call. Without `respond` the answer is asked for later."""

    results: tuple[ToolResult, ...]
    respond: bool = True
    item_id: str = ""
    after: str = ""


class DeleteItem(RealtimeEvent, frozen=True, kw_only=True, tag="delete_item"):
    """Take an item out of the conversation."""

    item_id: str


class Respond(RealtimeEvent, frozen=True, kw_only=True, tag="respond"):
    """Ask for an answer. `settings` hold for it alone. `messages` take the conversation's place; an answer that is not
    to be kept stays out of the conversation. `metadata` come back with the answer.
    """

    settings: RealtimeSettings | None = None
    messages: tuple[Message, ...] | None = None
    keep: bool = True
    metadata: Mapping[str, str] = {}


class CancelResponse(RealtimeEvent, frozen=True, kw_only=True, tag="cancel_response"):
    """Stop the answer that is under way: the one with this id, or whichever."""

    response_id: str = ""


class TruncateItem(RealtimeEvent, frozen=True, kw_only=True, tag="truncate_item"):
    """The user heard an answer up to here only: the model is to forget the rest. `audio_end_ms` counts from the
    beginning of the item's sound.
    """

    item_id: str
    audio_end_ms: int
    content_index: int = 0


class SendVerbatim(RealtimeEvent, frozen=True, kw_only=True, tag="send_verbatim"):
    """A frame in a protocol's own words; reported and not sent where another protocol is spoken."""

    frame: Opaque


RealtimeInput: TypeAlias = (
    UpdateSession | AppendAudio | StartSpeech | CommitAudio | ClearAudio | ShowImage | AddMessages | AddToolResults
    | DeleteItem | Respond | CancelResponse | TruncateItem | SendVerbatim
)  # fmt: skip
"""What goes into a session."""
