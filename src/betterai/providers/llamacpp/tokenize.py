"""How many tokens the texts of a conversation have (tools/server/README.md, ggml-org/llama.cpp @00dc805)."""

from __future__ import annotations

from typing import Any, ClassVar

from betterai.core.codec import TextCall
from betterai.wire.report import Report
from betterai.wire.token_counts import TextTokens


class LlamaCppTokenize(TextTokens):
    """`POST /tokenize`, beside `/v1`, with the special token that begins a prompt."""

    protocol: ClassVar[str] = "openai_chat"
    text_field: ClassVar[str] = "content"
    at_root: ClassVar[bool] = True

    def build_body(self, call: TextCall, report: Report) -> dict[str, Any]:
        return {**super().build_body(call, report), "add_special": True}
