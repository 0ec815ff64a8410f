"""Deepgram (https://developers.deepgram.com/reference): speech to text, and the Aura voices."""

from betterai.core.provider import HeaderAuth, Provider, Setting
from betterai.providers.deepgram.flux import DeepgramFlux
from betterai.providers.deepgram.listen import DeepgramListen
from betterai.providers.deepgram.live import DeepgramLive
from betterai.providers.deepgram.live_speak import DeepgramLiveSpeak
from betterai.providers.deepgram.models import PROVIDER_MODELS
from betterai.providers.deepgram.speak import DeepgramSpeak

PROVIDER = Provider(
    name="deepgram",
    title="Deepgram",
    docs="https://console.deepgram.com",
    base_url="{base_url}",
    settings=(
        Setting(name="api_key", env=("DEEPGRAM_API_KEY",), secret=True),
        Setting(name="base_url", env=("DEEPGRAM_BASE_URL",), default="https://api.deepgram.com"),
    ),
    auth=HeaderAuth(header="Authorization", prefix="Token "),
    models=lambda: PROVIDER_MODELS,
    protocols={
        "audio": {
            "deepgram_stt": DeepgramListen(),
            "deepgram_live": DeepgramLive(),
            "deepgram_flux": DeepgramFlux(),
        },
        "tts": {"deepgram_tts": DeepgramSpeak(), "deepgram_live_tts": DeepgramLiveSpeak()},
    },
    defaults={"audio": "nova-3", "tts": "aura-2-thalia-en"},
)
