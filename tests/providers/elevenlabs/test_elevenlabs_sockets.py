"""ElevenLabs' WebSockets: speech of a text that is still coming, and Scribe live."""

from __future__ import annotations

import asyncio
import io
import wave
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

import betterai
from betterai.core.exceptions import (
    APITimeoutError,
    AuthenticationError,
    BadRequestError,
    ProviderError,
    QuotaExceededError,
    RateLimitError,
    StreamInterrupted,
    ValidationError,
)
from betterai.core.media import Media
from betterai.core.model import ModelConfig
from betterai.core.results import Speech, Transcript, Word
from betterai.core.settings import SpeechSettings, TranscriptionSettings
from betterai.core.wire import Call
from betterai.providers.elevenlabs.live_scribe import LiveScribe
from betterai.providers.elevenlabs.live_speech import Dialogue, StreamInput
from betterai.runtime.attempts import Clock
from betterai.runtime.factory import find_provider
from doubles.elevenlabs import KEY, PIECES, VOICE, ElevenLabs
from runtime.upstream import Upstream

FLASH, V4, SCRIBE = "eleven_flash_v2_5", "eleven_v4", "scribe_v2_realtime"


@pytest.fixture
def double() -> ElevenLabs:
    return ElevenLabs()


@pytest.fixture
def upstream(double: ElevenLabs) -> Iterator[Upstream]:
    with Upstream(double) as running:
        yield running


def connect(upstream: Upstream, model: str = FLASH, key: str = KEY, **fields: Any) -> Any:
    url, category = f"http://127.0.0.1:{upstream.port}", "audio" if model.startswith("scribe") else "tts"
    config = betterai.CoreConfig(model=f"elevenlabs/{model}", base_url=url, api_key=key, retries=0, **fields)
    return find_provider(category, config)[0]  # type: ignore[arg-type]


async def coming(*pieces: Any) -> AsyncIterator[Any]:
    for piece in pieces:
        yield piece


async def read(pieces: Any) -> list[Any]:
    return [piece async for piece in pieces]


def build(codec: Any, model: str, settings: Any) -> Any:
    category: Any = "audio" if isinstance(settings, TranscriptionSettings) else "tts"
    call: Any = Call(model=ModelConfig(id=model, provider="elevenlabs", category=category), input="", settings=settings)
    return codec.connect(call), codec.open(call)


# ── speech ──


@pytest.mark.parametrize("model", [FLASH, V4])
async def test_s10_speech_begins_with_the_first_sentence_while_the_text_is_still_coming(
    upstream: Upstream, double: ElevenLabs, model: str
) -> None:
    more = asyncio.Event()

    async def say() -> AsyncIterator[str]:
        for piece in ("Hel", "lo, wor", "ld. How", " are"):
            yield piece
        await more.wait()
        yield " you?"

    settings = SpeechSettings(voice=VOICE, alignment=True, format="pcm", sample_rate=16000, language="en")
    double.sockets.go_on.clear()
    stream = connect(upstream, model).synthesize_stream(say(), "", settings)
    first = await anext(stream)
    assert (first.audio, [word.text for word in first.words]) == (b"<Hello, world.>", ["Hello,", "world."])
    more.set()
    double.sockets.go_on.set()
    rest = await read(stream)
    whole = rest[-1].response
    assert isinstance(whole, Speech)
    assert whole.audio.to_bytes() == b"<Hello, world.><How are you?>"
    assert (whole.audio.mime_type, whole.sample_rate) == ("audio/pcm", 16000)
    assert whole.words is not None
    assert [word.text for word in whole.words] == ["Hello,", "world.", "How", "are", "you?"]
    assert (whole.words[0].start, whole.words[-1].end) == (0.0, pytest.approx(2.6))
    assert whole.usage is not None
    assert whole.cost is not None
    assert (whole.usage.units, whole.cost.status) == ({"character": 26.0}, "estimated")
    query = {"model_id": model, "output_format": "pcm_16000", "language_code": "en", "sync_alignment": "true"}
    assert dict(double.sockets.query) == query
    said = double.sockets.messages
    if model == FLASH:
        assert said == [
            {"text": " "}, {"text": "Hello, "}, {"text": "world. ", "flush": True}, {"text": "How "}, {"text": "are "},
            {"text": "you? "}, {"text": ""},
        ]  # fmt: skip
    else:
        assert (said[0], said[-1], said.count({"flush": True})) == ({"voices": [VOICE]}, {"close_socket": True}, 1)
    assert upstream.requests[0].path.endswith("stream-input")


async def test_a_whole_text_goes_over_http_unless_the_caller_chooses(upstream: Upstream, double: ElevenLabs) -> None:
    settings = SpeechSettings(voice=VOICE)
    [*_, plain] = await read(connect(upstream).synthesize_stream("Hi there.", "", settings))
    assert plain.response.audio.to_bytes() == b"".join(PIECES)
    live = await connect(upstream, protocol="elevenlabs_stream_input").synthesize("Hi there.", "", settings)
    assert live.audio.to_bytes() == b"<Hi there.>"
    wav = await read(connect(upstream).synthesize_stream(coming("Hi."), "", settings.replace(format="wav")))
    assert wav[-1].response.audio.mime_type == "audio/wav"
    for silence in (coming(), coming(" ", "\n")):
        silent = await read(connect(upstream).synthesize_stream(silence, "", settings))
        assert [chunk.response.audio.to_bytes() for chunk in silent] == [b""]
    assert (await connect(upstream, protocol="elevenlabs_dialogue").voices())[0].id == "id-0"


def test_settings_stand_in_the_address_or_in_the_first_message() -> None:
    own = {"voice_settings": {"stability": 0.5}, "inactivity_timeout": 60, "auto_mode": True, "previous_text": "x"}
    settings = SpeechSettings(
        speed=1.1, seed=7, voice="a/b", options={"elevenlabs": own}, extra_body={"generation_config": {"a": 1}}
    )
    request, state = build(StreamInput(), FLASH, settings)
    assert request.url == "/v1/text-to-speech/a%2Fb/stream-input"
    assert request.query == {"model_id": FLASH, "seed": "7", "inactivity_timeout": "60", "auto_mode": "true"}
    assert [warning.field for warning in request.warnings] == ["options.elevenlabs.previous_text"]
    first, said = state.send("One. ")
    assert first == '{"text":" ","voice_settings":{"speed":1.1,"stability":0.5},"generation_config":{"a":1}}'
    assert said == '{"text":"One. "}'
    assert state.keep_alive() == ['{"text":" "}']
    request, state = build(Dialogue(), V4, SpeechSettings(speed=1.1, seed=7, format="wav"))
    assert [warning.field for warning in request.warnings] == ["speed", "seed", "format"]
    assert state.keep_alive()[0].startswith('{"voices":')
    assert state.keep_alive() == ['{"keep_alive":true}']


async def test_a_session_is_kept_open_while_the_text_is_waited_for(upstream: Upstream, double: ElevenLabs) -> None:
    provider, ticks = connect(upstream), asyncio.Queue[float]()

    async def tick(seconds: float) -> None:
        assert seconds < 20
        await ticks.get()

    provider._clock = Clock(sleep=tick)

    async def say() -> AsyncIterator[str]:
        for number in (1, 2):
            ticks.put_nowait(number)
            assert await asyncio.to_thread(double.sockets.taken.acquire, timeout=5)
        yield "Done."

    [*_, last] = await read(provider.synthesize_stream(say(), "", SpeechSettings(voice=VOICE)))
    assert last.response.audio.to_bytes() == b"<Done.>"
    assert double.sockets.messages[:2] == [{"text": " "}] * 2


ERRORS: list[tuple[str, type[ProviderError]]] = [
    ("quota_exceeded", QuotaExceededError), ("invalid_api_key", AuthenticationError),
    ("voice_id_does_not_exist", BadRequestError), ("rate_limited", RateLimitError), ("internal_error", ProviderError),
]  # fmt: skip


@pytest.mark.parametrize(("word", "kind"), ERRORS)
async def test_an_error_within_a_session_is_told_by_its_word(
    upstream: Upstream, double: ElevenLabs, word: str, kind: type[ProviderError]
) -> None:
    double.sockets.refuses = word
    with pytest.raises(kind) as caught:
        await read(connect(upstream).synthesize_stream(coming("One. ", "Two."), "", SpeechSettings(voice=VOICE)))
    assert (caught.value.code, caught.value.provider, caught.value.status) == (word, "elevenlabs", None)
    assert "no more of it" in str(caught.value)


async def test_what_the_socket_refuses_and_who(upstream: Upstream) -> None:
    settings = SpeechSettings(voice=VOICE)
    over = connect(upstream, V4, protocol="elevenlabs_stream_input")
    with pytest.raises(BadRequestError, match="not supported here"):
        await read(over.synthesize_stream(coming("One."), "", settings))
    with pytest.raises(AuthenticationError) as caught:
        await read(connect(upstream, key="wrong-key").synthesize_stream(coming("One."), "", settings))
    assert "wrong-key" not in str(caught.value)
    state = build(StreamInput(), FLASH, settings)[1]
    for frame in ("{", '{"audio":"*"}', b"\xff"):
        with pytest.raises(ProviderError, match="not readable"):
            state.receive(frame)
    state.send("One.")
    with pytest.raises(StreamInterrupted, match="before any sound"):
        state.receive('{"isFinal":true}')
    with pytest.raises(BadRequestError, match="timed out"):
        state.finish(1008, "input timed out")


@pytest.mark.parametrize("model", [FLASH, SCRIBE])
async def test_s4_a_session_that_breaks_gives_what_came(upstream: Upstream, double: ElevenLabs, model: str) -> None:
    double.sockets.breaks = True
    provider = connect(upstream, model)
    if model == SCRIBE:
        stream = provider.transcribe_stream(coming(b"one"), "", TranscriptionSettings(interim=True))
    else:
        stream = provider.synthesize_stream(coming("One. ", "Two."), "", SpeechSettings(voice=VOICE))
    double.sockets.go_on.clear()
    await anext(stream)
    double.sockets.go_on.set()
    with pytest.raises(StreamInterrupted, match="session broke") as caught:
        await read(stream)
    partial = caught.value.partial
    assert (partial.provider, partial.model) == ("elevenlabs", model)
    if model == SCRIBE:
        assert isinstance(partial, Transcript)
    else:
        assert isinstance(partial, Speech)
        assert partial.audio.to_bytes() == b"<One.>"
        assert partial.cost is not None
        assert partial.cost.status == "estimated"


async def test_s6_a_session_that_says_nothing_after_the_end_is_given_up(upstream: Upstream, double: ElevenLabs) -> None:
    double.sockets.silent = True
    provider = connect(upstream, timeout=betterai.Timeout(idle=0.1))
    with pytest.raises(APITimeoutError, match="silent for"):
        await read(provider.synthesize_stream(coming("One. "), "", SpeechSettings(voice=VOICE)))


@pytest.mark.parametrize("way", ["cancel", "leave"])
async def test_s3_leaving_closes_the_socket(upstream: Upstream, double: ElevenLabs, way: str) -> None:
    double.sockets.silent = True
    begun = asyncio.Event()

    async def say() -> AsyncIterator[str]:
        yield "One. "
        await asyncio.Event().wait()

    stream = connect(upstream).synthesize_stream(say(), "", SpeechSettings(voice=VOICE))

    async def listen() -> None:
        async for _ in stream:
            begun.set()
            if way == "leave":
                break
        await stream.aclose()

    listening = asyncio.create_task(listen())
    await begun.wait()
    if way == "cancel":
        listening.cancel()
    await asyncio.wait([listening])
    assert await asyncio.to_thread(double.sockets.left.wait, 5)


# ── Scribe ──


async def test_sound_is_heard_as_it_comes_and_committed_at_the_end(upstream: Upstream, double: ElevenLabs) -> None:
    settings = TranscriptionSettings(
        interim=True, timestamps=["word"], keywords=["Düse", "a b"], language="en-GB", prompt="Before.", diarize=True,
        encoding="pcm", sample_rate=8000,
    )  # fmt: skip
    more = asyncio.Event()

    async def sound() -> AsyncIterator[bytes]:
        yield b"one"
        await more.wait()
        yield b"two"

    stream = connect(upstream, SCRIBE).transcribe_stream(sound(), "", settings)
    first = await anext(stream)
    assert (first.text, first.final) == ("one", False)
    more.set()
    rest = await read(stream)
    whole = rest[-1].response
    assert [(chunk.text, chunk.final) for chunk in rest] == [("one two", False), ("one two", True), ("", True)]
    assert whole.words == (
        Word(text="one", start=0.0, end=0.5, confidence=1.0), Word(text="two", start=0.5, end=1.0, confidence=1.0),
    )  # fmt: skip
    assert (whole.text, whole.language, whole.request_id) == ("one two", "en", "s-1")
    assert (whole.usage.units, whole.usage.source) == ({"second_live": 6 / 2 / 8000}, "counted")
    assert whole.cost.status == "unknown"
    assert [(warning.code, warning.field) for warning in whole.warnings] == [
        ("translated", "language"), ("dropped", "diarize"),
    ]  # fmt: skip
    assert double.sockets.query == [
        ("keyterms", "Düse"), ("keyterms", "a b"), ("model_id", SCRIBE), ("audio_format", "pcm_8000"),
        ("include_timestamps", "true"), ("language_code", "en"),
    ]  # fmt: skip
    contexts = [message.get("previous_text") for message in double.sockets.messages]
    assert contexts == ["Before.", None, None]
    assert [message["commit"] for message in double.sockets.messages] == [False, False, True]


@pytest.mark.parametrize("strategy", ["manual", "vad"])
async def test_whoever_commits_nothing_is_lost(upstream: Upstream, double: ElevenLabs, strategy: str) -> None:
    settings = TranscriptionSettings(options={"elevenlabs": {"commit_strategy": strategy}})
    provider = connect(upstream, SCRIBE)
    chunks = await read(provider.transcribe_stream(coming(b"One", b"two.", b"Three", b"four"), "", settings))
    pieces = {"manual": ["One two. Three four", ""], "vad": ["One two.", " Three four", ""]}
    assert [chunk.text for chunk in chunks] == pieces[strategy]
    assert (chunks[-1].response.text, chunks[-1].response.words) == ("One two. Three four", None)
    nothing = await read(provider.transcribe_stream(coming(), "", settings))
    assert [chunk.response.text for chunk in nothing] == [""]


async def test_j4_errors_of_listening_are_told_by_their_word(upstream: Upstream, double: ElevenLabs) -> None:
    double.sockets.refuses = "session_time_limit_exceeded"
    with pytest.raises(APITimeoutError, match="no more of it"):
        await read(connect(upstream, SCRIBE).transcribe_stream(coming(b"one")))
    _, state = build(LiveScribe(), SCRIBE, TranscriptionSettings())
    for word, kind in (("auth_error", AuthenticationError), ("quota_exceeded", QuotaExceededError),
                       ("commit_throttled", RateLimitError), ("chunk_size_exceeded", BadRequestError)):  # fmt: skip
        with pytest.raises(kind):
            state.receive(f'{{"message_type":"{word}","error":"no"}}')
    assert state.receive('{"message_type":"warning","warning":"slow"}') == ((), ())
    assert [(warning.code, warning.message) for warning in state.so_far().warnings] == [("provider", "slow")]
    with pytest.raises(StreamInterrupted, match="code 1000"):
        state.finish(1000, "")


def test_sound_is_cut_and_described() -> None:
    settings = TranscriptionSettings(encoding="mulaw", extra_body={"a": 1}, timestamps=["segment"])
    request, state = build(LiveScribe(), SCRIBE, settings)
    assert request.query["audio_format"] == "ulaw_8000"
    assert [warning.field for warning in request.warnings] == ["extra_body", "timestamps"]
    assert len(state.send(b"x" * 70_000)) == 3
    assert state.so_far().seconds == 70_000 / 8000


def wav(samples: bytes, channels: int = 1) -> Media:
    made = io.BytesIO()
    with wave.open(made, "wb") as file:
        file.setparams((channels, 2, 8000, 0, "NONE", ""))
        file.writeframes(samples)
    return Media(kind="audio", data=made.getvalue())


async def test_the_samples_are_taken_out_of_a_wav_file_and_other_files_are_refused(
    upstream: Upstream, double: ElevenLabs
) -> None:
    provider = connect(upstream, SCRIBE)
    assert (await provider.transcribe(wav(b"onetwo"))).text == "onetwo"
    assert ("audio_format", "pcm_8000") in double.sockets.query
    assert (await provider.transcribe(Media(kind="audio", data=b"raw!"))).text == "raw!"
    stated = await provider.transcribe(Media(kind="audio", data=b"ID3!"), "", TranscriptionSettings(encoding="pcm"))
    assert stated.text == "ID3!"
    for other, why in (
        (Media(kind="audio", data=b"ID3 and MP3"), "not audio/mpeg"), (wav(b"onetwo12", 2), "not 2 channels"),
        (Media(kind="audio", data=b"RIFF\0\0\0\0WAVE"), "cannot be read"),
    ):  # fmt: skip
        with pytest.raises(ValidationError, match=why):
            await provider.transcribe(other)
