"""Azure's embeddings: OpenAI's, asked where the endpoint and the version say (openai 3.54.0, lib/azure.py)."""

from __future__ import annotations

from betterai.core.codec import EmbeddingCall
from betterai.core.wire import WireRequest
from betterai.providers.azure.address import address
from betterai.wire.openai_embeddings import OpenAIEmbeddings


class AzureEmbeddings(OpenAIEmbeddings):
    """OpenAI's own protocol, and the models of others too."""

    def build_request(self, call: EmbeddingCall) -> WireRequest:
        return address(super().build_request(call), call, self.path, deployed=True)
