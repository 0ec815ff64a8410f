"""Ollama's own protocol: `/api/chat` (api/types.go and server/routes.go, ollama/ollama @fb30760)."""

from betterai.providers.ollama.native.client import OllamaNative

__all__ = ["OllamaNative"]
