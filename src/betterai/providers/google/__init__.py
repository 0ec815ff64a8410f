"""Google's Gemini API (https://ai.google.dev), with a key of AI Studio."""

from betterai.core.provider import HeaderAuth, Provider, Setting
from betterai.providers.google.batches import FILES, GoogleBatches
from betterai.providers.google.live import GoogleLive
from betterai.providers.google.models import PROVIDER_MODELS
from betterai.providers.google.omni import OmniFilms
from betterai.providers.google.text import GoogleText
from betterai.providers.google.veo import GoogleVeo
from betterai.wire.gemini import GeminiCount
from betterai.wire.gemini.embeddings import GeminiEmbeddings
from betterai.wire.gemini.images import GeminiImages
from betterai.wire.gemini.speech import GeminiSpeech
from betterai.wire.gemini.transcriptions import GeminiTranscribe, GeminiTranscriptions

_TEXT = GoogleText()
PROVIDER = Provider(
    name="google",
    title="Google",
    otel_name="gcp.gemini",
    docs="https://aistudio.google.com/apikey",
    base_url="{base_url}",
    settings=(
        Setting(name="api_key", env=("GOOGLE_API_KEY", "GEMINI_API_KEY"), secret=True),
        Setting(name="base_url", env=("GOOGLE_GEMINI_BASE_URL",), default="https://generativelanguage.googleapis.com"),
    ),
    auth=HeaderAuth(header="x-goog-api-key"),
    models=lambda: PROVIDER_MODELS,
    protocols={
        "text": {"gemini": _TEXT},
        "count": {"gemini": GeminiCount(_TEXT)},
        "files": {"files": FILES},
        "batch": {"gemini_batches": GoogleBatches()},
        "embeddings": {"gemini": GeminiEmbeddings()},
        "image": {"gemini": GeminiImages(_TEXT)},
        "audio": {"gemini": GeminiTranscriptions(_TEXT), "gemini_transcribe": GeminiTranscribe(_TEXT)},
        "tts": {"gemini": GeminiSpeech(_TEXT)},
        "video": {"gemini_interactions": OmniFilms(), "gemini_veo": GoogleVeo()},
        "realtime": {"gemini_live": GoogleLive()},
    },
    defaults={
        "text": "gemini-3.8-flash",
        "embeddings": "gemini-embedding-2",
        "audio": "gemini-3.5-transcribe",
        "tts": "gemini-3.8-flash-tts",
        "video": "gemini-omni-1.1-flash",
    },
    codec_settings=("base_url",),
    list_models_path="/v1beta/models?pageSize=1000",
)
