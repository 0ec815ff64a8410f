"""What callers pass as a conversation, as our messages; and back, for class providers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from betterai.core.exceptions import BetterAIError, ValidationError
from betterai.core.message import Message, Messages, Text
from betterai.core.model import ModelConfig
from betterai.core.response import CallWarning
from betterai.core.settings import GenerationSettings
from betterai.core.wire import Call
from betterai.wire.openai_chat import OpenAIChat
from betterai.wire.openai_chat.server import parse_message

_SHAPE = "a message is {'role': …, 'content': …}"
_ROLES = frozenset({"system", "developer", "user", "assistant"})


def read_messages(messages: Messages) -> tuple[Message, ...]:
    """A text, our messages, or dicts in the field's usual shape. Raises `ValidationError` saying which is wrong."""
    if isinstance(messages, str):
        return (Message(role="user", parts=(Text(text=messages),)),)
    if isinstance(messages, Message):
        return (messages,)
    if not isinstance(messages, (list, Sequence)) or not messages:
        raise ValidationError("messages must be a text, or a list of messages with at least one", hint='pass "Hello"')
    return tuple([_read_message(message, index) for index, message in enumerate(messages)])


def _read_message(message: Any, index: int) -> Message:
    if message.__class__ is dict and len(message) == 2:
        role, content = message.get("role"), message.get("content")
        if content.__class__ is str and role.__class__ is str and role in _ROLES:
            return Message(role=role, parts=(Text(text=content),))  # type: ignore[arg-type]
    if isinstance(message, Message):
        return message
    if isinstance(message, Mapping):
        if message.get("role") in ("system", "developer", "user") and message.get("content") is None:
            raise ValidationError(f"messages[{index}] has no content", hint=_SHAPE)
        try:
            return parse_message(message, f"messages[{index}]")
        except ValueError as error:
            said = error.message if isinstance(error, BetterAIError) else str(error)
            raise ValidationError(said, hint=_SHAPE) from error
    raise ValidationError(f"messages[{index}] must be a Message or a dict, not {type(message).__name__}", hint=_SHAPE)


def write_messages(messages: Sequence[Message]) -> list[dict[str, Any]]:
    """Our messages as dicts with role and content, as the handbook's class providers take them."""
    return render_messages(messages, ModelConfig(id="", provider=""))[0]


def render_messages(
    messages: Sequence[Message], model: ModelConfig
) -> tuple[list[dict[str, Any]], tuple[CallWarning, ...]]:
    """The same, and what could not be carried over."""
    call = Call(model=model, input=tuple(messages), settings=GenerationSettings())
    request = OpenAIChat().build_request(call)
    body: Any = request.body
    written: list[dict[str, Any]] = body["messages"]
    return written, request.warnings
