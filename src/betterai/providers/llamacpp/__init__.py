"""A llama.cpp server (https://github.com/ggml-org/llama.cpp/tree/master/tools/server)."""

from betterai.core.provider import BearerAuth, Provider, Setting
from betterai.providers.llamacpp.chat import LlamaCppChat
from betterai.providers.llamacpp.embeddings import LlamaCppEmbeddings
from betterai.providers.llamacpp.messages import LlamaCppCount, LlamaCppMessages
from betterai.providers.llamacpp.responses import LlamaCppResponses
from betterai.providers.llamacpp.tokenize import LlamaCppTokenize
from betterai.wire.openai_responses import OpenAIResponsesCount
from betterai.wire.rerank import Rerank

_RESPONSES, _MESSAGES = LlamaCppResponses(), LlamaCppMessages()
PROVIDER = Provider(
    name="llamacpp",
    title="llama.cpp",
    docs="https://github.com/ggml-org/llama.cpp/tree/master/tools/server",
    base_url="{base_url}",
    settings=(
        Setting(
            name="api_key",
            env=("LLAMACPP_API_KEY", "LLAMA_API_KEY"),
            secret=True,
            required=False,
            about="what `llama-server --api-key` says",
        ),
        Setting(name="base_url", env=("LLAMACPP_BASE_URL",), default="http://localhost:8080/v1"),
    ),
    auth=BearerAuth(),
    protocols={
        "text": {
            "openai_chat": LlamaCppChat(),
            "openai_responses": _RESPONSES,
            "anthropic_messages": _MESSAGES,
        },
        "count": {
            "openai_chat": LlamaCppTokenize(),
            "openai_responses": OpenAIResponsesCount(_RESPONSES),
            "anthropic_messages": LlamaCppCount(_MESSAGES),
        },
        "embeddings": {"openai_embeddings": LlamaCppEmbeddings()},
        "rerank": {"rerank": Rerank()},
    },
    defaults={"text": "default", "embeddings": "default", "rerank": "default"},
    codec_settings=("base_url",),
    list_models_path="/models",
)
"""A server with one model answers with it whatever name is asked for, hence the default."""
