"""Azure's deviations from Chat Completions: mostly where it is asked (openai 3.54.0, lib/azure.py, 2026-11-22)."""

from __future__ import annotations

from typing import ClassVar

from betterai.core.codec import TextCall
from betterai.core.wire import WireRequest
from betterai.providers.azure.address import address
from betterai.wire.openai_chat import OpenAIChat


class AzureChat(OpenAIChat):
    """OpenAI's own protocol, and the models of others too."""

    accepts: ClassVar = {"image": frozenset({"bytes", "url"}), "audio": frozenset({"bytes"})}

    def build_request(self, call: TextCall) -> WireRequest:
        return address(super().build_request(call), call, self.path, deployed=True)
