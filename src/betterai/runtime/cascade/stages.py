"""The three stages of a cascade: each a model's name, or a provider, asked in the same way."""

from __future__ import annotations

import io
import wave
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any, cast

import msgspec

from betterai.config.defaults import default_model
from betterai.config.providers import ALL_MODELS
from betterai.core.base import BaseAudioProvider, BaseProvider, BaseTextProvider, BaseTTSProvider
from betterai.core.exceptions import BetterAIError, ConfigurationError, ValidationError
from betterai.core.media import Media
from betterai.core.message import Message
from betterai.core.model import Category, ModelConfig
from betterai.core.response import CallWarning
from betterai.core.results import SpeechChunk, TranscriptChunk
from betterai.core.routing import ROUTER_PREFIX
from betterai.core.settings import GenerationSettings, SpeechSettings, TranscriptionSettings
from betterai.core.usage import Cost, Usage
from betterai.runtime.cascade.detection import SOUND
from betterai.runtime.client import Client
from betterai.runtime.registry import resolve_model
from betterai.runtime.sessions.sentences import speak_with
from betterai.runtime.stream import TextStream

RAW = {"encoding": "pcm", "sample_rate": SOUND.rate}
SPOKEN = {"format": "pcm", "sample_rate": SOUND.rate}
_OURS = frozenset({*RAW, *SPOKEN, "interim"})
"""Settings that nobody asked for: what becomes of them is no news."""
_KINDS: dict[Category, type[BaseProvider]] = {
    "audio": BaseAudioProvider, "text": BaseTextProvider, "tts": BaseTTSProvider,
}  # fmt: skip


class Stage:
    """One of the three: `model` a name, "" for the default, or a provider."""

    def __init__(self, category: Category, model: str | BaseProvider) -> None:
        if isinstance(model, str):
            model = model or default_model(category)
        elif not isinstance(model, _KINDS[category]):
            raise ValidationError(f"{category} must be a name or a {_KINDS[category].__name__}, not {model!r:.80}")
        if not model:
            raise ConfigurationError(f"no {category} model is named", hint=f"pass one: betterai.cascade({category}=…)")
        self.category = category
        self.model = model
        self.config: ModelConfig | None = None
        """None where what answers is found out call by call."""
        if not isinstance(model, str):
            named = getattr(model, "model", None)
            self.config = named if isinstance(named, ModelConfig) else None
        elif not model.startswith(ROUTER_PREFIX):
            self.config = resolve_model(model, category)

    @property
    def name(self) -> str:
        if self.config is not None:
            return self.config.key
        return self.model if isinstance(self.model, str) else type(self.model).__name__

    def bill(self, usage: Usage, cost: Cost | None, provider: str, model: str) -> tuple[Usage, ModelConfig]:
        """Whose usage it is, with its price. Where no price is known here, what the result says that it cost."""
        config = self.config or ALL_MODELS.find(f"{provider}/{model}")
        if config is None:
            config = ModelConfig(id=model or self.name, provider=provider, category=self.category)
        if config.price is None and cost is not None and cost.amount is not None:
            usage = msgspec.structs.replace(usage, stated_cost=cost.amount)
        return usage, config


class Stages:
    """The stages of a cascade, over a client's connections; their own settings lie under those of a session."""

    def __init__(
        self,
        client: Client,
        audio: str | BaseAudioProvider,
        text: str | BaseTextProvider,
        tts: str | BaseTTSProvider,
        settings: tuple[TranscriptionSettings | None, GenerationSettings | None, SpeechSettings | None],
    ) -> None:
        self.audio, self.text, self.tts = Stage("audio", audio), Stage("text", text), Stage("tts", tts)
        self._client = client
        self._hearing = settings[0] or TranscriptionSettings()
        self._thinking = settings[1] or GenerationSettings()
        self._speaking = settings[2] or SpeechSettings()

    async def check(self) -> tuple[CallWarning, ...]:
        """Whether all three can be asked. Raises as `check_stage` does; the rest is to be told."""
        from betterai.runtime.cascade.readiness import check_stage

        return tuple(
            [
                warning
                for stage in (self.audio, self.text, self.tts)
                for warning in await check_stage(self._client, stage)
            ]
        )

    @property
    def rate(self) -> int:
        """Of the raw sound that the voice is asked for, in Hz."""
        return self._speaking.sample_rate or SOUND.rate

    def transcribe(
        self, sound: AsyncIterator[bytes], settings: dict[str, Any]
    ) -> AsyncGenerator[TranscriptChunk, None]:
        """Sound as it comes, where the provider hears it so; else a recording, at its end."""
        wanted = self._hearing.replace(**settings)
        found = self._client.find("audio", self.audio.model) if isinstance(self.audio.model, str) else None
        provider = cast(BaseAudioProvider, self.audio.model if found is None else found.provider)
        raw = wanted.replace(**{"interim": True, **wanted.given(), **RAW})
        if not _hears_live(provider, found.id if found else "", raw):
            return self._transcribe_whole(sound, wanted, provider, found is not None)
        if found is None:
            return provider.transcribe_stream(sound, "", raw)
        return self._client.stream_transcription(cast(str, self.audio.model), sound, settings=raw)

    async def _transcribe_whole(
        self, sound: AsyncIterator[bytes], settings: TranscriptionSettings, provider: BaseAudioProvider, named: bool
    ) -> AsyncGenerator[TranscriptChunk, None]:
        media = _record(b"".join([piece async for piece in sound]))
        if named:
            chunks = self._client.stream_transcription(cast(str, self.audio.model), media, settings=settings)
        else:
            chunks = provider.transcribe_stream(media, "", settings)
        try:
            async for chunk in chunks:
                yield chunk
        finally:
            await chunks.aclose()

    def generate(self, messages: list[Message], settings: dict[str, Any]) -> TextStream[Any]:
        wanted = self._thinking.replace(**settings)
        return self._client.stream(cast("str | BaseTextProvider", self.text.model), messages, settings=wanted)

    def speak(self, text: AsyncIterator[str], settings: dict[str, Any]) -> AsyncGenerator[SpeechChunk, None]:
        """Raw sound where the provider makes it, as the text comes."""
        wanted = self._speaking.replace(**{**SPOKEN, **self._speaking.given(), **settings})
        if isinstance(self.tts.model, str):
            return self._client.stream_speech(self.tts.model, text, settings=wanted)
        provider = cast(BaseTTSProvider, self.tts.model)
        if type(provider).synthesize_stream is BaseTTSProvider.synthesize_stream:
            return speak_with(provider, text, "", wanted)
        return provider.synthesize_stream(text, "", wanted)


def _hears_live(provider: Any, id: str, settings: TranscriptionSettings) -> bool:
    """Codecs say whether there is a session for it; a class that streams is taken at its word."""
    find = getattr(provider, "find_duplex", None)
    if find is not None:
        return find(id, settings) is not None
    return type(provider).transcribe_stream is not BaseAudioProvider.transcribe_stream


def _record(sound: bytes) -> Media:
    target = io.BytesIO()
    with wave.open(target, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(SOUND.sample_bytes)
        file.setframerate(SOUND.rate)
        file.writeframes(sound)
    return Media(kind="audio", mime_type="audio/wav", data=target.getvalue())


def list_news(warnings: tuple[CallWarning, ...]) -> tuple[CallWarning, ...]:
    """What a stage warns of, without what was set here."""
    return tuple(warning for warning in warnings if warning.field not in _OURS)


def name_error(error: Exception, stage: Stage) -> BetterAIError:
    """What went wrong in a stage; a class of one's own may raise anything."""
    if not isinstance(error, BetterAIError):
        told = BetterAIError(f"{stage.name}: {type(error).__name__}: {error}")
        told.__cause__ = error
        return told
    return error
