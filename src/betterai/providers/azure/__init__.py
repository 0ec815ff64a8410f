"""Azure OpenAI and Azure AI Foundry (https://learn.microsoft.com/azure/ai-foundry/openai/api-version-lifecycle).

The endpoint, with `api_version` where there is one, says which of three ways is taken; models are deployments' names:

| endpoint | api_version | asked at |
|---|---|---|
| https://RESOURCE.openai.azure.com | none | /openai/v1/chat/completions |
| the same | 2024-10-21, 2025-04-01-preview … | /openai/deployments/MODEL/chat/completions |
| https://RESOURCE.services.ai.azure.com/models | none: 2024-05-01-preview | /models/chat/completions |

Claude is asked at /anthropic/v1/messages of the same resource (https://RESOURCE.services.ai.azure.com).

Responses, chosen with `CoreConfig(protocol="openai_responses")`, are asked at /openai/v1/responses, and with a dated
version at /openai/responses. An endpoint that ends in /openai/v1 is the first way whatever the version. A key is sent
as `api-key`; in its place an Entra token in AZURE_OPENAI_AD_TOKEN is sent as a bearer (scope
https://cognitiveservices.azure.com/.default).
"""

from betterai.core.provider import HeaderAuth, Provider, Setting
from betterai.providers.azure.audio import AzureSpeech, AzureTranscriptions
from betterai.providers.azure.batches import AzureBatches
from betterai.providers.azure.chat import AzureChat
from betterai.providers.azure.embeddings import AzureEmbeddings
from betterai.providers.azure.images import AzureImages
from betterai.providers.azure.messages import AzureMessages
from betterai.providers.azure.models import PROVIDER_MODELS
from betterai.providers.azure.realtime import AzureRealtime, AzureVoiceLive
from betterai.providers.azure.responses import AzureResponses

PROVIDER = Provider(
    name="azure",
    title="Azure OpenAI",
    otel_name="azure.ai.openai",
    docs="https://portal.azure.com",
    base_url="{base_url}",
    settings=(
        Setting(name="ad_token", env=("AZURE_OPENAI_AD_TOKEN",), secret=True, required=False, about="an Entra token"),
        Setting(name="api_key", env=("AZURE_OPENAI_API_KEY",), secret=True, instead="ad_token"),
        Setting(
            name="base_url", env=("AZURE_OPENAI_ENDPOINT",), about="the endpoint: https://RESOURCE.openai.azure.com"
        ),
        Setting(
            name="api_version",
            env=("AZURE_OPENAI_API_VERSION", "OPENAI_API_VERSION"),
            required=False,
            about="a dated version: the deployments are asked under their own paths",
        ),
    ),
    auth=HeaderAuth(header="api-key"),
    headers={"Authorization": "Bearer {ad_token}"},
    models=lambda: PROVIDER_MODELS,
    protocols={
        "text": {
            "openai_chat": AzureChat(),
            "openai_responses": AzureResponses(),
            "anthropic_messages": AzureMessages(),
        },
        "embeddings": {"openai_embeddings": AzureEmbeddings()},
        "image": {"openai_images": AzureImages()},
        "audio": {"openai_transcriptions": AzureTranscriptions()},
        "tts": {"openai_speech": AzureSpeech()},
        "batch": {"openai_batches": AzureBatches()},
        "realtime": {"openai_realtime": AzureRealtime(), "azure_voice_live": AzureVoiceLive()},
    },
    codec_settings=("base_url", "api_version"),
)
