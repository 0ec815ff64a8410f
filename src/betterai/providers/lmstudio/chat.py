"""LM Studio's deviations from Chat Completions (https://lmstudio.ai/docs/developer/openai-compat, 2026-11)."""

from __future__ import annotations

from typing import Any, ClassVar

from betterai.core.codec import TextCall
from betterai.providers.lmstudio.options import LMStudioOptions
from betterai.wire.only_tool import require_only_tool
from betterai.wire.openai_chat import OpenAIChat
from betterai.wire.openai_chat.fields import OPENAI_OWN
from betterai.wire.report import Report


class LMStudioChat(OpenAIChat):
    """A tool cannot be named, but any can be required (https://github.com/lmstudio-ai/docs/issues/177)."""

    max_tokens_fields = ("max_tokens",)
    extra_fields = frozenset({"top_k"})
    vendor_options = frozenset(LMStudioOptions.__annotations__)
    json_object = False
    developer_role = False
    functions_only = True
    cache_marks = False
    accepts: ClassVar = {"image": frozenset({"bytes"})}
    unsupported: ClassVar = dict.fromkeys(
        (*OPENAI_OWN, "n", "user", "parallel_tool_calls"), "LM Studio does not take it"
    )

    def _write(self, body: dict[str, Any], name: str, value: Any, call: TextCall, report: Report) -> None:
        super()._write(body, name, value, call, report)
        if name == "tool_choice" and isinstance(choice := body[name], dict):
            require_only_tool(choice.get("function", {}).get("name"), call.settings.tools, report)
            body[name] = "required"
