"""Cohere (https://docs.cohere.com), in its own protocol: Chat v2."""

from betterai.core.provider import BearerAuth, Provider, Setting
from betterai.providers.cohere.chat import CohereChat
from betterai.providers.cohere.embed import CohereEmbed
from betterai.providers.cohere.models import PROVIDER_MODELS
from betterai.providers.cohere.rerank import CohereRerank
from betterai.providers.cohere.tokenize import CohereTokenize
from betterai.providers.cohere.transcriptions import CohereTranscriptions

PROVIDER = Provider(
    name="cohere",
    title="Cohere",
    docs="https://dashboard.cohere.com/api-keys",
    base_url="{base_url}",
    settings=(
        Setting(name="api_key", env=("CO_API_KEY", "COHERE_API_KEY"), secret=True),
        Setting(name="base_url", env=("CO_API_URL",), default="https://api.cohere.com"),
        Setting(
            name="client_name",
            env=("CO_CLIENT_NAME",),
            required=False,
            about="the name of your program, for their logs",
        ),
    ),
    auth=BearerAuth(),
    headers={"X-Client-Name": "{client_name}"},
    models=lambda: PROVIDER_MODELS,
    protocols={
        "text": {"cohere_chat": CohereChat()},
        "count": {"cohere_chat": CohereTokenize()},
        "embeddings": {"cohere_embed": CohereEmbed()},
        "rerank": {"rerank": CohereRerank()},
        "audio": {"openai_transcriptions": CohereTranscriptions()},
    },
    defaults={"text": "command-a-03-2025", "embeddings": "embed-v4.0", "rerank": "rerank-v4.0-fast"},
    list_models_path="/v1/models",
)
