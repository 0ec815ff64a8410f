"""Where Azure is asked: the endpoint, and the version where there is one, say which of its ways is taken."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import msgspec

from betterai.core.exceptions import ConfigurationError
from betterai.core.wire import Call, WireRequest

FOUNDRY_VERSION = "2024-05-01-preview"
"""The version of `/models` (https://learn.microsoft.com/rest/api/aifoundry/model-inference)."""


def address(request: WireRequest, call: Call[Any, Any], path: str, *, deployed: bool) -> WireRequest:
    """The request at its place. `deployed` says that, with a dated version, the path is under the deployment's own."""
    url, version = find_address(call, path, deployed=deployed)
    query = {"api-version": version, **request.query} if version else request.query
    return msgspec.structs.replace(request, url=url, query=query)


def find_address(call: Call[Any, Any], path: str, *, deployed: bool) -> tuple[str, str]:
    """The path under the endpoint, and the version to state: the folder's docstring has the table."""
    endpoint = call.provider_settings.get("base_url", "").rstrip("/")
    version = call.provider_settings.get("api_version", "")
    dated = version[:1].isdigit()
    if endpoint.endswith("/openai/v1"):
        return path, "" if dated else version
    if endpoint.endswith("/models"):
        if not deployed:
            hint = "set AZURE_OPENAI_ENDPOINT to https://RESOURCE.openai.azure.com"
            raise ConfigurationError(f"an endpoint that ends in /models does not serve {path}", hint=hint)
        return path, version or FOUNDRY_VERSION
    root = "" if endpoint.endswith("/openai") else "/openai"
    if not dated:
        return f"{root}/v1{path}", version
    return f"{root}/deployments/{quote(call.model.id, safe='')}{path}" if deployed else f"{root}{path}", version
