"""Nebius Token Factory (https://docs.tokenfactory.nebius.com).

Nothing of it was recorded: what is known is that it follows OpenAI.
"""

from betterai.core.provider import BearerAuth, Provider, Setting
from betterai.providers.nebius.chat import NebiusChat
from betterai.providers.nebius.embeddings import NebiusEmbeddings
from betterai.providers.nebius.models import PROVIDER_MODELS

PROVIDER = Provider(
    name="nebius",
    title="Nebius Token Factory",
    docs="https://tokenfactory.nebius.com",
    base_url="{base_url}",
    settings=(
        Setting(name="api_key", env=("NEBIUS_API_KEY",), secret=True),
        Setting(name="base_url", env=("NEBIUS_BASE_URL",), default="https://api.studio.nebius.com/v1"),
    ),
    auth=BearerAuth(),
    models=lambda: PROVIDER_MODELS,
    protocols={
        "text": {"openai_chat": NebiusChat()},
        "embeddings": {"openai_embeddings": NebiusEmbeddings()},
    },
    defaults={"text": "openai/gpt-oss-120b"},
    list_models_path="/models",
)
