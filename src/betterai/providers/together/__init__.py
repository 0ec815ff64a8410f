"""Together AI (https://docs.together.ai)."""

from betterai.core.provider import BearerAuth, Provider, Setting
from betterai.providers.together.chat import TogetherChat
from betterai.providers.together.embeddings import TogetherEmbeddings
from betterai.providers.together.images import TogetherImages
from betterai.providers.together.models import PROVIDER_MODELS
from betterai.wire.rerank import Rerank

PROVIDER = Provider(
    name="together",
    title="Together AI",
    docs="https://api.together.ai/settings/api-keys",
    base_url="{base_url}",
    settings=(
        Setting(name="api_key", env=("TOGETHER_API_KEY", "TOGETHER_AI_API_KEY"), secret=True),
        Setting(name="base_url", env=("TOGETHER_BASE_URL",), default="https://api.together.ai/v1"),
    ),
    auth=BearerAuth(),
    hosts=("api.together.xyz",),
    models=lambda: PROVIDER_MODELS,
    protocols={
        "text": {"openai_chat": TogetherChat()},
        "embeddings": {"openai_embeddings": TogetherEmbeddings()},
        "rerank": {"rerank": Rerank()},
        "image": {"openai_images": TogetherImages()},
    },
    defaults={"text": "openai/gpt-oss-120b"},
    list_models_path="/models",
)
