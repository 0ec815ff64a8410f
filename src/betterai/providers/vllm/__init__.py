"""A vLLM server (https://docs.vllm.ai/en/latest/serving/openai_compatible_server.html)."""

from betterai.core.provider import BearerAuth, Provider, Setting
from betterai.providers.vllm.chat import VLLMChat
from betterai.providers.vllm.embeddings import VLLMEmbeddings
from betterai.providers.vllm.responses import VLLMResponses
from betterai.providers.vllm.tokenize import VLLMTokenize
from betterai.wire.rerank import Rerank

PROVIDER = Provider(
    name="vllm",
    title="vLLM",
    docs="https://docs.vllm.ai/en/latest/serving/openai_compatible_server.html",
    base_url="{base_url}",
    settings=(
        Setting(
            name="api_key", env=("VLLM_API_KEY",), secret=True, required=False, about="what `vllm serve --api-key` says"
        ),
        Setting(name="base_url", env=("VLLM_BASE_URL",), default="http://localhost:8000/v1"),
    ),
    auth=BearerAuth(),
    protocols={
        "text": {"openai_chat": VLLMChat(), "openai_responses": VLLMResponses()},
        "count": {"openai_chat": VLLMTokenize()},
        "embeddings": {"openai_embeddings": VLLMEmbeddings()},
        "rerank": {"rerank": Rerank()},
    },
    codec_settings=("base_url",),
    list_models_path="/models",
)
