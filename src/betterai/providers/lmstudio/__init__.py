"""LM Studio's server (https://lmstudio.ai/docs/developer/openai-compat)."""

from betterai.core.provider import BearerAuth, Provider, Setting
from betterai.providers.lmstudio.chat import LMStudioChat
from betterai.providers.lmstudio.embeddings import LMStudioEmbeddings
from betterai.providers.lmstudio.responses import LMStudioResponses

PROVIDER = Provider(
    name="lmstudio",
    title="LM Studio",
    docs="https://lmstudio.ai/docs/developer/openai-compat",
    base_url="{base_url}",
    settings=(
        Setting(name="api_key", env=("LMSTUDIO_API_KEY", "LM_API_TOKEN"), secret=True, required=False),
        Setting(name="base_url", env=("LMSTUDIO_BASE_URL",), default="http://localhost:1234/v1"),
    ),
    auth=BearerAuth(),
    protocols={
        "text": {"openai_chat": LMStudioChat(), "openai_responses": LMStudioResponses()},
        "embeddings": {"openai_embeddings": LMStudioEmbeddings()},
    },
    list_models_path="/models",
)
