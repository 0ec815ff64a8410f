"""`unsupported="raise"` holds for classes in every category: what one says it dropped raises."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

import betterai
from betterai.core.config import CoreConfig
from betterai.core.exceptions import UnsupportedParam, ValidationError
from betterai.core.media import Media
from betterai.core.model import ModelConfig
from betterai.core.realtime import RealtimeToken
from betterai.core.realtime_input import RealtimeInput, UpdateSession
from betterai.core.realtime_settings import RealtimeSettings
from betterai.core.response import CallWarning, ProviderResponse
from betterai.core.results import (
    EmbeddingResponse,
    ImageResponse,
    ModerationResponse,
    RerankResponse,
    Speech,
    Transcript,
    VideoResponse,
)
from betterai.runtime.realtime.opening import wrap_channel
from betterai.runtime.registry import register_provider

DROPPED = (CallWarning(code="dropped", field="seed", message="it is not taken"),)
SOUND = Media(kind="audio", data=b"sound")


class Keyed:
    def __init__(self, api_key: str) -> None:
        pass


class Text(Keyed, betterai.BaseTextProvider):
    async def generate(self, *_: Any) -> ProviderResponse:
        return ProviderResponse(content="Hello", warnings=DROPPED)


class Image(Keyed, betterai.BaseImageProvider):
    async def generate(self, *_: Any) -> ImageResponse:
        return ImageResponse(images=(Media(kind="image", data=b"picture"),), warnings=DROPPED)


class Video(Keyed, betterai.BaseVideoProvider):
    async def generate(self, *_: Any) -> VideoResponse:
        return VideoResponse(videos=(Media(kind="video", data=b"film"),), warnings=DROPPED)


class Audio(Keyed, betterai.BaseAudioProvider):
    async def transcribe(self, *_: Any) -> Transcript:
        return Transcript(text="Hello", warnings=DROPPED)


class TTS(Keyed, betterai.BaseTTSProvider):
    async def synthesize(self, *_: Any) -> Speech:
        return Speech(audio=SOUND, warnings=DROPPED)


class Embeddings(Keyed, betterai.BaseEmbeddingProvider):
    async def embed(self, *_: Any) -> EmbeddingResponse:
        return EmbeddingResponse(vectors=((1.0,),), warnings=DROPPED)


class Rerank(Keyed, betterai.BaseRerankProvider):
    async def rerank(self, *_: Any) -> RerankResponse:
        return RerankResponse(ranking=(), warnings=DROPPED)


class Moderation(Keyed, betterai.BaseModerationProvider):
    async def moderate(self, *_: Any) -> ModerationResponse:
        return ModerationResponse(verdicts=(), warnings=DROPPED)


class Channel:
    """Drops something of each event but the first ones that open it."""

    def __init__(self, *, at_once: bool) -> None:
        self.warnings = list(DROPPED) if at_once else []
        self.closed = False

    def take_warnings(self) -> list[CallWarning]:
        found, self.warnings = self.warnings, []
        return found

    async def send(self, event: RealtimeInput) -> None:
        self.warnings += DROPPED

    async def __aiter__(self) -> Any:
        await asyncio.Event().wait()
        yield

    async def aclose(self) -> None:
        self.closed = True


class Realtime(Keyed, betterai.BaseRealtimeProvider):
    opened: list[Channel]

    async def connect(self, model: str, settings: RealtimeSettings) -> betterai.RealtimeSession:
        channel = Channel(at_once=settings.language is None)
        self.opened.append(channel)
        return wrap_channel(channel, settings, ModelConfig(id=model, provider="strict", category="realtime"))

    async def token(self, model: str, settings: RealtimeSettings, seconds: int | None = None) -> RealtimeToken:
        return RealtimeToken(value="token", warnings=DROPPED)


CLASSES = {
    "text": Text, "image": Image, "video": Video, "audio": Audio, "tts": TTS, "embeddings": Embeddings,
    "rerank": Rerank, "moderation": Moderation, "realtime": Realtime,
}  # fmt: skip


@pytest.fixture(autouse=True)
def _registered() -> None:
    Realtime.opened = []
    for category, kind in CLASSES.items():
        register_provider(category, "strict", kind, replace=True)  # type: ignore[arg-type]


async def last(pieces: Any) -> Any:
    return [piece async for piece in pieces][-1].response


async def ask_all(client: betterai.Client, **given: Any) -> dict[str, Any]:
    """What each way to ask gives: the warnings, or the error."""
    asked = {
        "text": client.generate("strict/m", "Hello", **given),
        "text stream": last(client.stream("strict/m", "Hello", **given)),
        "image": client.generate_image("strict/m", "a cat", **given),
        "image stream": last(client.stream_image("strict/m", "a cat", **given)),
        "video": client.generate_video("strict/m", "a cat", **given),
        "audio": client.transcribe("strict/m", SOUND, **given),
        "audio stream": last(client.stream_transcription("strict/m", SOUND, **given)),
        "tts": client.speak("strict/m", "Hello", **given),
        "tts stream": last(client.stream_speech("strict/m", "Hello", **given)),
        "embeddings": client.embed("strict/m", "Hello", **given),
        "rerank": client.rerank("strict/m", "Hello", ["Bye"], **given),
        "moderation": client.moderate("strict/m", "Hello", **given),
        "realtime": client.realtime("strict/m", **given),
        "realtime token": client.realtime_token("strict/m", **given),
    }
    results = {}
    for name, ask in asked.items():
        try:
            result = await ask
        except UnsupportedParam as error:
            results[name] = str(error)
        else:
            results[name] = result.warnings
            if name == "realtime":
                await result.aclose()
    return results


async def test_t1_options_that_nobody_reads_are_reported_in_every_category() -> None:
    given: dict[str, Any] = {"strict": {"a": 1}, "groq": {"b": 1}, "xyzzy": {"c": 1}, "openai": {}}
    unread = {
        "those for 'groq' are not sent: strict is asked",
        "those for 'xyzzy' are not sent: there is no such provider",
    }
    async with betterai.Client() as client:
        for name, warnings in (await ask_all(client, options=given)).items():
            told = {warning.message for warning in warnings if warning.field == "options"}
            assert told == unread, name
        for warnings in (await ask_all(client, options={"strict": {"a": 1}})).values():
            assert warnings == DROPPED
        with pytest.raises(ValidationError, match="there is no provider 'strct' – did you mean strict"):
            await client.speak("strict/m", "Hello", options={"strct": {"a": 1}})
        with pytest.raises(ValidationError, match="there is no provider 'lokal' – did you mean local"):
            await client.generate("local/eliza", "Hello", options={"lokal": {"a": 1}})
    async with betterai.Client(CoreConfig(unsupported="raise")) as client:
        with pytest.raises(UnsupportedParam, match="options: those for 'groq' are not sent: local is asked"):
            await client.generate("local/eliza", "Hello", options={"groq": {"b": 1}})


async def test_t1_options_for_any_target_of_a_router_are_in_their_place() -> None:
    router = betterai.Router(["local/eliza", betterai.Router(["groq/m", "openai/m"])])
    given = {"groq": {"b": 1}, "openai": {"b": 1}, "local": {}, "mistral": {"c": 1}}
    response = await betterai.generate(router, "Hello", options=given)
    assert [warning.message for warning in response.warnings] == ["those for 'mistral' are not sent: local is asked"]


@pytest.mark.parametrize("heard", [False, True])
async def test_t1_what_a_class_drops_is_reported_and_raises_where_the_caller_wants_that(heard: bool) -> None:
    hook = (lambda event: None) if heard else None
    async with betterai.Client(on_event=hook) as client:
        assert set((await ask_all(client)).values()) == {DROPPED}
    async with betterai.Client(CoreConfig(unsupported="raise"), on_event=hook) as client:
        assert set((await ask_all(client)).values()) == {"strict/m: seed: it is not taken"}
    assert [channel.closed for channel in Realtime.opened] == [True, True]


async def test_t1_what_a_class_drops_of_a_session_later_raises_then() -> None:
    client = betterai.Client(CoreConfig(unsupported="raise"))
    async with client, client.realtime("strict/m", language="en") as session:
        with pytest.raises(UnsupportedParam, match="seed: it is not taken"):
            await session.send(UpdateSession(settings=RealtimeSettings(language="de")))
        assert session.warnings == DROPPED
