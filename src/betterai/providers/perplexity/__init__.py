"""Perplexity (https://docs.perplexity.ai): models that search the web before they answer."""

from betterai.core.provider import BearerAuth, Provider, Setting
from betterai.providers.perplexity.chat import PerplexityChat
from betterai.providers.perplexity.embeddings import PerplexityEmbeddings
from betterai.providers.perplexity.models import PROVIDER_MODELS

PROVIDER = Provider(
    name="perplexity",
    title="Perplexity",
    docs="https://www.perplexity.ai/account/api/keys",
    base_url="{base_url}",
    settings=(
        Setting(name="api_key", env=("PERPLEXITY_API_KEY", "PPLX_API_KEY"), secret=True),
        Setting(name="base_url", env=("PERPLEXITY_BASE_URL",), default="https://api.perplexity.ai"),
    ),
    auth=BearerAuth(),
    models=lambda: PROVIDER_MODELS,
    protocols={
        "text": {"openai_chat": PerplexityChat()},
        "embeddings": {"openai_embeddings": PerplexityEmbeddings()},
    },
    defaults={"text": "sonar-pro", "embeddings": "pplx-embed-v1-0.6b"},
)
