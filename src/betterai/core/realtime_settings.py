"""The settings of realtime sessions: formats of sound, who finds the turns, what is written down."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal, get_args

from betterai.core.data import Data
from betterai.core.exceptions import ValidationError
from betterai.core.message import Message
from betterai.core.settings import BESIDE_ITEMS, CallSettings, ReasoningControl
from betterai.core.tools import AnyTool, ToolChoice

_SHORT = {
    "pcm16": ("audio/pcm", 24000), "pcm": ("audio/pcm", 24000), "g711_ulaw": ("audio/pcmu", 8000),
    "g711_alaw": ("audio/pcma", 8000), "ulaw": ("audio/pcmu", 8000), "alaw": ("audio/pcma", 8000),
    "mulaw": ("audio/pcmu", 8000),
}  # fmt: skip
_USUAL = {"audio/pcm": 24000, "audio/pcmu": 8000, "audio/pcma": 8000}


class AudioFormat(Data, frozen=True, kw_only=True):
    """Raw sound of one channel. `audio/pcm` are little-endian 16-bit samples, `audio/pcmu` and `audio/pcma` the two
    laws of G.711, a byte a sample. `rate` in Hz.
    """

    mime_type: str = "audio/pcm"
    rate: int = 24000

    @property
    def sample_bytes(self) -> int:
        return 2 if self.mime_type == "audio/pcm" else 1

    def milliseconds(self, size: int) -> float:
        """How long so many bytes sound."""
        return size * 1000 / (self.sample_bytes * self.rate)

    def size(self, milliseconds: float) -> int:
        """How many bytes sound so long: whole samples."""
        return int(milliseconds * self.rate / 1000) * self.sample_bytes

    def __str__(self) -> str:
        return f"{self.mime_type};rate={self.rate}"


def read_format(given: AudioFormat | str) -> AudioFormat:
    """`audio/pcm;rate=16000`, or the short names pcm16, g711_ulaw, g711_alaw. Raises `ValidationError`."""
    if isinstance(given, AudioFormat):
        return given
    kind, _, words = given.replace(" ", "").partition(";")
    mime_type, rate = _SHORT.get(kind, (kind, _USUAL.get(kind, 0)))
    for word in filter(None, words.split(";")):
        name, _, value = word.partition("=")
        if name == "rate" and value.isdigit():
            rate = int(value)
    if mime_type not in _USUAL or rate <= 0:
        raise ValidationError(
            f"{given!r} is no format of a session's sound", hint=f"one of {', '.join(_USUAL)}, with ;rate=… in Hz"
        )
    return AudioFormat(mime_type=mime_type, rate=rate)


class TurnDetection(Data, frozen=True, kw_only=True):
    """Who finds out when the user's turn is over. `mode`: "server" by silence, "semantic" by what is said, "none": the
    caller says so (`session.commit`). None leaves a value to the provider.

    `threshold` from 0 to 1: how loud speech is. `prefix_ms` of sound before speech belong to it, `silence_ms` of
    silence end it, after `idle_timeout_ms` of it the model asks whether somebody is there. `eagerness` (low, medium,
    high, auto) is for "semantic". `respond`: an answer is begun by itself; `interrupt`: speech stops an answer.
    `start_sensitivity` and `end_sensitivity` ("low", "high") are for providers who have them in place of a threshold.
    """

    mode: Literal["server", "semantic", "none"] = "server"
    threshold: float | None = None
    prefix_ms: int | None = None
    silence_ms: int | None = None
    idle_timeout_ms: int | None = None
    eagerness: str | None = None
    respond: bool | None = None
    interrupt: bool | None = None
    start_sensitivity: Literal["low", "high"] | None = None
    end_sensitivity: Literal["low", "high"] | None = None


class Transcription(Data, frozen=True, kw_only=True):
    """How the user's words are written down: by which `model`, in which language (BCP 47), or one of several; with a
    prompt or words to expect. `delay` is the vendor's word for how soon.
    """

    model: str | None = None
    language: str | None = None
    languages: tuple[str, ...] | None = None
    prompt: str | None = None
    keywords: tuple[str, ...] | None = None
    delay: str | None = None


class RealtimeSettings(CallSettings):
    """Settings of a realtime session. What a provider cannot take is in `session.warnings`, or raises."""

    __types__: ClassVar[Mapping[str, tuple[type, ...]]] = {
        "instructions": (str,), "voice": (str,), "speed": (int, float), "language": (str,),
        "modalities": (list, tuple), "input_format": (str, AudioFormat), "output_format": (str, AudioFormat),
        "tools": (list, tuple), "tool_choice": (str, ToolChoice), "parallel_tool_calls": (bool,),
        "turn_detection": (str, TurnDetection), "transcription": (bool, str, Transcription),
        "output_transcription": (bool,), "noise_reduction": (str,), "temperature": (int, float),
        "top_p": (int, float), "top_k": (int,), "seed": (int,), "max_tokens": (int,),
        "reasoning": (str, int, bool, ReasoningControl), "truncation": (str, int, float, Mapping),
        "history": (list, tuple), "resumption": (bool, str), "options": (Mapping,),
        "extra_body": (Mapping,), "extra_headers": (Mapping,), "extra_query": (Mapping,),
    }  # fmt: skip
    __items__: ClassVar[Mapping[str, tuple[type, ...]]] = {
        "modalities": (str,), "tools": get_args(AnyTool), "history": (Message,), **BESIDE_ITEMS,
    }  # fmt: skip
    __least__: ClassVar[Mapping[str, int]] = dict.fromkeys(("speed", "max_tokens"), 0)

    instructions: str | None = None
    voice: str | None = None
    speed: float | None = None
    """Of the voice: 1.0 is normal."""
    language: str | None = None
    """Of the voice: a BCP 47 tag."""
    modalities: Sequence[Literal["audio", "text"]] | None = None
    """What answers are made of. Sound comes with its transcript."""
    input_format: AudioFormat | str | None = None
    """Of what is sent: "audio/pcm;rate=16000", "pcm16", "g711_ulaw" … What the provider does not take is converted."""
    output_format: AudioFormat | str | None = None
    tools: Sequence[AnyTool] | None = None
    """Those made of functions (`betterai.tool`) are run by the session; calls of others are events for the caller."""
    tool_choice: Literal["auto", "none", "required"] | str | ToolChoice | None = None
    parallel_tool_calls: bool | None = None
    turn_detection: TurnDetection | Literal["server", "semantic", "none"] | None = None
    transcription: Transcription | bool | str | None = None
    """Whether, and by which model, the user's words are written down."""
    output_transcription: bool | None = None
    """Whether the words of the answer's sound come beside it, where that is asked for."""
    noise_reduction: Literal["near_field", "far_field"] | str | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    seed: int | None = None
    max_tokens: int | None = None
    """At most this many output tokens in one answer."""
    reasoning: str | int | bool | ReasoningControl | None = None
    truncation: str | float | Mapping[str, Any] | None = None
    """What becomes of a conversation too long for the model: "auto", "disabled", or how much of it is kept (0 to 1)."""
    history: Sequence[Message] | None = None
    """The conversation so far: sent when the session is opened."""
    resumption: bool | str | None = None
    """True: a session that breaks off is gone on with in a new connection, by the provider's own handle, or with the
    history sent again. A handle resumes a session that ended (`ResumptionOffered`).
    """


def read_turn_detection(given: TurnDetection | str | None) -> TurnDetection | None:
    """Raises `ValidationError` for a word that is none of the modes."""
    if given is None or isinstance(given, TurnDetection):
        return given
    if given not in ("server", "semantic", "none"):
        raise ValidationError(f"turn_detection must be 'server', 'semantic' or 'none', not {given!r}")
    return TurnDetection(mode=given)  # type: ignore[arg-type]


def read_transcription(given: Transcription | bool | str | None) -> Transcription | None:
    """None where nothing is to be written down."""
    if given is None or given is False:
        return None
    if given is True:
        return Transcription()
    return given if isinstance(given, Transcription) else Transcription(model=given)
