"""Azure's deviations from Responses: where it is asked (openai 3.54.0, lib/azure.py, 2026-11-22)."""

from __future__ import annotations

from betterai.core.codec import TextCall
from betterai.core.wire import WireRequest
from betterai.providers.azure.address import address
from betterai.providers.azure.options import AzureOptions
from betterai.wire.openai_responses import OpenAIResponses, OpenAIResponsesBackground, find_background


class AzureResponses(OpenAIResponses):
    """The models of OpenAI that are deployed there, and some others."""

    strict_default = True
    vendor_options = frozenset(AzureOptions.__annotations__)

    def background(self, call: TextCall) -> OpenAIResponsesBackground | None:
        return find_background(self, call)

    def build_request(self, call: TextCall) -> WireRequest:
        return address(super().build_request(call), call, self.path, deployed=False)
