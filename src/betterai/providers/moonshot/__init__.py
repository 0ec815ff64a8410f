"""Moonshot (https://platform.kimi.ai/docs): the Kimi models. Keys of the Chinese site go to https://api.moonshot.cn/v1."""

from betterai.core.provider import BearerAuth, Provider, Setting
from betterai.providers.moonshot.chat import MoonshotChat
from betterai.providers.moonshot.models import PROVIDER_MODELS

PROVIDER = Provider(
    name="moonshot",
    title="Moonshot",
    otel_name="moonshot_ai",
    docs="https://platform.kimi.ai/console/api-keys",
    base_url="{base_url}",
    settings=(
        Setting(name="api_key", env=("MOONSHOT_API_KEY", "MOONSHOTAI_API_KEY"), secret=True),
        Setting(
            name="base_url",
            env=("MOONSHOT_BASE_URL", "MOONSHOTAI_BASE_URL"),
            default="https://api.moonshot.ai/v1",
        ),
    ),
    auth=BearerAuth(),
    models=lambda: PROVIDER_MODELS,
    protocols={"text": {"openai_chat": MoonshotChat()}},
    defaults={"text": "kimi-k3"},
    list_models_path="/models",
)
