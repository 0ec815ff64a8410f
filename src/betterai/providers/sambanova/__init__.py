"""SambaNova (https://docs.sambanova.ai).

Nothing of it was recorded: what is known is that it follows OpenAI.
"""

from betterai.core.provider import BearerAuth, Provider, Setting
from betterai.providers.sambanova.chat import SambaNovaChat
from betterai.providers.sambanova.models import PROVIDER_MODELS

PROVIDER = Provider(
    name="sambanova",
    title="SambaNova",
    docs="https://cloud.sambanova.ai/apis",
    base_url="{base_url}",
    settings=(
        Setting(name="api_key", env=("SAMBANOVA_API_KEY",), secret=True),
        Setting(name="base_url", env=("SAMBANOVA_BASE_URL",), default="https://api.sambanova.ai/v1"),
    ),
    auth=BearerAuth(),
    models=lambda: PROVIDER_MODELS,
    protocols={"text": {"openai_chat": SambaNovaChat()}},
    defaults={"text": "gpt-oss-120b"},
    list_models_path="/models",
)
