"""A made-up Exchange codec, driven by the text runner: nothing of the runner is particular to one protocol."""

from __future__ import annotations

from typing import Any, ClassVar

import msgspec
import pytest
from aiohttp import web

from betterai.core.codec import TextCall
from betterai.core.config import CoreConfig, Retries
from betterai.core.exceptions import ProviderError, RateLimitError, StreamInterrupted, ValidationError
from betterai.core.media import Media
from betterai.core.message import Message, Text
from betterai.core.model import ModelConfig
from betterai.core.provider import NoAuth, Provider
from betterai.core.response import CallWarning, ProviderResponse, TextChunk
from betterai.core.settings import GenerationSettings
from betterai.core.usage import Usage
from betterai.core.wire import Event, WireRequest, WireResponse
from betterai.runtime.media.loading import find_media
from betterai.runtime.text import CodecTextProvider
from shapes.server import serve


class WordState:
    """One NDJSON line a word; a line with only a dot is the end."""

    def __init__(self) -> None:
        self.done = self.ending = False
        self.words: list[str] = []

    def parse_event(self, event: Event) -> list[TextChunk]:
        word = msgspec.json.decode(event.data)
        if word == ".":
            self.done = True
            return [TextChunk(part=Text(text=" ".join(self.words))), TextChunk(finish_reason="stop")]
        self.words.append(word)
        return [TextChunk(content=word)]

    def finish(self) -> list[TextChunk]:
        if not self.done:
            raise StreamInterrupted("no dot")
        return [TextChunk(usage=Usage(text_out=len(self.words)))]


class WordCodec:
    """Asks with the text itself; may need a second hop, marked by a 200 that says "more"."""

    protocol = "words"
    accepts: ClassVar[dict[str, frozenset[str]]] = {}

    def build_request(self, call: TextCall) -> WireRequest:
        warning = CallWarning(code="dropped", field="seed", message="words have no seed")
        text = call.input[-1].text
        return WireRequest(
            url="/ask", body={"text": text}, reply="ndjson" if call.stream else "json", warnings=(warning,)
        )

    def parse_response(self, call: TextCall, reply: WireResponse) -> ProviderResponse | WireRequest:
        body = msgspec.json.decode(reply.content)
        if body == "more":
            return WireRequest(url="/more", body={"id": call.id})
        return ProviderResponse(content=body, message=Message.assistant(body), usage=Usage(text_in=1, text_out=2))

    def parse_error(self, reply: WireResponse) -> ProviderError:
        return RateLimitError("slow down", status=reply.status, provider_message=reply.content.decode())

    def open_stream(self, call: TextCall) -> WordState:
        return WordState()


def make_provider(url: str, retries: int = 2) -> CodecTextProvider:
    model = ModelConfig(id="w", provider="fake")
    config = CoreConfig(base_url=url, retries=Retries(attempts=retries + 1, base=0.001))
    return CodecTextProvider(Provider(name="fake", base_url=url, auth=NoAuth()), WordCodec(), config, model)


async def test_whole_answers_retry_hop_and_carry_warnings() -> None:
    seen: list[tuple[str, Any]] = []

    async def handler(request: web.Request) -> web.StreamResponse:
        seen.append((request.path, await request.json()))
        if len(seen) == 1:
            return web.Response(status=429, text="wait")
        return web.json_response("more" if len(seen) == 2 else "two words")

    async with serve(handler) as url:
        response = await make_provider(url).generate("hello", "w", GenerationSettings(seed=1))
    assert [path for path, _ in seen] == ["/ask", "/ask", "/more"]
    assert len(seen[2][1]["id"]) == 32
    assert response.content == "two words"
    assert [warning.field for warning in response.warnings] == ["seed"]
    assert response.timing is not None
    assert [attempt.error for attempt in response.timing.attempts] == ["RateLimitError", "", ""]
    assert response.cost is not None
    assert response.cost.status == "unknown"


async def test_streams_in_another_framing() -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        reply = web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})
        await reply.prepare(request)
        await reply.write(b'"a"\n"b"\n"."\n"never read"\n')
        return reply

    async with serve(handler) as url:
        chunks = [chunk async for chunk in make_provider(url).generate_stream("hello", "w", GenerationSettings())]
    assert [chunk.content for chunk in chunks if chunk.content] == ["a", "b"]
    last = chunks[-1].response
    assert last is not None
    assert (last.content, last.finish_reason, last.tokens_used) == ("a b", "stop", 2)
    assert [chunk.response for chunk in chunks[:-1]] == [None] * (len(chunks) - 1)


class SmallCodec(WordCodec):
    """Takes pictures, and no more than two million bytes in a request."""

    accepts: ClassVar[dict[str, frozenset[str]]] = {"image": frozenset({"bytes"})}
    max_body_bytes = 2_000_000

    def build_request(self, call: TextCall) -> WireRequest:
        [media] = find_media(call.input)
        return WireRequest(url="/ask", body={"text": media.to_base64()})


async def test_what_is_larger_than_the_provider_takes_is_not_sent() -> None:
    model, files = ModelConfig(id="w", provider="fake"), {"files": {"files": object()}}
    for protocols, hint in ((files, "betterai.files.upload"), ({}, "send less")):
        declared = Provider(name="fake", base_url="http://127.0.0.1:9", auth=NoAuth(), protocols=protocols)
        provider = CodecTextProvider(declared, SmallCodec(), CoreConfig(), model)
        question = Message.user("?", Media(kind="image", mime_type="image/png", data=bytes(1_600_000)))
        for ask in (provider.generate(question, "w"), anext(provider.generate_stream(question, "w"))):
            with pytest.raises(ValidationError, match="takes at most 2000000") as caught:
                await ask
            assert hint in caught.value.hint
