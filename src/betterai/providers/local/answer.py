"""What an engine is asked, and what it says: the values that pass between the provider and its engines."""

from __future__ import annotations

from betterai.core.data import Data
from betterai.core.message import Message, ToolCall
from betterai.core.model import ModelConfig
from betterai.core.response import CallWarning, FinishReason
from betterai.core.settings import GenerationSettings
from betterai.providers.local.options import LocalOptions


class Turn(Data, frozen=True, kw_only=True):
    """One call, read and checked. `fingerprint` is a checksum of the conversation: ids derive from it."""

    model: ModelConfig
    messages: tuple[Message, ...]
    settings: GenerationSettings
    options: LocalOptions
    stream: bool
    fingerprint: int


class Answer(Data, frozen=True, kw_only=True):
    """One answer, whole. `show_reasoning` False: the thoughts are counted, but kept from the caller."""

    text: str = ""
    reasoning: str = ""
    show_reasoning: bool = True
    tool_calls: tuple[ToolCall, ...] = ()
    finish_reason: FinishReason = "stop"
    raw_finish_reason: str = "stop"


class Reply(Data, frozen=True, kw_only=True):
    """What an engine gives back: one answer a choice, and what it could not do as asked."""

    answers: tuple[Answer, ...]
    warnings: tuple[CallWarning, ...] = ()
