"""Categories over a WebSocket: what is given goes out as it comes, what is made comes in meanwhile."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web

import betterai
from betterai import (
    AddMessages,
    AudioFormat,
    CoreConfig,
    Media,
    Message,
    OutputText,
    Speech,
    SpeechChunk,
    Transcript,
    TranscriptChunk,
    UpdateSession,
    Word,
)
from betterai.core.exceptions import AuthenticationError, ProviderError, StreamInterrupted
from betterai.core.provider import BearerAuth, Provider, Setting
from betterai.core.wire import WireRequest, WireResponse
from betterai.runtime.factory import find_provider
from betterai.transport.http import HTTPTransport, SessionOptions
from betterai.wire.openai_speech import OpenAISpeech
from doubles.servers import Peer, raw_server
from shapes.server import serve


class Session:
    """Speaks JSON: {"say": …}, then {"end": true}; bytes are sound."""

    def __init__(self, kind: str) -> None:
        self.done = False
        self.kind = kind
        self.heard = b""
        self.warnings: list[Any] = []

    def send(self, item: Any) -> list[bytes | str]:
        if isinstance(item, AddMessages):
            return [json.dumps({"say": item.messages[0].text})]
        if isinstance(item, UpdateSession):
            return []
        if item is None:
            return [json.dumps({"end": True})]
        return [item] if isinstance(item, bytes) else [json.dumps({"say": item})]

    def receive(self, frame: bytes | str) -> tuple[list[Any], list[bytes | str]]:
        if isinstance(frame, bytes):
            self.heard += frame
            return [SpeechChunk(audio=frame)], []
        event = json.loads(frame)
        if "error" in event:
            raise ProviderError(event["error"])
        self.done = bool(event.get("end"))
        return self.read(event), []

    def read(self, event: dict[str, Any]) -> list[Any]:
        if self.kind == "realtime":
            return [] if self.done else [OutputText(text=event["say"])]
        if self.kind == "audio":
            words = (Word(text=event["say"], start=0.0, end=1.0),)
            piece = TranscriptChunk(text=event["say"], final=True, words=words)
            whole = TranscriptChunk(response=Transcript(text=event["say"], words=words))
            return [piece, whole] if self.done else [TranscriptChunk(text=event["say"])]
        return [SpeechChunk(response=Speech(audio=Media(kind="audio", data=self.heard)))] if self.done else []


class LiveCodec:
    def __init__(self, kind: str) -> None:
        self.protocol, self.kind = f"live_{kind}", kind

    def connect(self, call: Any) -> WireRequest:
        return WireRequest(url="/talk", method="GET", query={"kind": self.kind, "model": call.model.id})

    def parse_error(self, reply: WireResponse) -> ProviderError:
        return AuthenticationError("no", status=reply.status)

    def open(self, call: Any) -> Session:
        return Session(self.kind)

    def input_formats(self, call: Any) -> tuple[AudioFormat, ...]:
        return (AudioFormat(),)

    output_formats = input_formats


async def talk(request: web.Request) -> web.StreamResponse:
    """Answers each piece as it comes: texts with sound, sound with texts."""
    if request.path.endswith("/audio/speech"):
        return web.Response(body=b"over http", content_type="audio/mpeg")
    if request.headers.get("Authorization") != "Bearer test-key":
        return web.Response(status=401)
    socket, kind, heard = web.WebSocketResponse(), request.query["kind"], 0
    await socket.prepare(request)
    async for message in socket:
        if isinstance(message.data, bytes):
            heard += len(message.data)
            await socket.send_json({"say": f"{heard} bytes"})
        elif "end" in (said := json.loads(message.data)):
            await socket.send_json({"end": True, "say": f"{heard} bytes in all"})
        elif said["say"] == "break":
            break
        elif said["say"] == "fail":
            await socket.send_json({"error": "it failed for test-key"})
        elif kind == "tts":
            await socket.send_bytes(said["say"].upper().encode())
        else:
            await socket.send_json({"say": said["say"] + "!"})
    await socket.close()
    return socket


@pytest.fixture(autouse=True)
def _vendor() -> None:
    protocols = {
        "tts": {"openai_speech": OpenAISpeech(), "live_tts": LiveCodec("tts")}, "audio": {"live_audio": LiveCodec("audio")},
        "realtime": {"live_realtime": LiveCodec("realtime")},
    }  # fmt: skip
    declared = Provider(
        name="talker", base_url="{base_url}", auth=BearerAuth(), protocols=protocols,
        settings=(Setting(name="api_key", secret=True, required=False), Setting(name="base_url", required=False)),
    )  # fmt: skip
    betterai.register_tts_provider("talker", declared, replace=True)


def at(url: str, **fields: Any) -> CoreConfig:
    return CoreConfig(**{"base_url": url, "api_key": "test-key", "retries": 0, **fields})


async def pieces(*texts: Any) -> AsyncIterator[Any]:
    for text in texts:
        yield text


async def test_a_text_that_is_still_coming_is_spoken_in_one_session() -> None:
    async with serve(talk) as url:
        chunks = [chunk async for chunk in betterai.stream_speech("talker/m", pieces("one ", "two"), config=at(url))]
    assert [chunk.audio for chunk in chunks] == [b"ONE ", b"TWO", b""]
    speech = chunks[-1].response
    assert speech is not None
    assert speech.audio.to_bytes() == b"ONE TWO"
    assert (speech.provider, speech.model) == ("talker", "m")
    assert speech.timing is not None


async def test_a_streamed_answer_is_spoken_as_it_comes() -> None:
    said = await betterai.generate("local/eliza", "I feel fine")
    async with serve(talk) as url:
        for over in ("live_tts", "openai_speech"):
            answer = betterai.stream("local/eliza", "I feel fine")
            stream = betterai.stream_speech("talker/m", answer, config=at(url, protocol=over))
            sound = b"".join([chunk.audio async for chunk in stream])
            assert sound == said.content.upper().encode() if over == "live_tts" else b"over http" in sound
        provider = find_provider("tts", at(url, model="talker/m"))[0]
        direct = provider.synthesize_stream(betterai.stream("local/eliza", "I feel fine"))
        assert b"".join([chunk.audio async for chunk in direct]) == said.content.upper().encode()


async def test_a_whole_text_is_spoken_as_the_call_or_the_provider_chooses() -> None:
    async with serve(talk) as url:
        assert (await betterai.speak("talker/m", "one", config=at(url))).audio.to_bytes() == b"over http"
        live = await betterai.speak("talker/m", "one", config=at(url, protocol="live_tts"))
        over = at(url, protocol="openai_speech")
        by_sentence = [
            chunk async for chunk in betterai.stream_speech("talker/m", pieces("One. ", "Two."), config=over)
        ]
    assert live.audio.to_bytes() == b"ONE"
    assert b"".join(chunk.audio for chunk in by_sentence) == b"over http" * 2


async def test_sound_goes_out_as_it_comes_and_text_comes_in_between() -> None:
    async with serve(talk) as url:
        chunks = [
            chunk async for chunk in betterai.stream_transcription("talker/m", pieces(b"abc", b"de"), config=at(url))
        ]
        whole = await betterai.transcribe("talker/m", b"x" * 40_000, config=at(url))
    assert [(chunk.text, chunk.final) for chunk in chunks] == [
        ("3 bytes", False), ("5 bytes", False), ("5 bytes in all", True), ("", True),
    ]  # fmt: skip
    assert chunks[-1].response is not None
    assert chunks[-1].response.words is not None
    assert whole.text == "40000 bytes in all"


async def test_a_realtime_session_is_opened_and_closed() -> None:
    async with serve(talk) as url:
        provider = betterai.get_realtime_provider(at(url, model="talker/m"))
        async with await provider.connect("", betterai.RealtimeSettings()) as session:
            await session.send(AddMessages(messages=(Message.user("hi"),)))
            async for event in session:
                assert isinstance(event, OutputText)
                assert event.text == "hi!"
                break


async def test_what_the_source_raises_ends_the_session_and_is_raised() -> None:
    async def broken() -> AsyncIterator[str]:
        yield "one"
        raise KeyError("from the source")

    async with serve(talk) as url:
        with pytest.raises(KeyError, match="from the source"):
            [chunk async for chunk in betterai.stream_speech("talker/m", broken(), config=at(url))]


async def test_errors_of_a_session_say_whom_it_was_with_and_show_no_key() -> None:
    async with serve(talk) as url:
        with pytest.raises(StreamInterrupted) as broke:
            [chunk async for chunk in betterai.stream_speech("talker/m", pieces("break"), config=at(url))]
        with pytest.raises(ProviderError, match="it failed") as failed:
            [chunk async for chunk in betterai.stream_speech("talker/m", pieces("fail"), config=at(url))]
        with pytest.raises(AuthenticationError) as refused:
            [chunk async for chunk in betterai.stream_speech("talker/m", pieces("a"), config=at(url, api_key="other"))]
    for caught in (broke, failed, refused):
        assert (caught.value.provider, caught.value.model) == ("talker", "m")
        assert "test-key" not in str(caught.value)


@pytest.mark.parametrize("deaf", [False, True], ids=["silent", "deaf"])
async def test_j3_whoever_stops_answering_is_found_out_by_pings(deaf: bool) -> None:
    """Silent: it takes what comes, and says nothing any more. Deaf: it does not even take it."""
    assert SessionOptions().heartbeat * 1.5 <= 10

    async def say_one_thing(peer: Peer) -> None:
        await peer.accept_websocket()
        said = json.dumps({"say": "one"}).encode()
        peer.write(bytes([0x81, len(said)]) + said)
        if deaf:
            peer.transport.pause_reading()
        await asyncio.Event().wait()

    async def sound() -> AsyncIterator[bytes]:
        while deaf:
            yield b"x" * 1_000_000
        await asyncio.Event().wait()
        yield b""

    transport = HTTPTransport(SessionOptions(heartbeat=0.1))
    async with raw_server(say_one_thing) as server:
        config = at(server.url, model="talker/m")
        provider = find_provider("audio", config, transport=lambda: transport)[0]
        with pytest.raises(StreamInterrupted, match="no answer to a ping") as caught:
            async with asyncio.timeout(10):
                [chunk async for chunk in provider.transcribe_stream(sound())]
        await transport.aclose()
    assert isinstance(caught.value.partial, Transcript)
    assert (caught.value.provider, caught.value.model) == ("talker", "m")


async def test_an_error_of_the_source_is_not_taken_for_ours() -> None:
    async def broken() -> AsyncIterator[str]:
        yield "one"
        raise StreamInterrupted("the text broke", provider="elsewhere", attempts=())

    async with serve(talk) as url:
        with pytest.raises(StreamInterrupted, match="the text broke") as caught:
            [chunk async for chunk in betterai.stream_speech("talker/m", broken(), config=at(url))]
    assert (caught.value.provider, caught.value.partial) == ("elsewhere", None)


async def test_what_the_other_side_said_before_it_went_is_told_though_sending_failed() -> None:
    """It says an error and closes while we still send: the error is what counts, not that nobody listens any more."""
    ended = asyncio.Event()

    async def refuse(request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.receive()
        await socket.send_json({"error": "the account is empty"})
        await socket.close()
        ended.set()
        return socket

    async def words() -> AsyncIterator[str]:
        yield "one"
        await ended.wait()
        for _ in range(100):
            yield "more"

    async with serve(refuse) as url:
        with pytest.raises(ProviderError, match="the account is empty"):
            [chunk async for chunk in betterai.stream_speech("talker/m", words(), config=at(url))]


async def test_s4_a_reset_that_sending_meets_first_is_an_interruption_that_gives_what_came() -> None:
    """Nobody reads while the connection is reset: it shows when the next piece is to be sent."""
    reset, sent = asyncio.Event(), 0

    async def say_one_thing(peer: Peer) -> None:
        await peer.accept_websocket()
        said = json.dumps({"say": "one"}).encode()
        peer.write(bytes([0x81, len(said)]) + said)
        await reset.wait()
        peer.reset()

    async def sound() -> AsyncIterator[bytes]:
        nonlocal sent
        await reset.wait()
        for _ in range(10_000):
            sent += 1
            yield b"more"
            await asyncio.sleep(0)

    async with raw_server(say_one_thing) as server:
        pieces = betterai.stream_transcription("talker/m", sound(), config=at(server.url))
        assert (await anext(pieces)).text == "one"
        reset.set()
        before = -1
        while before != sent:  # until sending has failed, or all is sent
            before = sent
            for _ in range(10):
                await asyncio.sleep(0)
        assert 0 < sent < 10_000
        with pytest.raises(StreamInterrupted, match="session broke") as caught:
            await anext(pieces)
    assert isinstance(caught.value.partial, Transcript)


async def test_a_session_that_broke_is_told_of_to_whoever_listens() -> None:
    told: list[Any] = []
    async with serve(talk) as url, betterai.Client(at(url), on_event=told.append) as client:
        with pytest.raises(StreamInterrupted) as caught:
            [chunk async for chunk in client.stream_speech("talker/m", pieces("one ", "break"))]
        assert [chunk async for chunk in client.stream_speech("talker/m", pieces("one "))]
    assert isinstance(caught.value.partial, Speech)
    broke, went_well = (event for event in told if isinstance(event, betterai.CallEnded))
    assert (broke.error, went_well.error) == ("StreamInterrupted", "")
