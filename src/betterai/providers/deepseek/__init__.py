"""DeepSeek (https://api-docs.deepseek.com)."""

from betterai.core.provider import BearerAuth, Provider, Setting
from betterai.providers.deepseek.chat import DeepSeekChat
from betterai.providers.deepseek.models import PROVIDER_MODELS
from betterai.providers.deepseek.responses import DeepSeekResponses

PROVIDER = Provider(
    name="deepseek",
    title="DeepSeek",
    docs="https://platform.deepseek.com/api_keys",
    base_url="{base_url}",
    settings=(
        Setting(name="api_key", env=("DEEPSEEK_API_KEY",), secret=True),
        Setting(name="base_url", env=("DEEPSEEK_BASE_URL",), default="https://api.deepseek.com"),
    ),
    auth=BearerAuth(),
    models=lambda: PROVIDER_MODELS,
    protocols={"text": {"openai_chat": DeepSeekChat(), "openai_responses": DeepSeekResponses()}},
    defaults={"text": "deepseek-v4-flash"},
    list_models_path="/models",
)
