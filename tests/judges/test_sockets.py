"""The vendors' own SDKs at the doubles of their WebSockets: they are understood there, and ask in the same words as we do."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

import betterai
from betterai.core.settings import SpeechSettings, TranscriptionSettings
from betterai.runtime.factory import find_provider
from doubles import deepgram, elevenlabs
from runtime.upstream import Upstream

OLD_WEBSOCKETS = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def ours(category: Any, model: str, upstream: Upstream, key: str) -> Any:
    url = f"http://127.0.0.1:{upstream.port}"
    return find_provider(category, betterai.CoreConfig(model=model, base_url=url, api_key=key, retries=0))[0]


async def coming(*pieces: Any) -> AsyncIterator[Any]:
    for piece in pieces:
        yield piece


async def read(pieces: Any) -> list[Any]:
    return [piece async for piece in pieces]


# ── Deepgram ──


@pytest.fixture
def deep() -> Iterator[tuple[deepgram.Deepgram, Upstream]]:
    double = deepgram.Deepgram()
    with Upstream(double) as upstream:
        yield double, upstream


def deepgram_client(upstream: Upstream) -> Any:
    sdk = pytest.importorskip("deepgram", reason="needs betterai[dev]")
    from deepgram.environment import DeepgramClientEnvironment

    here = f"127.0.0.1:{upstream.port}"
    places = DeepgramClientEnvironment(
        base=f"http://{here}", production=f"ws://{here}", agent=f"ws://{here}", agent_rest=f"http://{here}"
    )
    return sdk.AsyncDeepgramClient(api_key=deepgram.KEY, environment=places)


@OLD_WEBSOCKETS
async def test_deepgrams_sdk_speaks_as_we_do(deep: tuple[deepgram.Deepgram, Upstream]) -> None:
    double, upstream = deep
    client = deepgram_client(upstream)
    from deepgram.speak.v1.types import SpeakV1Text

    heard: list[Any] = []
    async with client.speak.v1.connect(model="aura-2-zeus-en", encoding="linear16", sample_rate=16000) as socket:
        await socket.send_text(SpeakV1Text(type="Speak", text="Hello there. "))
        await socket.send_flush()
        async for message in socket:
            heard.append(message if isinstance(message, bytes) else message.type)
            if heard[-1] == "Flushed":
                await socket.send_close()
    theirs, their_query = double.sockets.messages, double.sockets.query
    assert heard == ["Metadata", b"<Hello there.>", "Flushed"]
    speech = ours("tts", "deepgram/aura-2-zeus-en", upstream, deepgram.KEY)
    await read(speech.synthesize_stream(coming("Hello there. "), "", SpeechSettings(format="pcm", sample_rate=16000)))
    assert sorted(double.sockets.query) == sorted(their_query)
    assert double.sockets.messages[:2] == theirs[:2]


@OLD_WEBSOCKETS
async def test_deepgrams_sdk_reads_flux_as_we_do(deep: tuple[deepgram.Deepgram, Upstream]) -> None:
    double, upstream = deep
    client = deepgram_client(upstream)
    asked = {"model": "flux-general-en", "encoding": "linear16", "sample_rate": "16000", "keyterm": ["a", "b"]}
    async with client.listen.v2.connect(**asked, eager_eot_threshold="0.5") as socket:
        for word in (b"Well?", b"Yes."):
            await socket.send_media(word)
        await socket.send_close_stream()
        turns = [message async for message in socket if message.type == "TurnInfo"]
    said = [(turn.event, turn.transcript, [word.word for word in turn.words]) for turn in turns]
    their_query, theirs = double.sockets.query, double.sockets.messages
    settings = TranscriptionSettings(
        interim=True, encoding="linear16", sample_rate=16000, keywords=["a", "b"],
        options={"deepgram": {"eager_eot_threshold": 0.5}},
    )  # fmt: skip
    flux = ours("audio", "deepgram/flux-general-en", upstream, deepgram.KEY)
    *chunks, _ = await read(flux.transcribe_stream(coming(b"Well?", b"Yes."), "", settings))
    names = {"turn_started": "StartOfTurn", "turn_ending": "EagerEndOfTurn", "turn_resumed": "TurnResumed",
             "turn_ended": "EndOfTurn", "": "Update"}  # fmt: skip
    assert [(names[chunk.event], chunk.text, [word.text for word in chunk.words]) for chunk in chunks] == said
    assert sorted(double.sockets.query) == sorted(their_query)
    assert double.sockets.messages == theirs


@OLD_WEBSOCKETS
async def test_deepgrams_sdk_listens_as_we_do(deep: tuple[deepgram.Deepgram, Upstream]) -> None:
    double, upstream = deep
    client = deepgram_client(upstream)
    async with client.listen.v1.connect(model="nova-3", smart_format="true", interim_results="true") as socket:
        for word in (b"1", b"2", b"3"):
            await socket.send_media(word)
        await socket.send_close_stream()
        results = [message async for message in socket if message.type == "Results"]
    texts = [result.channel.alternatives[0].transcript for result in results]
    theirs = double.asked
    live = ours("audio", "deepgram/nova-3", upstream, deepgram.KEY)
    settings = TranscriptionSettings(interim=True)
    *chunks, _ = await read(live.transcribe_stream(coming(b"1", b"2", b"3"), "", settings))
    assert [chunk.text.strip() for chunk in chunks] == texts
    assert double.asked == theirs


# ── ElevenLabs ──


@pytest.fixture
def eleven() -> Iterator[tuple[elevenlabs.ElevenLabs, Upstream]]:
    double = elevenlabs.ElevenLabs()
    with Upstream(double) as upstream:
        yield double, upstream


@OLD_WEBSOCKETS
async def test_elevenlabs_sdk_speaks_as_we_do(eleven: tuple[elevenlabs.ElevenLabs, Upstream]) -> None:
    double, upstream = eleven
    sdk = pytest.importorskip("elevenlabs.client", reason="needs betterai[dev]")
    client = sdk.ElevenLabs(api_key=elevenlabs.KEY, base_url=f"http://127.0.0.1:{upstream.port}")
    client.text_to_speech._ws_base_url = f"ws://127.0.0.1:{upstream.port}"

    def speak() -> list[bytes]:
        asked = {"voice_id": elevenlabs.VOICE, "model_id": "eleven_flash_v2_5", "output_format": "pcm_16000"}
        return list(client.text_to_speech.convert_realtime(text=iter(["Hello ", "there."]), **asked))

    assert b"".join(await asyncio.to_thread(speak)) == b"<Hello there.>"
    theirs, their_query = double.sockets.messages, double.sockets.query
    speech = ours("tts", "elevenlabs/eleven_flash_v2_5", upstream, elevenlabs.KEY)
    settings = SpeechSettings(voice=elevenlabs.VOICE, format="pcm", sample_rate=16000)
    await read(speech.synthesize_stream(coming("Hello ", "there."), "", settings))
    assert sorted(double.sockets.query) == sorted(their_query)
    assert [message["text"] for message in double.sockets.messages] == [message["text"] for message in theirs]


async def test_elevenlabs_sdk_listens_as_we_do(eleven: tuple[elevenlabs.ElevenLabs, Upstream]) -> None:
    double, upstream = eleven
    sdk = pytest.importorskip("elevenlabs.realtime.scribe", reason="needs betterai[dev]")
    scribe = sdk.ScribeRealtime(api_key=elevenlabs.KEY, base_url=f"ws://127.0.0.1:{upstream.port}")
    said: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    connection = await scribe.connect(
        {
            "model_id": "scribe_v2_realtime", "audio_format": sdk.AudioFormat.PCM_8000, "sample_rate": 8000,
            "commit_strategy": sdk.CommitStrategy.MANUAL, "include_timestamps": True, "keyterms": ["a", "b"],
        }
    )  # fmt: skip
    connection.on("committed_transcript_with_timestamps", said.put_nowait)
    for word in (b"one", b"two"):
        await connection.send({"audio_base_64": b64encode(word).decode()})
    await connection.commit()
    heard = await asyncio.wait_for(said.get(), 5)
    await connection.close()
    theirs, their_query = double.sockets.messages, double.sockets.query
    live = ours("audio", "elevenlabs/scribe_v2_realtime", upstream, elevenlabs.KEY)
    settings = TranscriptionSettings(
        timestamps=["word"], encoding="pcm", sample_rate=8000, keywords=["a", "b"],
        options={"elevenlabs": {"commit_strategy": "manual"}},
    )  # fmt: skip
    [*_, last] = await read(live.transcribe_stream(coming(b"one", b"two"), "", settings))
    assert last.response.text == heard["text"]
    assert sorted(double.sockets.query) == sorted(their_query)
    stated = [{name: value for name, value in message.items() if value is not None} for message in theirs]
    assert double.sockets.messages == stated
