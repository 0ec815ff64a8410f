"""Amazon Bedrock (https://docs.aws.amazon.com/bedrock/)."""

from betterai.core.provider import Provider, Setting, SigV4Auth
from betterai.providers.bedrock.chat import BedrockChat
from betterai.providers.bedrock.converse import Converse
from betterai.providers.bedrock.embeddings import BedrockEmbedByType, TitanEmbeddings
from betterai.providers.bedrock.models import PROVIDER_MODELS
from betterai.providers.bedrock.responses import BedrockResponses
from betterai.wire.bedrock_converse import BedrockCountTokens

_CONVERSE = Converse()

PROVIDER = Provider(
    name="bedrock",
    title="Amazon Bedrock",
    otel_name="aws.bedrock",
    docs="https://docs.aws.amazon.com/bedrock/latest/userguide/api-keys.html",
    base_url="https://bedrock-runtime.{region}.{domain}",
    settings=(
        Setting(name="api_key", env=("AWS_BEARER_TOKEN_BEDROCK",), secret=True, required=False),
        Setting(name="access_key_id", env=("AWS_ACCESS_KEY_ID",), secret=True, required=False),
        Setting(name="secret_access_key", env=("AWS_SECRET_ACCESS_KEY",), secret=True, required=False),
        Setting(name="session_token", env=("AWS_SESSION_TOKEN",), secret=True, required=False),
        Setting(name="profile", env=("AWS_PROFILE",), required=False, about="a profile of the AWS command line"),
        Setting(name="region", env=("AWS_REGION", "AWS_DEFAULT_REGION"), about="such as us-east-1"),
        Setting(name="domain", default="amazonaws.com", about="amazonaws.com.cn in China"),
    ),
    auth=SigV4Auth(service="bedrock"),
    models=lambda: PROVIDER_MODELS,
    protocols={
        "text": {
            "bedrock_converse": _CONVERSE,
            "openai_chat": BedrockChat(),
            "openai_responses": BedrockResponses(),
        },
        "count": {"bedrock_converse": BedrockCountTokens(_CONVERSE)},
        "embeddings": {"titan_embed": TitanEmbeddings(), "cohere_embed": BedrockEmbedByType()},
    },
    defaults={"text": "global.amazon.nova-2-lite-v1:0", "embeddings": "amazon.titan-embed-text-v2:0"},
)
