"""`betterai.cascade`: a realtime provider made of three, and cascades by name."""

from __future__ import annotations

from betterai.core.base import BaseAudioProvider, BaseRealtimeProvider, BaseTextProvider, BaseTTSProvider
from betterai.core.exceptions import ConfigurationError
from betterai.core.model import ModelConfig
from betterai.core.price import Price, Rates
from betterai.core.realtime import RealtimeToken
from betterai.core.realtime_session import RealtimeSession
from betterai.core.realtime_settings import RealtimeSettings
from betterai.core.routing import CASCADE, JOINT
from betterai.core.settings import GenerationSettings, SpeechSettings, TranscriptionSettings
from betterai.runtime.cascade.channel import CascadeChannel
from betterai.runtime.cascade.detection import SOUND
from betterai.runtime.cascade.stages import Stages
from betterai.runtime.client import Client, default_client
from betterai.runtime.realtime.formats import SessionSound
from betterai.runtime.realtime.session import LiveSession
from betterai.runtime.realtime.sums import SessionSums

_NOTHING = Price(rates=Rates())
"""What an answer costs beside its stages, which state their usage themselves."""


class CascadeProvider(BaseRealtimeProvider):
    """Speech to text, a text model and text to speech as one voice: see `cascade`."""

    def __init__(self, stages: Stages, *, strict: bool = False) -> None:
        self._stages = stages
        self._strict = strict
        self.model = f"{CASCADE}/{JOINT.join(stage.name for stage in (stages.audio, stages.text, stages.tts))}"

    async def connect(self, model: str = "", settings: RealtimeSettings | None = None) -> RealtimeSession:
        """The open session. Raises `ModelNotFoundError` and `ConfigurationError` where a stage could not be asked;
        nothing is sent anywhere before the user says something, but to ask who lists a model that is not known here.
        """
        settings = settings or RealtimeSettings()
        warnings = await self._stages.check()
        given = settings.given()
        usual = {name: SOUND for name in ("input_format", "output_format") if given.get(name) is None}
        sound = SessionSound(settings.replace(**usual), (SOUND,), (SOUND,))
        channel = CascadeChannel(self._stages, self.model, sound.wire, strict=self._strict)
        own = ModelConfig(id=self.model.removeprefix(f"{CASCADE}/"), provider=CASCADE, price=_NOTHING)
        sums = SessionSums(own, channel.models.__getitem__)
        return LiveSession(channel, settings, sums, sound, warnings=(*warnings, *channel.take_warnings()))

    async def token(
        self, model: str = "", settings: RealtimeSettings | None = None, seconds: int | None = None
    ) -> RealtimeToken:
        raise ConfigurationError("a cascade gives no tokens for browsers: it runs here")


def cascade(
    audio: str | BaseAudioProvider = "",
    text: str | BaseTextProvider = "",
    tts: str | BaseTTSProvider = "",
    *,
    audio_settings: TranscriptionSettings | None = None,
    text_settings: GenerationSettings | None = None,
    tts_settings: SpeechSettings | None = None,
    client: Client | None = None,
) -> CascadeProvider:
    """A realtime provider made of speech to text, a text model and text to speech, each a model's name or a provider;
    "" is the default of its category. `betterai.realtime(betterai.cascade(…))` opens a session.

    The settings of a session go to the stage that they are for, over those given here. Raises `ModelNotFoundError` and
    `ConfigurationError`.
    """
    client = client or default_client()
    stages = Stages(client, audio, text, tts, (audio_settings, text_settings, tts_settings))
    return CascadeProvider(stages, strict=client.config.unsupported == "raise")


def make_cascade(name: str, client: Client) -> CascadeProvider:
    """That of a name: `cascade`, or `cascade/AUDIO+TEXT+TTS`, where an empty one is the default of its category."""
    parts = name.removeprefix(CASCADE).removeprefix("/").split(JOINT)
    if len(parts) not in (1, 3) or (len(parts) == 1 and parts[0]):
        raise ConfigurationError(f"{name!r} names no cascade", hint=f"write {CASCADE}/AUDIO+TEXT+TTS, or {CASCADE}")
    return cascade(*(parts if len(parts) == 3 else ()), client=client)
