"""DeepSeek's deviations from Chat Completions (https://api-docs.deepseek.com, read 2026-11-22)."""

from __future__ import annotations

from typing import Any, ClassVar

import msgspec

from betterai.core.codec import TextCall
from betterai.core.exceptions import ModelNotFoundError, ProviderError
from betterai.core.response import CallWarning
from betterai.core.wire import WireRequest
from betterai.wire.openai_chat import OpenAIChat
from betterai.wire.reasoning import is_reasoning


class DeepSeekChat(OpenAIChat):
    """Thinking is switched by an object, and goes back in `reasoning_content`; `max_completion_tokens` is ignored."""

    max_tokens_fields = ("max_tokens",)
    json_schema = False
    developer_role = False
    functions_only = True
    cache_marks = False
    allowed_tools = False
    thinking_switch = True
    reasoning_field = "reasoning_content"
    accepts: ClassVar = {"image": frozenset({"bytes", "url"})}
    unsupported: ClassVar = dict.fromkeys(
        (
            "audio", "modalities", "prediction", "moderation", "cache", "verbosity", "web_search", "safety_identifier",
            "service_tier", "store", "logit_bias",
        ),
        "DeepSeek does not take it",
    )  # fmt: skip

    def build_request(self, call: TextCall) -> WireRequest:
        """While the model thinks, each assistant message of a conversation with tools must hold `reasoning_content`
        (https://api-docs.deepseek.com/guides/thinking_mode, 2026-11-22): a blank where the thoughts are not known.
        """
        request = super().build_request(call)
        if call.model.traits.replay_reasoning != "required" or not is_reasoning(call):
            return request
        body: Any = request.body
        messages: list[dict[str, Any]] = body["messages"]
        answers = [message for message in messages if message["role"] == "assistant"]
        bare = [message for message in answers if self.reasoning_field not in message]
        if not bare or not any("tool_calls" in message for message in answers):
            return request
        for message in bare:
            message[self.reasoning_field] = " "
        said = "the thoughts of an earlier turn are not known: a blank was sent for them"
        warning = CallWarning(code="translated", field="messages.reasoning", message=said)
        return msgspec.structs.replace(request, warnings=(*request.warnings, warning))

    def error_class(self, status: int, code: str, message: str) -> type[ProviderError] | None:
        return ModelNotFoundError if "supported API model names" in message else None
