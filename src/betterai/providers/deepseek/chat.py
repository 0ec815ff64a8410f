"""DeepSeek's deviations from Chat Completions (https://api-docs.deepseek.com, read 2026-11-22)."""

from __future__ import annotations

from typing import Any, ClassVar

import msgspec

from betterai.core.codec import TextCall
from betterai.core.exceptions import ModelNotFoundError, ProviderError
from betterai.core.response import CallWarning
from betterai.core.tools import AnyTool, Tool
from betterai.core.wire import WireRequest
from betterai.providers.deepseek.options import DeepSeekOptions
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
    vendor_options = frozenset(DeepSeekOptions.__annotations__)
    finish_reasons: ClassVar = {**OpenAIChat.finish_reasons, "insufficient_system_resource": "error"}
    accepts: ClassVar = {"image": frozenset({"bytes", "url"})}
    unsupported: ClassVar = dict.fromkeys(
        (
            "audio", "modalities", "prediction", "moderation", "cache", "verbosity", "web_search", "safety_identifier",
            "service_tier", "store", "logit_bias",
        ),
        "DeepSeek does not take it",
    )  # fmt: skip

    def build_request(self, call: TextCall) -> WireRequest:
        """With the option `beta`, `/beta` is asked: there a last message of the assistant is gone on with, and tools
        may be strict.
        """
        beta = ((call.settings.options or {}).get(call.model.provider) or {}).get("beta")
        if not beta:
            return self._fill_in_thoughts(call, super().build_request(_loosen_tools(call)))
        request = self._fill_in_thoughts(call, super().build_request(call))
        body: Any = request.body
        del body["beta"]
        if body["messages"] and body["messages"][-1]["role"] == "assistant":
            body["messages"][-1].setdefault("prefix", True)
        return msgspec.structs.replace(request, url=f"/beta{self.path}")

    def _fill_in_thoughts(self, call: TextCall, request: WireRequest) -> WireRequest:
        """While the model thinks, each assistant message of a conversation with tools must hold `reasoning_content`
        (https://api-docs.deepseek.com/guides/thinking_mode, 2026-11-22): a blank where the thoughts are not known.
        """
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


def _loosen_tools(call: TextCall) -> TextCall:
    """The call without strictness of tools, which is said, and without the option that was not switched on."""
    settings, warnings = call.settings, call.warnings
    if any(isinstance(tool, Tool) and tool.strict is not None for tool in settings.tools or ()):
        said = "tools are strict with the option beta only; it was not sent"
        warnings = (*warnings, CallWarning(code="dropped", field="tools.strict", message=said))
        settings = settings.replace(tools=[_loosen(tool) for tool in settings.tools or ()])
    own = dict((settings.options or {}).get(call.model.provider) or {})
    if "beta" in own:
        del own["beta"]
        settings = settings.replace(options={**(settings.options or {}), call.model.provider: own})
    return msgspec.structs.replace(call, settings=settings, warnings=warnings)


def _loosen(tool: AnyTool) -> AnyTool:
    return msgspec.structs.replace(tool, strict=None) if isinstance(tool, Tool) else tool
