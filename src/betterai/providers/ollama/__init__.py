"""Ollama, on this machine or in its cloud (https://docs.ollama.com): in its own protocol, or in the compatible one."""

from betterai.core.provider import BearerAuth, Provider, Setting
from betterai.providers.ollama.chat import OllamaChat
from betterai.providers.ollama.embed import OllamaEmbed
from betterai.providers.ollama.embeddings import OllamaEmbeddings
from betterai.providers.ollama.host import read_base_url
from betterai.providers.ollama.messages import OllamaMessages
from betterai.providers.ollama.native import OllamaNative
from betterai.providers.ollama.responses import OllamaResponses

PROVIDER = Provider(
    name="ollama",
    title="Ollama",
    docs="https://ollama.com/settings/keys",
    base_url="{base_url}",
    settings=(
        Setting(
            name="api_key",
            env=("OLLAMA_API_KEY",),
            secret=True,
            required=False,
            about="for the cloud: https://ollama.com",
        ),
        Setting(
            name="base_url",
            env=("OLLAMA_BASE_URL", "OLLAMA_HOST"),
            default="http://localhost:11434",
            read=read_base_url,
        ),
    ),
    auth=BearerAuth(),
    protocols={
        "text": {
            "ollama_chat": OllamaNative(),
            "openai_chat": OllamaChat(),
            "openai_responses": OllamaResponses(),
            "anthropic_messages": OllamaMessages(),
        },
        "embeddings": {"ollama_embed": OllamaEmbed(), "openai_embeddings": OllamaEmbeddings()},
    },
    list_models_path="/v1/models",
)
