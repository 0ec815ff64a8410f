"""What makes two calls the same: a SHA-256 of the model, the messages and the settings that shape an answer."""

from __future__ import annotations

from asyncio import to_thread
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec.structs import replace

from betterai.core.exceptions import BetterAIError
from betterai.core.media import Media
from betterai.core.message import MediaPart, Message, ToolResult
from betterai.core.settings import GenerationSettings
from betterai.core.tools import AnyTool, Tool
from betterai.runtime.connection import SECRET_NAME
from betterai.runtime.media.loading import find_media, media_sizes
from betterai.runtime.middleware.base import Middleware, ProviderCall

if TYPE_CHECKING:
    from betterai.runtime.router.routes import Lane

VERSION = b"betterai-1"
"""Of the encoding: what another one has stored is never found."""
LEFT_OUT = frozenset(
    {"cache", "metadata", "safety_identifier", "service_tier", "spelling", "stream_options", "user"}
)  # fmt: skip
"""They say who asks and how it is billed, and do not shape the answer."""
_LARGE = 1 << 20
"""From how many bytes of media on they are read in a thread."""
_encode = msgspec.json.Encoder().encode
_encode_unordered = msgspec.json.Encoder(order="deterministic").encode


async def make_key(identity: str, call: ProviderCall, settings: GenerationSettings) -> bytes | None:
    """The key of a call, with its settings prepared (`prepare_settings`); None where it has none."""
    try:
        media = find_media(call.messages)
        if any(item.form == "path" for item in media) or media_sizes(call.messages) > _LARGE:
            return await to_thread(_make_key, identity, call, settings)
        return _make_key(identity, call, settings)
    except (TypeError, ValueError, OSError, OverflowError, RecursionError):
        return None


def _make_key(identity: str, call: ProviderCall, settings: GenerationSettings) -> bytes:
    messages = [_without_media(message) for message in call.messages]
    whole = (identity, call.model, messages, _describe(settings.given()))
    return sha256(VERSION + _encode(whole)).digest()


def _describe(given: Mapping[str, Any]) -> list[Any]:
    """Settings by name, with their types. In schemas the order of keys is kept, as it guides the answer."""
    described = []
    for name in sorted(given.keys() - LEFT_OUT):
        value = given[name]
        if name == "tools":
            value = [_describe_tool(tool) for tool in value or ()] if value is not None else None
        elif name in ("extra_headers", "extra_query"):
            value = {key: item for key, item in sorted((value or {}).items()) if not SECRET_NAME.search(key)}
        elif name != "response_format":
            value = msgspec.Raw(_encode_unordered(value))
        described.append((name, type(given[name]).__name__, value))
    return described


def _describe_tool(tool: AnyTool) -> Any:
    """A tool without the function that it runs."""
    if isinstance(tool, Tool):
        return "Tool", tool.name, tool.description, tool.parameters, tool.strict, tool.opaque
    return type(tool).__name__, tool


def _without_media(message: Message) -> Message:
    if not any(isinstance(part, MediaPart | ToolResult) for part in message.parts):
        return message
    return replace(message, parts=tuple([_digest_part(part) for part in message.parts]))


def _digest_part(part: Any) -> Any:
    if isinstance(part, ToolResult):
        return replace(part, parts=tuple([_digest_part(item) for item in part.parts]))
    return replace(part, media=_digest(part.media)) if isinstance(part, MediaPart) else part


def _digest(media: Media) -> Media:
    """Media with the digest of their bytes in their place; a URL, or a file kept at a provider, is its name."""
    if media.path is not None:
        content = Path(media.path).read_bytes()
    elif media.form == "bytes":
        content = media.to_bytes()
    else:
        return media
    return replace(media, data=sha256(content).digest(), base64=None, path=None)


def identify(provider: Any, id: str = "") -> str:
    """What distinguishes a provider from others in one store: whom it asks, where, and over what."""
    if isinstance(provider, Middleware):
        return f"{_name(provider)}({identify(*provider._find_target())})"
    if (lanes := getattr(provider, "lanes", None)) is not None:
        return f"{_name(provider)}({','.join(_identify_lane(lane) for lane in lanes)})"
    connection, model = getattr(provider, "connection", None), getattr(provider, "model", None)
    key = getattr(model, "key", "")
    if connection is None:
        return f"{_name(getattr(provider, 'inner', provider))}:{key}:{id}"
    protocol = getattr(getattr(provider, "codec", None), "protocol", "")
    config = connection.config
    try:
        where = connection.endpoint().base_url
    except BetterAIError:
        where = ""
    return f"{key}:{id}:{where}:{protocol}:{config.unsupported}:{config.hops}"


def _identify_lane(lane: Lane) -> str:
    """A target of a router; one that cannot be reached now is told by what it is called."""
    route = lane.routes[0]
    try:
        found = identify(route.open(), route.model)
    except BetterAIError:
        found = str(lane.target)
    return f"{found}:{lane.target.settings!r}"


def _name(provider: object) -> str:
    return f"{type(provider).__module__}.{type(provider).__qualname__}"
