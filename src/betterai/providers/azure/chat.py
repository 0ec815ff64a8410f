"""Azure's deviations from Chat Completions: mostly where it is asked (openai 3.54.0, lib/azure.py, 2026-11-22)."""

from __future__ import annotations

from typing import ClassVar
from urllib.parse import quote

import msgspec

from betterai.core.codec import TextCall
from betterai.core.wire import WireRequest
from betterai.wire.openai_chat import OpenAIChat

FOUNDRY_VERSION = "2024-05-01-preview"
"""The version of `/models` (https://learn.microsoft.com/rest/api/aifoundry/model-inference)."""


class AzureChat(OpenAIChat):
    """OpenAI's own protocol, and the models of others too."""

    accepts: ClassVar = {"image": frozenset({"bytes", "url"}), "audio": frozenset({"bytes"})}
    finish_reasons: ClassVar = {**OpenAIChat.finish_reasons, "tool_call": "tool_calls"}

    def build_request(self, call: TextCall) -> WireRequest:
        request = super().build_request(call)
        url, version = self._find_address(call)
        query = {"api-version": version, **request.query} if version else request.query
        return msgspec.structs.replace(request, url=url, query=query)

    def _find_address(self, call: TextCall) -> tuple[str, str]:
        """The path under the endpoint, and the version to state: the folder's docstring has the table."""
        endpoint = call.provider_settings.get("base_url", "").rstrip("/")
        version = call.provider_settings.get("api_version", "")
        dated = version[:1].isdigit()
        if endpoint.endswith("/openai/v1"):
            return self.path, "" if dated else version
        if endpoint.endswith("/models"):
            return self.path, version or FOUNDRY_VERSION
        root = "" if endpoint.endswith("/openai") else "/openai"
        if dated:
            return f"{root}/deployments/{quote(call.model.id, safe='')}{self.path}", version
        return f"{root}/v1{self.path}", version
