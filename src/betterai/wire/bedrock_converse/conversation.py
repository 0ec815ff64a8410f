"""The protocol's messages as ours, for the server half."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Raw

from betterai.core.message import AnyPart, CacheMark, Message, Role
from betterai.wire.bedrock_converse.replies import BlockReader
from betterai.wire.bedrock_converse.shapes import PROTOCOL
from betterai.wire.error_bodies import UNREADABLE
from betterai.wire.residue import keep_extra, refuse

_ROLES: dict[str, Role] = {"user": "user", "assistant": "assistant", "system": "system"}


def parse_messages(messages: Raw, system: Raw | None) -> tuple[Message, ...]:
    """The conversation, instructions first. Raises `BadRequestError` for what is none of this protocol."""
    found = []
    if system is not None and (parts := _read_blocks(_decode_blocks(system, "system"), "system")):
        found.append(Message(role="system", parts=parts))
    try:
        turns = msgspec.json.decode(messages, type=list[dict[str, Raw]])
    except UNREADABLE as error:
        raise refuse("messages", f"must be a list of objects: {error}") from error
    return (*found, *(_read_message(turn, f"messages[{index}]") for index, turn in enumerate(turns)))


def _read_message(fields: dict[str, Raw], where: str) -> Message:
    role = _decode(fields.pop("role", Raw(b"null")), f"{where}.role")
    if not isinstance(role, str) or role not in _ROLES:
        raise refuse(f"{where}.role", f"{role!r:.60} is no role of this protocol", "invalid_value")
    if "content" not in fields:
        raise refuse(f"{where}.content", "is missing", "missing_required_parameter")
    blocks = _decode_blocks(fields.pop("content"), f"{where}.content")
    kept: dict[str, Any] = {**({"role": "system"} if role == "system" else {}), **fields}
    return Message(role=_ROLES[role], parts=_read_blocks(blocks, f"{where}.content"), opaque=keep_extra(PROTOCOL, kept))


def _read_blocks(blocks: list[dict[str, Raw]], where: str) -> tuple[AnyPart, ...]:
    """The parts; a cache point is a mark on the part before it."""
    reader = BlockReader()
    parts: list[AnyPart] = []
    for index, block in enumerate(blocks):
        if len(block) != 1:
            raise refuse(f"{where}[{index}]", "must have exactly one member", "invalid_value")
        ((kind, raw),) = block.items()
        mark = read_cache_point(raw) if kind == "cachePoint" and parts and parts[-1].cache is None else None
        if mark is not None:
            parts[-1] = msgspec.structs.replace(parts[-1], cache=mark)
            continue
        try:
            parts.append(reader.read_member(kind, raw))
        except UNREADABLE as error:
            raise refuse(f"{where}[{index}].{kind}", f"cannot be read: {error}") from error
    return tuple(parts)


def read_cache_point(raw: bytes) -> CacheMark | None:
    """A mark; None for a cache point that says more than a mark can."""
    fields = msgspec.json.decode(raw)
    if not isinstance(fields, dict) or fields.get("type") != "default" or fields.keys() - {"type", "ttl"}:
        return None
    ttl = fields.get("ttl", "")
    return CacheMark(ttl=ttl) if isinstance(ttl, str) else None


def _decode(raw: Raw, where: str) -> Any:
    try:
        return msgspec.json.decode(raw)
    except UNREADABLE as error:
        raise refuse(where, f"is not JSON: {error}", "invalid_json") from error


def _decode_blocks(raw: Raw, where: str) -> list[dict[str, Raw]]:
    try:
        return msgspec.json.decode(raw, type=list[dict[str, Raw]])
    except UNREADABLE as error:
        raise refuse(where, f"must be a list of blocks: {error}") from error
