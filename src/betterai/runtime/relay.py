"""Passing bytes through, where both sides speak the same protocol: no translation, the usage read on the way."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import TYPE_CHECKING

import msgspec

from betterai.core.codec import TextExchange, TextSurface
from betterai.core.exceptions import ConfigurationError
from betterai.core.message import Message
from betterai.core.price import price_usage
from betterai.core.settings import GenerationSettings
from betterai.core.usage import Cost, Usage
from betterai.core.wire import Call, WireRequest
from betterai.runtime.text import CodecTextProvider
from betterai.wire.framing import open_framer
from betterai.wire.surfaces import SURFACES

if TYPE_CHECKING:
    from betterai.transport.http import Reply

HOP_HEADERS = frozenset(
    {"connection", "keep-alive", "transfer-encoding", "content-length", "content-encoding", "set-cookie", "server"}
)


class Relayed:
    """An upstream's reply on its way through. `usage` and `cost` are known once `pieces` has ended."""

    def __init__(self, reply: Reply, surface: TextSurface, provider: CodecTextProvider) -> None:
        self.status = reply.status
        self.headers: Mapping[str, str] = {k: v for k, v in reply.headers.items() if k not in HOP_HEADERS}
        self.usage: Usage | None = None
        self._reply = reply
        self._surface = surface
        self._provider = provider

    async def pieces(self) -> AsyncIterator[bytes]:
        """The body's bytes as they come. Leaving early closes the upstream."""
        streamed = self.headers.get("content-type", "").startswith("text/event-stream")
        framer, whole = (open_framer("sse"), None) if streamed else (None, bytearray())
        try:
            while piece := await self._reply.next_piece():
                if framer is not None:
                    for event in framer.feed(piece):
                        self.usage = _later(self.usage, self._surface.read_usage(event.data))
                elif whole is not None:
                    whole += piece
                yield piece
            if whole:
                self.usage = self._surface.read_usage(bytes(whole))
        finally:
            self._reply.close()

    @property
    def cost(self) -> Cost:
        return price_usage(self.usage, self._provider.model.price)


def _find_codec(provider: CodecTextProvider, protocol: str) -> TextExchange:
    """The provider's codec of a protocol: of all that the vendor speaks, where the caller has not chosen one."""
    spoken: dict[str, TextExchange] = {provider.codec.protocol: provider.codec}
    if not provider.connection.config.protocol:
        spoken = {**provider.provider.protocols["text"], **spoken}
    if protocol not in spoken:
        raise ConfigurationError(f"{provider.provider.name} speaks {', '.join(spoken)}, not {protocol}")
    return spoken[protocol]


def _without(ours: Mapping[str, str], theirs: Mapping[str, str]) -> dict[str, str]:
    named = {name.lower() for name in theirs}
    return {name: value for name, value in ours.items() if name.lower() not in named}


def _name_in(built: WireRequest) -> str | None:
    """What the codec calls the model in its body; None where it names it in the URL alone."""
    name = built.body.get("model") if isinstance(built.body, Mapping) else getattr(built.body, "model", None)
    return name if isinstance(name, str) else None


def _later(known: Usage | None, more: Usage | None) -> Usage | None:
    """The counts of a stream are totals; some state the input at the beginning only."""
    if known is None or more is None or more.input_tokens:
        return more or known
    kept = ("text_in", "audio_in", "image_in", "video_in", "cached", "cache_write")
    return msgspec.structs.replace(more, **{name: getattr(known, name) for name in kept})


async def relay(
    provider: CodecTextProvider, protocol: str, body: bytes, *, stream: bool = False, headers: Mapping[str, str] = {}
) -> Relayed:
    """Send a request of `protocol` as it is, for the provider's model. Raises `BetterAIError`. `stream` matters to
    protocols that say it in the URL. `headers` are those of the client that belong to the protocol, such as the version
    that the body is written in: they stand for the codec's own.

    Only for providers that speak the same protocol; others need translation: parse it, and call the provider.
    """
    codec = _find_codec(provider, protocol)
    surface = SURFACES[protocol]()
    connection = provider.connection
    call: Call[tuple[Message, ...], GenerationSettings] = Call(
        model=provider.model,
        input=(),
        settings=GenerationSettings(),
        stream=stream,
        provider_settings=connection.codec_settings(),
    )
    built = codec.build_request(call)
    request = WireRequest(
        url=built.url,
        query=built.query,
        headers={**_without(built.headers, headers), **headers, "Content-Type": "application/json"},
        body=surface.rewrite(body, _name_in(built)),
        reply="bytes",
    )
    reply = await connection.transport.open(request, connection.endpoint(), connection.timeout)
    return Relayed(reply, surface, provider)
