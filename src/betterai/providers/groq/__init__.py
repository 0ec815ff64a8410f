"""Groq (https://console.groq.com/docs)."""

from betterai.core.provider import BearerAuth, Provider, Setting
from betterai.providers.groq.audio import GroqSpeech, GroqTranscriptions
from betterai.providers.groq.batches import GroqBatches
from betterai.providers.groq.chat import GroqChat
from betterai.providers.groq.models import PROVIDER_MODELS
from betterai.providers.groq.responses import GroqResponses

PROVIDER = Provider(
    name="groq",
    title="Groq",
    docs="https://console.groq.com/keys",
    base_url="{host}/openai/v1",
    settings=(
        Setting(name="api_key", env=("GROQ_API_KEY",), secret=True),
        Setting(name="host", env=("GROQ_BASE_URL",), default="https://api.groq.com"),
    ),
    auth=BearerAuth(),
    models=lambda: PROVIDER_MODELS,
    protocols={
        "text": {"openai_chat": GroqChat(), "openai_responses": GroqResponses()},
        "audio": {"openai_transcriptions": GroqTranscriptions()},
        "tts": {"openai_speech": GroqSpeech()},
        "batch": {"openai_batches": GroqBatches()},
    },
    defaults={"text": "openai/gpt-oss-120b", "audio": "whisper-large-v3-turbo"},
    list_models_path="/models",
)
