"""llama.cpp's deviations from Responses, tried on its server (2026-10): it makes a request of Chat of it."""

from __future__ import annotations

from typing import Any, ClassVar

from betterai.core.codec import TextCall
from betterai.core.tools import JsonSchema
from betterai.wire.only_tool import require_only_tool
from betterai.wire.openai_chat.tools import build_json_schema
from betterai.wire.openai_responses import OpenModelsResponses
from betterai.wire.report import Report


class LlamaCppResponses(OpenModelsResponses):
    """Fields of Chat Completions are taken too; of its own, the server passes over `text` and `include`. An answer that
    reached its limit is said to be completed.
    """

    extra_fields = frozenset({"top_k", "min_p", "seed", "stop", "frequency_penalty", "presence_penalty", "logit_bias"})
    typed_messages = True
    unsupported: ClassVar = dict.fromkeys(
        (
            "moderation", "safety_identifier", "service_tier", "store", "metadata", "user", "verbosity", "cache",
            "web_search", "logprobs", "top_logprobs",
        ),
        "llama.cpp does not take it",
    )  # fmt: skip

    def _write(self, body: dict[str, Any], name: str, value: Any, call: TextCall, report: Report) -> None:
        super()._write(body, name, value, call, report)
        if name == "response_format":
            form = body.pop("text")["format"]
            if isinstance(value, JsonSchema):
                form = {"type": "json_schema", "json_schema": build_json_schema(value)}
            body["response_format"] = form
        elif name == "tool_choice" and isinstance(choice := body[name], dict):
            require_only_tool(choice.get("name"), call.settings.tools, report)
            body[name] = "required"
