"""The Converse protocol of AWS, both halves (https://docs.aws.amazon.com/bedrock/latest/userguide/conversation-inference.html)."""

from betterai.wire.bedrock_converse.client import BedrockConverse
from betterai.wire.bedrock_converse.count import BedrockCountTokens
from betterai.wire.bedrock_converse.server import BedrockConverseSurface

__all__ = ["BedrockConverse", "BedrockConverseSurface", "BedrockCountTokens"]
