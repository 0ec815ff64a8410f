"""Voyage AI (https://docs.voyageai.com): embeddings and ranking."""

from betterai.core.provider import BearerAuth, Provider, Setting
from betterai.providers.voyage.embeddings import VoyageEmbeddings
from betterai.providers.voyage.models import PROVIDER_MODELS
from betterai.providers.voyage.rerank import VoyageRerank

PROVIDER = Provider(
    name="voyage",
    title="Voyage AI",
    docs="https://dashboard.voyageai.com",
    base_url="{base_url}",
    settings=(
        Setting(name="api_key", env=("VOYAGE_API_KEY",), secret=True),
        Setting(name="base_url", env=("VOYAGE_BASE_URL",), default="https://api.voyageai.com/v1"),
    ),
    auth=BearerAuth(),
    models=lambda: PROVIDER_MODELS,
    protocols={"embeddings": {"openai_embeddings": VoyageEmbeddings()}, "rerank": {"rerank": VoyageRerank()}},
    defaults={"embeddings": "voyage-4", "rerank": "rerank-2.5"},
)
