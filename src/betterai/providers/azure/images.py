"""Azure's pictures: OpenAI's, asked where the endpoint and the version say (openai 3.54.0, lib/azure.py)."""

from __future__ import annotations

from betterai.core.codec import ImageCall
from betterai.core.wire import WireRequest
from betterai.providers.azure.address import address
from betterai.wire.openai_images import OpenAIImages


class AzureImages(OpenAIImages):
    """OpenAI's own protocol."""

    def build_request(self, call: ImageCall) -> WireRequest:
        request = super().build_request(call)
        return address(request, call, self.address(call), deployed=True)
