"""The embedded provider: models that run inside this process, without a key and without a network."""

from __future__ import annotations

from collections.abc import Mapping

from betterai.core.model import ModelConfig
from betterai.core.provider import NoAuth, Provider
from betterai.providers.local.film import FlipbookSteps
from betterai.providers.local.hashing import LocalEmbeddingProvider
from betterai.providers.local.minilm import MiniLMEmbeddingProvider
from betterai.providers.local.pictures import LocalImageProvider
from betterai.providers.local.speech import LocalTTSProvider
from betterai.providers.local.text import LocalTextProvider
from betterai.providers.local.transcription import LocalAudioProvider


def _load_models() -> Mapping[str, ModelConfig]:
    from betterai.providers.local.models import PROVIDER_MODELS

    return PROVIDER_MODELS


PROVIDER = Provider(
    name="local",
    title="Local (embedded)",
    base_url="",
    auth=NoAuth(),
    models=_load_models,
    protocols={
        "text": {"local": LocalTextProvider},
        "embeddings": {"local": LocalEmbeddingProvider, "minilm": MiniLMEmbeddingProvider},
        "image": {"local": LocalImageProvider},
        "video": {"local": FlipbookSteps()},
        "audio": {"local": LocalAudioProvider},
        "tts": {"local": LocalTTSProvider},
    },
    defaults={
        "text": "eliza",
        "embeddings": "hashing",
        "image": "painter",
        "video": "flipbook",
        "audio": "pocketsphinx",
        "tts": "espeak",
    },
    embedded=True,
)
