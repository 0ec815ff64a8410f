"""The structs that frames of the server are read into: only what is used, and lenient."""

from __future__ import annotations

import msgspec
from msgspec import Raw, Struct

from betterai.wire.gemini.shapes import NOTHING
from betterai.wire.lenient import Reader


class BlobShape(Struct, gc=False, rename="camel"):
    """Sound, whose base64 is decoded at once."""

    mime_type: str = ""
    data: bytes = b""


class ModelTurnShape(Struct, gc=False):
    parts: list[Raw] | None = None


class TranscriptionShape(Struct, gc=False, rename="camel"):
    text: str | None = None
    finished: bool | None = None
    language_code: str | None = None
    speaker_label: str | None = None
    start_offset: str | None = None
    end_offset: str | None = None
    words: Raw = NOTHING
    """Their times: what comes of them comes as it is."""


class ServerContentShape(Struct, gc=False, rename="camel"):
    model_turn: ModelTurnShape | None = None
    turn_complete: bool | None = None
    turn_complete_reason: str | None = None
    interrupted: bool | None = None
    generation_complete: bool | None = None
    input_transcription: TranscriptionShape | None = None
    interim_input_transcription: TranscriptionShape | None = None
    output_transcription: TranscriptionShape | None = None


class SetupCompleteShape(Struct, gc=False, rename="camel"):
    session_id: str | None = None


class FunctionCallShape(Struct, gc=False):
    id: str | None = None
    name: str | None = None
    args: Raw = NOTHING


class ToolCallShape(Struct, gc=False, rename="camel"):
    function_calls: list[FunctionCallShape] | None = None


class CancellationShape(Struct, gc=False):
    ids: list[str] | None = None


class GoAwayShape(Struct, gc=False, rename="camel"):
    time_left: str | None = None


class ResumptionShape(Struct, gc=False, rename="camel"):
    """The index is a 64-bit number, which JSON of Protocol Buffers writes as a text."""

    new_handle: str | None = None
    resumable: bool | None = None
    last_consumed_client_message_index: str | int | None = None


class VoiceShape(Struct, gc=False, rename="camel"):
    """Voice activity, as it is sent and as it is documented, and the signal that came before it."""

    voice_activity_type: str | None = None
    type: str | None = None
    vad_signal_type: str | None = None
    audio_offset: str | None = None


class SoundBlob(BlobShape, gc=False, rename="camel", forbid_unknown_fields=True):
    """The same, and nothing beside it."""


class SoundPart(Struct, gc=False, rename="camel", forbid_unknown_fields=True):
    inline_data: SoundBlob


class SoundTurn(Struct, gc=False, forbid_unknown_fields=True):
    parts: list[SoundPart]
    role: str = ""


class SoundContent(Struct, gc=False, rename="camel", forbid_unknown_fields=True):
    model_turn: SoundTurn


class SoundFrame(Struct, gc=False, rename="camel", forbid_unknown_fields=True):
    """A frame that says nothing else, as most do: it is looked through once."""

    server_content: SoundContent


SOUND = msgspec.json.Decoder(SoundFrame)
CONTENT = Reader(ServerContentShape)
BLOB = Reader(BlobShape)
SETUP = Reader(SetupCompleteShape)
CALLS = Reader(ToolCallShape)
CANCELLATION = Reader(CancellationShape)
GO_AWAY = Reader(GoAwayShape)
RESUMPTION = Reader(ResumptionShape)
VOICE = Reader(VoiceShape)
