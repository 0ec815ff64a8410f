"""The server halves by protocol: what a gateway can serve, and a relay can pass through."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from betterai.core.codec import TextSurface
from betterai.wire.anthropic_messages import AnthropicMessagesSurface
from betterai.wire.bedrock_converse import BedrockConverseSurface
from betterai.wire.gemini import GeminiSurface
from betterai.wire.openai_chat import OpenAIChatSurface
from betterai.wire.openai_responses import OpenAIResponsesSurface

SURFACES: Mapping[str, Callable[[], TextSurface]] = {
    OpenAIChatSurface.protocol: OpenAIChatSurface,
    OpenAIResponsesSurface.protocol: OpenAIResponsesSurface,
    BedrockConverseSurface.protocol: BedrockConverseSurface,
    GeminiSurface.protocol: GeminiSurface,
    AnthropicMessagesSurface.protocol: AnthropicMessagesSurface,
}
