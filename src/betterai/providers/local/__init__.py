"""The embedded provider: models that run inside this process, without a key and without a network."""

from __future__ import annotations

from collections.abc import Mapping

from betterai.core.model import ModelConfig
from betterai.core.provider import NoAuth, Provider
from betterai.providers.local.hashing import LocalEmbeddingProvider
from betterai.providers.local.text import LocalTextProvider


def _load_models() -> Mapping[str, ModelConfig]:
    from betterai.providers.local.models import PROVIDER_MODELS

    return PROVIDER_MODELS


PROVIDER = Provider(
    name="local",
    title="Local (embedded)",
    base_url="",
    auth=NoAuth(),
    models=_load_models,
    protocols={"text": {"local": LocalTextProvider}, "embeddings": {"local": LocalEmbeddingProvider}},
    defaults={"text": "eliza", "embeddings": "hashing"},
    embedded=True,
)
