"""llama.cpp's deviations from Messages, tried on its server (2026-10): it makes a request of Chat of it."""

from __future__ import annotations

from typing import Any, ClassVar

from betterai.core.codec import TextCall
from betterai.wire.anthropic_messages import AnthropicCount, AnthropicMessages
from betterai.wire.only_tool import require_only_tool
from betterai.wire.report import Report


class LlamaCppMessages(AnthropicMessages):
    """It reads pictures, no documents, and leaves out in silence what it does not know; where a tool is named that is
    to be called, it calls any.
    """

    path = "/messages"
    accepts: ClassVar = {"image": frozenset({"bytes", "url"})}
    server_tools = False
    cache_marks = False
    thinking_forms = ("enabled", "disabled")
    efforts = ()
    unsupported: ClassVar = dict.fromkeys(
        ("user", "metadata", "service_tier", "cache", "response_format", "web_search"),
        "llama.cpp does not take it here",
    )

    def _write_tool_choice(self, body: dict[str, Any], call: TextCall, report: Report) -> None:
        super()._write_tool_choice(body, call, report)
        choice = body.get("tool_choice") or {}
        if choice.get("type") == "tool":
            require_only_tool(choice["name"], call.settings.tools, report)
            body["tool_choice"] = {**{key: value for key, value in choice.items() if key != "name"}, "type": "any"}


class LlamaCppCount(AnthropicCount):
    """Counts with the template of the conversation and the tools, as the server writes them for its model."""

    path: ClassVar[str] = "/messages/count_tokens"
