"""Ollama, on this machine or in its cloud (https://docs.ollama.com), by way of its OpenAI-compatible `/v1`."""

from betterai.core.provider import BearerAuth, Provider, Setting
from betterai.providers.ollama.chat import OllamaChat
from betterai.providers.ollama.host import read_base_url
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
            default="http://localhost:11434/v1",
            read=read_base_url,
        ),
    ),
    auth=BearerAuth(),
    protocols={"text": {"openai_chat": OllamaChat(), "openai_responses": OllamaResponses()}},
    list_models_path="/models",
)
