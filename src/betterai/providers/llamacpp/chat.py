"""llama.cpp's deviations from Chat Completions (tools/server/README.md, ggml-org/llama.cpp @00dc805)."""

from __future__ import annotations

from typing import Any, ClassVar

from msgspec.structs import replace

from betterai.core.codec import TextCall
from betterai.core.settings import ReasoningControl
from betterai.providers.llamacpp.options import LlamaCppOptions
from betterai.wire.only_tool import require_only_tool
from betterai.wire.openai_chat import OpenAIChat
from betterai.wire.openai_chat.fields import OPENAI_OWN
from betterai.wire.report import Report


class LlamaCppChat(OpenAIChat):
    """It says how long it took in `timings`, which `response.raw` holds. Where a tool is named that is to be called, it
    calls any (tried on its server, 2026-10).
    """

    max_tokens_fields = ("max_tokens",)
    extra_fields = frozenset({"top_k", "min_p"})
    vendor_options = frozenset(LlamaCppOptions.__annotations__)
    developer_role = False
    functions_only = True
    cache_marks = False
    allowed_tools = False
    reasoning_field = "reasoning_content"
    reasoning_names: ClassVar = {"format": "reasoning_format"}
    accepts: ClassVar = {"image": frozenset({"bytes", "url"}), "audio": frozenset({"bytes"})}
    unsupported: ClassVar = dict.fromkeys((*OPENAI_OWN, "user"), "llama.cpp does not take it")

    def _write(self, body: dict[str, Any], name: str, value: Any, call: TextCall, report: Report) -> None:
        super()._write(body, name, value, call, report)
        if name == "tool_choice" and isinstance(choice := body[name], dict):
            require_only_tool(choice.get("function", {}).get("name"), call.settings.tools, report)
            body[name] = "required"

    def write_reasoning_control(
        self, body: dict[str, Any], control: ReasoningControl, call: TextCall, report: Report
    ) -> None:
        if control.enabled is not None:
            body["chat_template_kwargs"] = {"enable_thinking": control.enabled}
        super().write_reasoning_control(body, replace(control, enabled=None), call, report)
