"""Messages as JSON and back, to the byte: what only a provider understands stays as it came."""

from __future__ import annotations

import msgspec

from betterai.core.exceptions import ValidationError
from betterai.core.message import Message, Messages
from betterai.runtime.messages import read_messages


def dump_messages(messages: Messages) -> bytes:
    """A conversation as a JSON array, for storing: UTF-8, stable between versions. Raises `ValidationError`."""
    return msgspec.json.encode(read_messages(messages))


def load_messages(data: bytes | str) -> list[Message]:
    """What `dump_messages` wrote. Raises `ValidationError` where it is something else."""
    try:
        return msgspec.json.decode(data, type=list[Message])
    except msgspec.MsgspecError as error:
        raise ValidationError(f"these are no stored messages: {error}", hint="pass what dump_messages gave") from error
