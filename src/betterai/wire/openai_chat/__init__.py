"""The Chat Completions protocol, both halves (https://platform.openai.com/docs/api-reference/chat)."""

from betterai.wire.openai_chat.client import OpenAIChat
from betterai.wire.openai_chat.server import OpenAIChatSurface

__all__ = ["OpenAIChat", "OpenAIChatSurface"]
