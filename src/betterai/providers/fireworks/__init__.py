"""Fireworks AI (https://docs.fireworks.ai). Model ids are `accounts/fireworks/models/…`."""

from betterai.core.provider import BearerAuth, Provider, Setting
from betterai.providers.fireworks.chat import FireworksChat
from betterai.providers.fireworks.embeddings import FireworksEmbeddings
from betterai.providers.fireworks.models import PROVIDER_MODELS
from betterai.providers.fireworks.responses import FireworksResponses
from betterai.wire.rerank import Rerank

PROVIDER = Provider(
    name="fireworks",
    title="Fireworks AI",
    docs="https://app.fireworks.ai/settings/users/api-keys",
    base_url="{base_url}",
    settings=(
        Setting(name="api_key", env=("FIREWORKS_API_KEY",), secret=True),
        Setting(name="base_url", env=("FIREWORKS_BASE_URL",), default="https://api.fireworks.ai/inference/v1"),
    ),
    auth=BearerAuth(),
    models=lambda: PROVIDER_MODELS,
    protocols={
        "text": {"openai_chat": FireworksChat(), "openai_responses": FireworksResponses()},
        "embeddings": {"openai_embeddings": FireworksEmbeddings()},
        "rerank": {"rerank": Rerank()},
    },
    defaults={"text": "accounts/fireworks/models/gpt-oss-120b"},
    list_models_path="/models",
)
