"""Claude in Azure AI Foundry (https://learn.microsoft.com/azure/ai-foundry/foundry-models/how-to/use-foundry-models-claude)."""

from __future__ import annotations

import re

import msgspec

from betterai.core.codec import TextCall
from betterai.core.wire import WireRequest
from betterai.wire.anthropic_messages import AnthropicMessages
from betterai.wire.report import Report

_OTHER_WAYS = re.compile(r"(/openai(/v1)?|/models|/anthropic(/v1)?|/api/projects/[^/]+)/?$")


class AzureMessages(AnthropicMessages):
    """Messages as Anthropic has them, beside the other protocols of the same resource."""

    def finish_request(self, call: TextCall, request: WireRequest, report: Report) -> WireRequest:
        endpoint = call.provider_settings.get("base_url", "").rstrip("/")
        url = _OTHER_WAYS.sub("", endpoint) + "/anthropic" + self.path
        return super().finish_request(call, msgspec.structs.replace(request, url=url), report)
