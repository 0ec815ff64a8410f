"""S5: what comes before the first content of a stream is not shown, and a failure until then is tried again unseen."""

from __future__ import annotations

import json
from typing import Any

import pytest
from aiohttp import web

from betterai.core.config import CoreConfig, Timeout
from betterai.core.exceptions import BetterAIError, OverloadedError, ProviderError, StreamInterrupted
from betterai.core.response import TextChunk
from betterai.core.usage import Usage
from betterai.core.wire import Event
from betterai.providers.cohere.chat import CohereChat
from betterai.providers.ollama.native import OllamaNative
from betterai.runtime.gatherer import holds_content
from betterai.runtime.text import CodecTextProvider
from betterai.wire.anthropic_messages import AnthropicMessages
from betterai.wire.bedrock_converse import BedrockConverse
from betterai.wire.framing import open_framer
from betterai.wire.gemini import Gemini
from betterai.wire.openai_chat import OpenAIChat
from betterai.wire.openai_chat.stream import ChatStream
from betterai.wire.openai_responses import OpenAIResponses
from betterai.wire.surfaces import SURFACES
from contract.answers import CHUNKS, WHOLE, call_of
from contract.cases import Case
from runtime.providers import HELLO, KEY, MODEL, PROVIDER, FakeTime, ask, connect
from runtime.upstream import Behaviour, Ending, Upstream, answer, completion, delta, reply, stream, streamed

CODECS: dict[str, Any] = {
    codec.protocol: codec
    for codec in (OpenAIChat(), OpenAIResponses(), AnthropicMessages(), Gemini(), BedrockConverse())
}
COHERE = [
    {"type": "message-start", "id": "c-1", "delta": {"message": {"role": "assistant", "content": []}}},
    {"type": "content-start", "index": 0, "delta": {"message": {"content": {"type": "text", "text": ""}}}},
    {"type": "content-delta", "index": 0, "delta": {"message": {"content": {"text": "Hello"}}}},
    {"type": "content-end", "index": 0},
    {"type": "message-end", "delta": {"finish_reason": "COMPLETE"}},
]
OLLAMA = [
    {"model": "m-1", "message": {"role": "assistant", "content": ""}, "done": False},
    {"model": "m-1", "message": {"role": "assistant", "content": "Hello"}, "done": False},
    {"model": "m-1", "message": {"role": "assistant", "content": ""}, "done": True, "done_reason": "stop"},
]
OWN = {  # protocols without a server half
    "cohere": (CohereChat(), b"".join(b"data: " + json.dumps(item).encode() + b"\n\n" for item in COHERE)),
    "ollama": (OllamaNative(), b"".join(json.dumps(item).encode() + b"\n" for item in OLLAMA)),
}
PINGS = {
    "anthropic_messages": b'event: ping\ndata: {"type": "ping"}\n\n',
    "openai_chat": b": OPENROUTER PROCESSING\n\n",
}
NAMES = [*CODECS, *OWN]


def provider_of(name: str, url: str, time: FakeTime | None = None, **config: Any) -> CodecTextProvider:
    codec = CODECS[name] if name in CODECS else OWN[name][0]
    given = CoreConfig(base_url=url, api_key=KEY, **config)
    return CodecTextProvider(PROVIDER, codec, given, MODEL, clock=(time or FakeTime()).clock)


def write(name: str, *items: TextChunk | Exception | None) -> bytes:
    """A stream as the server half of the protocol writes it."""
    surface, call, state = SURFACES[name](), call_of(Case(PROVIDER, "text", name, CODECS[name])), dict[str, Any]()
    return b"".join(surface.build_event(call, item, state) for item in items)


def whole_of(name: str) -> bytes:
    return write(name, *CHUNKS, None) if name in CODECS else OWN[name][1]


def begin_of(name: str) -> bytes:
    """As much of a stream as there is before its first content, and the beginning of the event that holds it."""
    codec = CODECS[name] if name in CODECS else OWN[name][0]
    written = whole_of(name)
    call: Any = call_of(Case(PROVIDER, "text", codec.protocol, codec))
    state, framer = codec.open_stream(call), open_framer(codec.build_request(call).reply)
    for cut in range(len(written)):
        for item in framer.feed(written[cut : cut + 1]):
            if any(map(holds_content, state.parse_event(item))):
                return PINGS.get(name, b"") + written[: cut - 3]
    raise AssertionError("there is no content")


def play(name: str, written: bytes, ending: Ending = "clean") -> Behaviour:
    kinds = {"bedrock_converse": "application/vnd.amazon.eventstream", "ollama": "application/x-ndjson"}
    return stream([written], ending, {"Content-Type": kinds.get(name, "text/event-stream")})


async def chunks_of(provider: CodecTextProvider) -> list[TextChunk]:
    return [chunk async for chunk in provider.generate_stream(HELLO)]


@pytest.mark.parametrize("name", NAMES)
async def test_s5_a_stream_that_ends_before_its_content_is_tried_again_unseen(name: str) -> None:
    begun, whole = begin_of(name), whole_of(name)
    with Upstream(play(name, begun), play(name, begun, "abort"), play(name, b""), play(name, whole)) as upstream:
        chunks = await chunks_of(provider_of(name, upstream.url, retries=3))
    response = chunks[-1].response
    assert response is not None
    assert response.timing is not None
    assert "".join(chunk.content for chunk in chunks) == response.content == "Hello"
    errors = [attempt.error for attempt in response.timing.attempts]
    assert errors == ["StreamInterrupted", "APIConnectionError", "StreamInterrupted", ""]


@pytest.mark.parametrize("name", NAMES)
async def test_s5_a_stream_that_stalls_before_its_content_is_tried_again_unseen(name: str) -> None:
    begun, whole = begin_of(name), whole_of(name)
    with Upstream(play(name, begun, "hold"), play(name, whole)) as upstream:
        response = await ask(provider_of(name, upstream.url, timeout=Timeout(idle=0.1)), streaming=True)
        await upstream.until(lambda: upstream.left == 1)
    assert response.content == "Hello"
    assert response.timing is not None
    assert [attempt.error for attempt in response.timing.attempts] == ["IdleTimeout", ""]


@pytest.mark.parametrize("name", CODECS)
async def test_s5_an_error_inside_a_stream_is_tried_again_until_there_was_content(name: str) -> None:
    early = write(name, OverloadedError("busy", status=503), None)
    late = write(name, CHUNKS[0], OverloadedError("busy", status=503), None)
    with Upstream(play(name, early), play(name, whole_of(name))) as upstream:
        response = await ask(provider_of(name, upstream.url), streaming=True)
    assert response.content == "Hello"
    with Upstream(play(name, late), play(name, whole_of(name))) as upstream:
        with pytest.raises(ProviderError) as caught:
            await ask(provider_of(name, upstream.url), streaming=True)
        assert len(upstream.requests) == 1
    assert type(caught.value) in (OverloadedError, ProviderError)


class Talkative(ChatStream):
    """Tells who answers, and what it costs, before it says anything."""

    told = False

    def parse_event(self, event: Event) -> list[TextChunk]:
        early = [] if self.told else [TextChunk(model="m-1", id="chat-1"), TextChunk(usage=Usage(text_in=7))]
        self.told = True
        return [*early, *super().parse_event(event)]


class TalkativeChat(OpenAIChat):
    def open_stream(self, call: Any) -> ChatStream:
        return Talkative(self, call)


async def test_s5_who_answers_is_held_back_until_there_is_content() -> None:
    with Upstream(stream([delta(role="assistant")], "abort"), stream(streamed())) as upstream:
        provider = connect(upstream.url)
        provider.codec = TalkativeChat()
        chunks = await chunks_of(provider)
        assert len(upstream.requests) == 2
    assert [(chunk.model, chunk.content) for chunk in chunks][:3] == [("m-1", ""), ("m-1", "Hel"), ("", "lo")]
    assert [chunk.id for chunk in chunks].count("chat-1") == 2, "once by itself, once with the first content"
    assert "".join(chunk.content for chunk in chunks) == "Hello"


async def test_s5_what_was_held_back_is_shown_where_no_content_comes_at_all() -> None:
    with Upstream(stream(streamed(()))) as upstream:
        provider = connect(upstream.url)
        provider.codec = TalkativeChat()
        chunks = await chunks_of(provider)
    assert chunks[0].id == "chat-1"
    assert chunks[-1].response is not None
    assert chunks[-1].response.finish_reason == "stop"


async def test_s5_an_event_that_is_not_readable_is_tried_again_before_content_only() -> None:
    garbled = b'data: {"id": "chat-1", "choices": [{]}\n\n'
    with Upstream(stream([garbled]), stream(streamed())) as upstream:
        assert (await ask(connect(upstream.url), streaming=True)).content == "Hello"
    with Upstream(stream([delta("Hel"), garbled]), stream(streamed())) as upstream:
        with pytest.raises(ProviderError) as caught:
            await ask(connect(upstream.url), streaming=True)
        assert len(upstream.requests) == 1
    assert caught.value.code == "unreadable_event"


@pytest.mark.parametrize("tries", [1, 3])
async def test_s4_a_stream_that_never_has_content_is_an_interruption_in_the_end(tries: int) -> None:
    with Upstream(stream([delta(role="assistant")])) as upstream:
        with pytest.raises(StreamInterrupted) as caught:
            await ask(connect(upstream.url, retries=tries - 1), streaming=True)
        assert len(upstream.requests) == tries
    assert len(caught.value.attempts) == tries
    assert caught.value.retryable


def cut_body(kept: int) -> bytes:
    return json.dumps(completion("Hello")).encode()[:kept]


@pytest.mark.parametrize("kept", [0, 1, 40, -1])
@pytest.mark.parametrize("streaming", [False, True], ids=["whole", "stream"])
async def test_s4_a_whole_answer_that_was_cut_is_tried_again(kept: int, streaming: bool) -> None:
    with Upstream(reply(200, cut_body(kept)), answer()) as upstream:
        response = await ask(connect(upstream.url), streaming=streaming)
        assert len(upstream.requests) == 2
    assert response.content == "Hello"
    assert response.timing is not None
    assert [attempt.status for attempt in response.timing.attempts] == [200, 200]


@pytest.mark.parametrize("name", CODECS)
async def test_s4_a_whole_answer_that_was_cut_anywhere_is_never_taken_for_one(name: str) -> None:
    codec = CODECS[name]
    case = Case(PROVIDER, "text", name, codec)
    call = call_of(case)
    built = SURFACES[name]().build_response(call, WHOLE)
    for cut in range(len(built.content)):
        with pytest.raises(BetterAIError) as caught:
            codec.parse_response(call, type(built)(status=200, headers=built.headers, body=built.content[:cut]))
        assert caught.value.retryable, cut


@pytest.mark.parametrize("body", [b"<html>Welcome to our network</html>", b"null", b"{}", b'{"choices": []}'])
async def test_s4_a_whole_body_that_is_no_answer_is_not_asked_for_again(body: bytes) -> None:
    with Upstream(reply(200, body)) as upstream:
        with pytest.raises(ProviderError):
            await connect(upstream.url).generate(HELLO)
        assert len(upstream.requests) == 1


async def test_s4_a_body_that_is_torn_off_is_tried_again() -> None:
    async def tear(request: Any) -> Any:
        response = web.StreamResponse(headers={"Content-Type": "application/json", "Content-Length": "500"})
        await response.prepare(request)
        await response.write(cut_body(40))
        request.transport.abort()
        return response

    with Upstream(tear, answer()) as upstream:
        response = await ask(connect(upstream.url))
    assert response.timing is not None
    assert [attempt.error for attempt in response.timing.attempts] == ["APIConnectionError", ""]
