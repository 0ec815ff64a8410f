"""What callers pass as a conversation, as our messages; and back, for class providers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from typing import Any, NoReturn, get_args

from betterai.config.file import near
from betterai.core.exceptions import BetterAIError, ValidationError
from betterai.core.media import Media
from betterai.core.message import AnyPart, Message, Messages, Text
from betterai.core.model import ModelConfig
from betterai.core.response import CallWarning
from betterai.core.settings import GenerationSettings
from betterai.core.wire import Call
from betterai.wire.openai_chat import OpenAIChat
from betterai.wire.openai_chat.server import parse_message

_SHAPE = "a message is {'role': …, 'content': …}"
_ROLES = frozenset({"system", "developer", "user", "assistant"})
_ALL_ROLES = _ROLES | {"tool"}
_PARTS = frozenset(get_args(AnyPart))
_LISTS = (tuple, list)
_BYTES = (bytes, bytearray, memoryview)
_KEYS = frozenset({
    "role", "content", "name", "tool_calls", "tool_call_id", "refusal", "audio", "function_call", "reasoning",
    "reasoning_content", "reasoning_text",
})  # fmt: skip


def read_messages(messages: Messages) -> tuple[Message, ...]:
    """A text, our messages, or dicts in the field's usual shape. Raises `ValidationError` saying which is wrong."""
    given: Any = messages
    if given.__class__ is not list:
        if isinstance(given, str):
            return (Message(role="user", parts=(Text(text=given),)),)
        if isinstance(given, Message):
            return (given,)
        if not isinstance(given, Sequence) or isinstance(given, _BYTES):
            _refuse_messages(given)
    if not given:
        _refuse_messages(given)
    return tuple([_read_message(message, index) for index, message in enumerate(given)])


def _read_message(message: Any, index: int) -> Message:
    if message.__class__ is dict and len(message) == 2:
        role, content = message.get("role"), message.get("content")
        if content.__class__ is str and role.__class__ is str and role in _ROLES:
            return Message(role=role, parts=(Text(text=content),))  # type: ignore[arg-type]
    if isinstance(message, Message):
        given: Any = message.role
        if given.__class__ is not str or given not in _ALL_ROLES or not _are_parts(message.parts):
            _refuse_message(message, index)
        return message
    if isinstance(message, Mapping):
        if unknown := message.keys() - _KEYS:
            _refuse_misspelt(message, unknown, index)
        if message.get("role") in ("system", "developer", "user") and message.get("content") is None:
            raise ValidationError(f"messages[{index}] has no content", hint=_SHAPE)
        if message.get("role") == "assistant" and message.keys() <= {"role", "name"}:
            raise ValidationError(f"messages[{index}] has neither content nor tool_calls", hint=_SHAPE)
        if (calls := message.get("tool_calls")) is not None and not isinstance(calls, list):
            raise ValidationError(f"messages[{index}].tool_calls must be a list, not {type(calls).__name__}")
        try:
            return parse_message(message, f"messages[{index}]")
        except ValueError as error:
            said = error.message if isinstance(error, BetterAIError) else str(error)
            named = message.get("role")
            like = near(named, _ALL_ROLES) if isinstance(named, str) else ""
            hint = f"did you mean {like!r}?" if like not in ("", named) else _SHAPE
            raise ValidationError(said, hint=hint) from error
    hint = 'write betterai.Message.user("…", media)' if isinstance(message, Media) else _SHAPE
    raise ValidationError(f"messages[{index}] must be a Message or a dict, not {type(message).__name__}", hint=hint)


def _are_parts(parts: Any) -> bool:
    """Quickly: False also for subclasses, which are then looked at."""
    if parts.__class__ not in _LISTS:
        return False
    for part in parts:
        if part.__class__ is Text:
            if part.text.__class__ is not str:
                return False
        elif part.__class__ not in _PARTS:
            return False
    return True


def _refuse_messages(messages: Any) -> NoReturn:
    hint = "put it into a list: [message]" if isinstance(messages, Mapping) and messages else 'pass "Hello"'
    raise ValidationError("messages must be a text, or a list of messages with at least one", hint=hint)


def _refuse_message(message: Any, index: int) -> None:
    """Raises `ValidationError` for a `Message` that was made of something else."""
    role, parts = message.role, message.parts
    if not isinstance(role, str) or role not in _ALL_ROLES:
        like = near(role, _ALL_ROLES) if isinstance(role, str) else ""
        hint = f"did you mean {like!r}?" if like else f"there are {', '.join(sorted(_ALL_ROLES))}"
        raise ValidationError(f"messages[{index}]: {role!r:.60} is not a role", hint=hint)
    if not isinstance(parts, list | tuple):
        hint = 'write betterai.Message.user("…")'
        raise ValidationError(f"messages[{index}]: parts are a tuple, not {type(parts).__name__}", hint=hint)
    for part in parts:
        if not isinstance(part, tuple(_PARTS)):
            hint = "write betterai.Text(text=…), or betterai.MediaPart(media=…)"
            raise ValidationError(f"messages[{index}] has a part that is {type(part).__name__}", hint=hint)
        if isinstance(part, Text) and not isinstance(part.text, str):
            raise ValidationError(f"messages[{index}]: the text of a part is str, not {type(part.text).__name__}")


def _refuse_misspelt(message: Mapping[Any, Any], unknown: Set[Any], index: int) -> None:
    """What nobody knows goes to who speaks the protocol; what is nearly a known name that is not there is a mistake."""
    for key in unknown:
        if not isinstance(key, str):
            raise ValidationError(f"messages[{index}]: the names in a message are str, not {type(key).__name__}")
        like = near(key, _KEYS, cutoff=0.75) if message[key] is not None else ""
        if like and message.get(like) is None:
            raise ValidationError(f"messages[{index}] has no {key!r}", hint=f"did you mean {like!r}?")


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
