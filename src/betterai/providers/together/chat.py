"""Together's deviations from Chat Completions (together 3.1.1, types/chat/, 2026-11-22)."""

from __future__ import annotations

from typing import Any, ClassVar

import msgspec

from betterai.core.codec import TextCall
from betterai.core.settings import ReasoningControl
from betterai.core.wire import WireRequest
from betterai.providers.together.options import TogetherOptions
from betterai.wire.openai_chat import OpenAIChat
from betterai.wire.openai_chat.fields import OPENAI_OWN
from betterai.wire.report import Report


class TogetherChat(OpenAIChat):
    """`logprobs` is a number of tokens here; thinking is switched by an object. Some models think in tags."""

    max_tokens_fields = ("max_tokens",)
    extra_fields = frozenset({"top_k", "min_p"})
    vendor_options = frozenset(TogetherOptions.__annotations__)
    efforts = ("low", "medium", "high")
    developer_role = False
    cache_marks = False
    think_tags = True
    allowed_tools = False
    accepts: ClassVar = {
        "image": frozenset({"bytes", "url"}),
        "audio": frozenset({"bytes"}),
        "video": frozenset({"bytes", "url"}),
    }
    unsupported: ClassVar = dict.fromkeys((*OPENAI_OWN, "parallel_tool_calls", "user"), "Together does not take it")

    def build_request(self, call: TextCall) -> WireRequest:
        request = super().build_request(call)
        body: Any = request.body
        if "top_logprobs" in body:
            most = body.pop("top_logprobs")
            if body.setdefault("logprobs", most) is True:
                body["logprobs"] = most or 1
        if isinstance(body.get("logprobs"), bool):
            body["logprobs"] = int(body["logprobs"])
        return request

    def write_reasoning_control(
        self, body: dict[str, Any], control: ReasoningControl, call: TextCall, report: Report
    ) -> None:
        if control.effort == "none":
            control = msgspec.structs.replace(control, effort=None, enabled=False)
        if control.enabled is not None:
            body["reasoning"] = {"enabled": control.enabled}
        super().write_reasoning_control(body, msgspec.structs.replace(control, enabled=None), call, report)
