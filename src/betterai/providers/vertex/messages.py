"""Claude on Vertex AI (https://cloud.google.com/vertex-ai/generative-ai/docs/partner-models/claude/use-claude)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar
from urllib.parse import quote

import msgspec

from betterai.core.codec import TextCall
from betterai.core.wire import WireRequest
from betterai.wire.anthropic_messages import AnthropicMessages
from betterai.wire.report import Report


class VertexMessages(AnthropicMessages):
    """The model stands in the path, and the version in the body. `publisher_path` is where the models are, under the
    base URL of a project and a location.
    """

    accepts: ClassVar[Mapping[str, frozenset[str]]] = {
        "image": frozenset({"bytes"}),
        "document": frozenset({"bytes"}),
    }
    version = "vertex-2023-10-16"
    sampling_version = "vertex-2023-10-16"
    publisher_path: ClassVar[str] = "/publishers/anthropic/models"

    def answers(self, path: str) -> bool:
        return path.endswith((":rawPredict", ":streamRawPredict"))

    def build_headers(self, call: TextCall, body: dict[str, Any], report: Report) -> dict[str, str]:
        """Without a version: it goes into the body, where a caller may have put one already."""
        headers = super().build_headers(call, body, report)
        del headers[next(name for name in headers if name.lower() == "anthropic-version")]
        return headers

    def finish_request(self, call: TextCall, request: WireRequest, report: Report) -> WireRequest:
        body: dict[str, Any] = {"anthropic_version": self.version, **request.body}  # type: ignore[dict-item]
        del body["model"]
        verb = "streamRawPredict" if call.stream else "rawPredict"
        url = f"{self.publisher_path}/{quote(call.model.id, safe='@')}:{verb}"
        return super().finish_request(call, msgspec.structs.replace(request, url=url, body=body), report)
