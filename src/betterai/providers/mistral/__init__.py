"""Mistral (https://docs.mistral.ai). `MISTRAL_BASE_URL` takes the regions: https://api.eu.mistral.ai/v1, api.us."""

from betterai.core.provider import BearerAuth, Provider, Setting
from betterai.providers.mistral.audio import MistralSpeech, MistralTranscriptions
from betterai.providers.mistral.batches import MistralBatches
from betterai.providers.mistral.chat import MistralChat
from betterai.providers.mistral.embeddings import MistralEmbeddings
from betterai.providers.mistral.files import MistralFiles
from betterai.providers.mistral.live_transcription import MistralLive
from betterai.providers.mistral.models import PROVIDER_MODELS
from betterai.providers.mistral.moderations import MistralModerations

PROVIDER = Provider(
    name="mistral",
    title="Mistral",
    otel_name="mistral_ai",
    docs="https://console.mistral.ai/api-keys",
    base_url="{base_url}",
    settings=(
        Setting(name="api_key", env=("MISTRAL_API_KEY",), secret=True),
        Setting(name="base_url", env=("MISTRAL_BASE_URL",), default="https://api.mistral.ai/v1"),
    ),
    auth=BearerAuth(),
    models=lambda: PROVIDER_MODELS,
    protocols={
        "text": {"openai_chat": MistralChat()},
        "embeddings": {"openai_embeddings": MistralEmbeddings()},
        "moderation": {"openai_moderations": MistralModerations()},
        "audio": {"openai_transcriptions": MistralTranscriptions(), "mistral_live_stt": MistralLive()},
        "tts": {"openai_speech": MistralSpeech()},
        "files": {"files": MistralFiles()},
        "batch": {"mistral_batches": MistralBatches()},
    },
    defaults={"text": "mistral-large-latest", "embeddings": "mistral-embed"},
    list_models_path="/models",
)
