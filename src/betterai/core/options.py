"""The keyword arguments of the short ways, for type checkers: the same names as the settings of each category."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import UnionType
from typing import TYPE_CHECKING, Any, Generic, Literal, TypedDict

from betterai.core.media import Media
from betterai.core.response import Output
from betterai.core.settings import AudioOutput, PromptCache, ReasoningControl, StreamOptions, WebSearch
from betterai.core.tools import AnyTool, ResponseFormat, ToolChoice

if TYPE_CHECKING:
    from betterai.core.message import Message
    from betterai.core.realtime_settings import AudioFormat, Transcription, TurnDetection


class GenerationOptions(TypedDict, Generic[Output], total=False):
    temperature: float | None
    top_p: float | None
    top_k: int | None
    min_p: float | None
    max_tokens: int | None
    stop: str | Sequence[str] | None
    seed: int | None
    n: int | None
    frequency_penalty: float | None
    presence_penalty: float | None
    logit_bias: Mapping[str, float] | None
    logprobs: bool | None
    top_logprobs: int | None
    tools: Sequence[AnyTool] | None
    tool_choice: str | ToolChoice | None
    parallel_tool_calls: bool | None
    response_format: type[Output] | UnionType | Mapping[str, Any] | ResponseFormat | None
    reasoning: str | int | bool | ReasoningControl | None
    verbosity: str | None
    modalities: Sequence[str] | None
    audio: AudioOutput | None
    prediction: str | Sequence[Mapping[str, Any]] | None
    cache: PromptCache | None
    web_search: WebSearch | bool | None
    moderation: Mapping[str, Any] | None
    service_tier: str | None
    store: bool | None
    metadata: Mapping[str, str] | None
    user: str | None
    safety_identifier: str | None
    stream_options: StreamOptions | None
    options: Mapping[str, Mapping[str, Any]] | None
    extra_body: Mapping[str, Any] | None
    extra_headers: Mapping[str, str] | None
    extra_query: Mapping[str, str] | None


class CallOptions(TypedDict, total=False):
    """What all categories share."""

    options: Mapping[str, Mapping[str, Any]] | None
    extra_body: Mapping[str, Any] | None
    extra_headers: Mapping[str, str] | None
    extra_query: Mapping[str, str] | None


class EmbeddingOptions(CallOptions, total=False):
    dimensions: int | None
    task: str | None
    encoding: Literal["float", "int8", "uint8", "binary", "ubinary"] | None
    truncate: bool | None
    user: str | None


class RerankOptions(CallOptions, total=False):
    top: int | None
    max_tokens: int | None
    truncate: bool | None


class ModerationOptions(CallOptions, total=False):
    """Nothing of its own."""


class ImageOptions(CallOptions, total=False):
    size: str | None
    aspect: str | None
    n: int | None
    quality: str | None
    style: str | None
    format: str | None
    compression: int | None
    background: str | None
    seed: int | None
    steps: int | None
    guidance: float | None
    negative_prompt: str | None
    images: Sequence[Media] | None
    mask: Media | None
    partial_images: int | None
    moderation: str | None
    user: str | None


class VideoOptions(CallOptions, total=False):
    seconds: float | None
    size: str | None
    aspect: str | None
    resolution: str | None
    fps: int | None
    n: int | None
    seed: int | None
    negative_prompt: str | None
    audio: bool | None
    first_frame: Media | None
    last_frame: Media | None
    images: Sequence[Media] | None
    video: Media | None


class TranscriptionOptions(CallOptions, total=False):
    language: str | None
    prompt: str | None
    keywords: Sequence[str] | None
    timestamps: Sequence[Literal["word", "segment"]] | None
    diarize: bool | None
    speakers: int | None
    temperature: float | None
    translate: bool | None
    sample_rate: int | None
    channels: int | None
    encoding: str | None
    interim: bool | None


class SpeechOptions(CallOptions, total=False):
    voice: str | None
    format: str | None
    sample_rate: int | None
    speed: float | None
    language: str | None
    instructions: str | None
    seed: int | None
    alignment: bool | None


class RealtimeOptions(CallOptions, total=False):
    instructions: str | None
    voice: str | None
    speed: float | None
    language: str | None
    modalities: Sequence[Literal["audio", "text"]] | None
    input_format: AudioFormat | str | None
    output_format: AudioFormat | str | None
    tools: Sequence[AnyTool] | None
    tool_choice: str | ToolChoice | None
    parallel_tool_calls: bool | None
    turn_detection: TurnDetection | Literal["server", "semantic", "none"] | None
    transcription: Transcription | bool | str | None
    output_transcription: bool | None
    noise_reduction: str | None
    temperature: float | None
    top_p: float | None
    top_k: int | None
    seed: int | None
    max_tokens: int | None
    reasoning: str | int | bool | ReasoningControl | None
    truncation: str | float | Mapping[str, Any] | None
    history: Sequence[Message] | None
    resumption: bool | str | None
