"""ElevenLabs (https://elevenlabs.io/docs/api-reference): voices, and Scribe, which hears them."""

from betterai.core.provider import HeaderAuth, Provider, Setting
from betterai.providers.elevenlabs.live_scribe import LiveScribe
from betterai.providers.elevenlabs.live_speech import Dialogue, StreamInput
from betterai.providers.elevenlabs.models import PROVIDER_MODELS
from betterai.providers.elevenlabs.speech import ElevenLabsSpeech
from betterai.providers.elevenlabs.transcriptions import Scribe

PROVIDER = Provider(
    name="elevenlabs",
    title="ElevenLabs",
    docs="https://elevenlabs.io/app/settings/api-keys",
    base_url="{base_url}",
    settings=(
        Setting(name="api_key", env=("ELEVENLABS_API_KEY",), secret=True),
        Setting(
            name="base_url",
            env=("ELEVENLABS_BASE_URL",),
            default="https://api.elevenlabs.io",
            about="data that may not leave a region: https://api.eu.residency.elevenlabs.io, api.in, api.sg",
        ),
    ),
    auth=HeaderAuth(header="xi-api-key"),
    models=lambda: PROVIDER_MODELS,
    protocols={
        "audio": {"elevenlabs_stt": Scribe(), "elevenlabs_live_stt": LiveScribe()},
        "tts": {
            "elevenlabs_tts": ElevenLabsSpeech(),
            "elevenlabs_stream_input": StreamInput(),
            "elevenlabs_dialogue": Dialogue(),
        },
    },
    defaults={"audio": "scribe_v2", "tts": "eleven_multilingual_v2"},
    list_models_path="/v1/models",
)
