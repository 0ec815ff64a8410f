"""Cerebras (https://inference-docs.cerebras.ai)."""

from betterai.core.provider import BearerAuth, Provider, Setting
from betterai.providers.cerebras.chat import CerebrasChat
from betterai.providers.cerebras.models import PROVIDER_MODELS

PROVIDER = Provider(
    name="cerebras",
    title="Cerebras",
    docs="https://cloud.cerebras.ai",
    base_url="{host}/v1",
    settings=(
        Setting(name="api_key", env=("CEREBRAS_API_KEY",), secret=True),
        Setting(name="host", env=("CEREBRAS_BASE_URL",), default="https://api.cerebras.ai"),
    ),
    auth=BearerAuth(),
    models=lambda: PROVIDER_MODELS,
    protocols={"text": {"openai_chat": CerebrasChat()}},
    defaults={"text": "gpt-oss-120b"},
    list_models_path="/models",
)
