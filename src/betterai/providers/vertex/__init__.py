"""Vertex AI of Google Cloud (https://cloud.google.com/vertex-ai/generative-ai/docs): Gemini and Claude.

They are in a project and a location, and are asked with a token of Google Cloud, given or fetched.

With a key alone it is express mode, without a project.
"""

from betterai.core.provider import GoogleAuth, Provider, Setting
from betterai.providers.vertex.embeddings import VertexEmbeddings, VertexPredictEmbeddings
from betterai.providers.vertex.imagen import Imagen
from betterai.providers.vertex.images import VertexImages
from betterai.providers.vertex.live import VertexLive
from betterai.providers.vertex.messages import VertexMessages
from betterai.providers.vertex.models import PROVIDER_MODELS
from betterai.providers.vertex.place import find_base_url
from betterai.providers.vertex.text import VertexCount, VertexText
from betterai.providers.vertex.veo import VertexVeo
from betterai.wire.gemini.speech import GeminiSpeech
from betterai.wire.gemini.transcriptions import GeminiTranscribe, GeminiTranscriptions

_TEXT = VertexText()
PROVIDER = Provider(
    name="vertex",
    title="Vertex AI",
    otel_name="gcp.vertex_ai",
    docs="https://console.cloud.google.com/apis/credentials",
    base_url="{base_url}",
    settings=(
        Setting(
            name="access_token",
            env=("VERTEX_ACCESS_TOKEN", "GOOGLE_ACCESS_TOKEN"),
            secret=True,
            required=False,
            about="a token of Google Cloud: gcloud auth print-access-token",
        ),
        Setting(
            name="credentials",
            env=("GOOGLE_APPLICATION_CREDENTIALS",),
            secret=True,
            required=False,
            about="the file of a service account, or its JSON; else what gcloud or the machine has is found",
        ),
        Setting(
            name="api_key",
            env=("GOOGLE_VERTEX_API_KEY", "VERTEX_API_KEY"),
            secret=True,
            required=False,
            about="for express mode",
        ),
        Setting(
            name="project",
            env=("GOOGLE_CLOUD_PROJECT", "GOOGLE_VERTEX_PROJECT"),
            instead="api_key",
            about="without one it is express mode, with a key",
        ),
        Setting(
            name="location",
            env=("GOOGLE_CLOUD_LOCATION", "GOOGLE_VERTEX_LOCATION"),
            default="global",
            about="global, us, eu, or a region such as europe-west4",
        ),
        Setting(name="api_version", env=("GOOGLE_GENAI_API_VERSION",), default="v1beta1"),
        Setting(
            name="base_url",
            env=("VERTEX_BASE_URL", "GOOGLE_VERTEX_BASE_URL"),
            derive=find_base_url,
            about="made of the others, where it is not given: all up to /publishers",
        ),
    ),
    auth=GoogleAuth(scopes=("https://www.googleapis.com/auth/cloud-platform",), instead="api_key"),
    headers={"x-goog-api-key": "{api_key}"},
    models=lambda: PROVIDER_MODELS,
    protocols={
        "text": {"gemini": _TEXT, "anthropic_messages": VertexMessages()},
        "count": {"gemini": VertexCount(_TEXT)},
        "embeddings": {"vertex_predict": VertexPredictEmbeddings(), "gemini": VertexEmbeddings()},
        "image": {"gemini": VertexImages(_TEXT), "vertex_predict": Imagen()},
        "audio": {"gemini": GeminiTranscriptions(_TEXT), "gemini_transcribe": GeminiTranscribe(_TEXT)},
        "tts": {"gemini": GeminiSpeech(_TEXT)},
        "video": {"vertex_veo": VertexVeo()},
        "realtime": {"gemini_live": VertexLive()},
    },
    defaults={
        "text": "gemini-3.8-flash",
        "embeddings": "gemini-embedding-001",
        "audio": "gemini-3.5-transcribe",
        "tts": "gemini-3.8-flash-tts",
    },
    codec_settings=("base_url", "api_version"),
)
