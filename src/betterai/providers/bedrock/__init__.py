"""Amazon Bedrock (https://docs.aws.amazon.com/bedrock/)."""

from betterai.core.provider import BearerAuth, Provider, Setting
from betterai.providers.bedrock.chat import BedrockChat
from betterai.providers.bedrock.converse import Converse
from betterai.wire.bedrock_converse import BedrockCountTokens

_CONVERSE = Converse()

PROVIDER = Provider(
    name="bedrock",
    title="Amazon Bedrock",
    docs="https://docs.aws.amazon.com/bedrock/latest/userguide/api-keys.html",
    base_url="https://bedrock-runtime.{region}.{domain}",
    settings=(
        Setting(name="api_key", env=("AWS_BEARER_TOKEN_BEDROCK",), secret=True),
        Setting(name="region", env=("AWS_REGION", "AWS_DEFAULT_REGION"), about="such as us-east-1"),
        Setting(name="domain", default="amazonaws.com", about="amazonaws.com.cn in China"),
    ),
    auth=BearerAuth(),
    protocols={
        "text": {"bedrock_converse": _CONVERSE, "openai_chat": BedrockChat()},
        "count": {"bedrock_converse": BedrockCountTokens(_CONVERSE)},
    },
)
