"""OpenRouter (https://openrouter.ai/docs): the models of many makers behind one key."""

from betterai.core.provider import BearerAuth, Provider, Setting
from betterai.providers.openrouter.chat import OpenRouterChat
from betterai.providers.openrouter.embeddings import OpenRouterEmbeddings
from betterai.providers.openrouter.images import OpenRouterImages
from betterai.providers.openrouter.models import PROVIDER_MODELS
from betterai.providers.openrouter.responses import OpenRouterResponses
from betterai.providers.openrouter.transcriptions import OpenRouterTranscriptions
from betterai.wire.rerank import Rerank

PROVIDER = Provider(
    name="openrouter",
    title="OpenRouter",
    docs="https://openrouter.ai/settings/keys",
    base_url="{base_url}",
    settings=(
        Setting(name="api_key", env=("OPENROUTER_API_KEY",), secret=True),
        Setting(name="base_url", env=("OPENROUTER_BASE_URL",), default="https://openrouter.ai/api/v1"),
        Setting(
            name="app_url", env=("OPENROUTER_APP_URL",), required=False, about="shown in OpenRouter's rankings of apps"
        ),
        Setting(name="app_title", env=("OPENROUTER_APP_TITLE",), required=False),
    ),
    auth=BearerAuth(),
    headers={"HTTP-Referer": "{app_url}", "X-Title": "{app_title}"},
    models=lambda: PROVIDER_MODELS,
    protocols={
        "text": {"openai_chat": OpenRouterChat(), "openai_responses": OpenRouterResponses()},
        "embeddings": {"openai_embeddings": OpenRouterEmbeddings()},
        "rerank": {"rerank": Rerank()},
        "image": {"openai_images": OpenRouterImages()},
        "audio": {"openai_transcriptions": OpenRouterTranscriptions()},
    },
    defaults={"text": "openai/gpt-oss-120b"},
    list_models_path="/models",
)
