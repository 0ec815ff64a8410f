"""The keyword arguments of the short way, for type checkers: the same names as `GenerationSettings`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import UnionType
from typing import Any, Generic, TypedDict

from betterai.core.response import Output
from betterai.core.settings import AudioOutput, PromptCache, ReasoningControl, StreamOptions, WebSearch
from betterai.core.tools import AnyTool, ResponseFormat, ToolChoice


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
