"""How many tokens a conversation has (vllm/entrypoints/serve/tokenize/protocol.py, vllm-project/vllm @6e448d0)."""

from __future__ import annotations

from typing import Any, ClassVar

import msgspec

from betterai.core.codec import TextCall
from betterai.providers.vllm.chat import VLLMChat
from betterai.wire.report import Report
from betterai.wire.token_counts import TextTokens

_CHAT = VLLMChat()
_COUNTED = ("model", "messages", "tools", "chat_template", "chat_template_kwargs", "add_generation_prompt",
            "continue_final_message", "mm_processor_kwargs")  # fmt: skip
"""What of a call goes through the chat template."""


class VLLMTokenize(TextTokens):
    """`POST /tokenize`, beside `/v1`: the conversation as the model's template has it, tools too."""

    protocol: ClassVar[str] = "openai_chat"
    at_root: ClassVar[bool] = True
    estimated: ClassVar[bool] = False

    def build_body(self, call: TextCall, report: Report) -> dict[str, Any]:
        request = _CHAT.build_request(msgspec.structs.replace(call, stream=False, warnings=()))
        report.warnings.extend(request.warnings)
        body: Any = request.body
        return {name: body[name] for name in _COUNTED if name in body}
