"""vLLM's deviations from Chat Completions (docs/serving/online_serving, vllm-project/vllm @0272b2c)."""

from __future__ import annotations

from typing import Any, ClassVar

from msgspec.structs import replace

from betterai.core.codec import TextCall
from betterai.core.settings import ReasoningControl
from betterai.providers.vllm.options import VLLMOptions
from betterai.wire.openai_chat import OpenAIChat
from betterai.wire.openai_chat.fields import OPENAI_OWN
from betterai.wire.report import Report


class VLLMChat(OpenAIChat):
    """Thinking is switched in the chat template, whose word for it depends on the model."""

    extra_fields = frozenset({"top_k", "min_p"})
    vendor_options = frozenset(VLLMOptions.__annotations__)
    developer_role = False
    functions_only = True
    cache_marks = False
    reasoning_field = "reasoning"
    reasoning_names: ClassVar = {"include": "include_reasoning"}
    accepts: ClassVar = {
        "image": frozenset({"bytes", "url"}),
        "audio": frozenset({"bytes"}),
        "video": frozenset({"bytes", "url"}),
    }
    unsupported: ClassVar = dict.fromkeys((*OPENAI_OWN, "user"), "vLLM does not take it")

    def write_reasoning_control(
        self, body: dict[str, Any], control: ReasoningControl, call: TextCall, report: Report
    ) -> None:
        if control.budget is not None:
            body["thinking_token_budget"] = control.budget
        if control.enabled is not None:
            body["chat_template_kwargs"] = {"enable_thinking": control.enabled, "thinking": control.enabled}
            report.translate("reasoning", "on or off was sent to the chat template, as enable_thinking and thinking")
        super().write_reasoning_control(body, replace(control, budget=None, enabled=None), call, report)
