"""The Messages protocol, both halves (https://platform.claude.com/docs/en/api/messages)."""

from betterai.wire.anthropic_messages.client import AnthropicMessages
from betterai.wire.anthropic_messages.count import AnthropicCount
from betterai.wire.anthropic_messages.server import AnthropicMessagesSurface

__all__ = ["AnthropicCount", "AnthropicMessages", "AnthropicMessagesSurface"]
