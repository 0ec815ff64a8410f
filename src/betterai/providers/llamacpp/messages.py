"""llama.cpp's deviations from Messages, tried on its server (2026-10): it makes a request of Chat of it."""

from __future__ import annotations

from typing import Any, ClassVar

from betterai.core.codec import TextCall
from betterai.wire.anthropic_messages import AnthropicCount, AnthropicMessages
from betterai.wire.only_tool import require_only_tool
from betterai.wire.report import Report


class LlamaCppMessages(AnthropicMessages):
    """It reads pictures, and no documents; it passes over `output_config`, and over the name of a tool to be called."""

    path = "/messages"
    accepts: ClassVar = {"image": frozenset({"bytes", "url"})}
    unsupported: ClassVar = {
        "response_format": "llama.cpp holds no answer of Messages to a schema: ask by another protocol",
        "service_tier": "there is one tier",
    }

    def _write_tool_choice(self, body: dict[str, Any], call: TextCall, report: Report) -> None:
        super()._write_tool_choice(body, call, report)
        choice = body.get("tool_choice") or {}
        if choice.get("type") == "tool":
            require_only_tool(choice["name"], call.settings.tools, report)
            body["tool_choice"] = {**{key: value for key, value in choice.items() if key != "name"}, "type": "any"}


class LlamaCppCount(AnthropicCount):
    """Counts with the template of the conversation and the tools, as the server writes them for its model."""

    path: ClassVar[str] = "/messages/count_tokens"
