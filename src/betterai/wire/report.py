"""How a codec reports what it cannot carry: what tunes is a warning, what changes meaning raises."""

from __future__ import annotations

from betterai.core.exceptions import UnsupportedParam
from betterai.core.model import ModelConfig
from betterai.core.response import CallWarning

MEANING = frozenset(
    {
        "tools", "tool_choice", "parallel_tool_calls", "response_format", "stop", "n", "media", "modalities", "audio",
        "max_tokens", "web_search", "dimensions", "encoding", "images", "mask", "translate", "first_frame",
        "last_frame", "video",
    }
)  # fmt: skip
"""Settings that change what the answer is. Leaving one of these out would be a different request."""


class Report:
    """Gathers the warnings of one request."""

    __slots__ = ("_model", "warnings")

    def __init__(self, model: ModelConfig) -> None:
        self._model = model
        self.warnings: list[CallWarning] = []

    def drop(self, field: str, why: str, *, hint: str = "", harmless: bool = False) -> None:
        """`field` is not sent: a warning, or `UnsupportedParam` where that would change what is asked. `harmless` says
        that this value asks for nothing that would not be so without it.
        """
        if field in MEANING and not harmless:
            raise UnsupportedParam(
                f"{field}: {why}", hint=hint, param=field, provider=self._model.provider, model=self._model.id
            )
        self._add(CallWarning(code="dropped", field=field, message=f"{why}; it was not sent"))

    def warn(self, field: str, what: str) -> None:
        """`field` is left out of what asks no model for an answer, such as counting: that changes no meaning."""
        self._add(CallWarning(code="dropped", field=field, message=what))

    def translate(self, field: str, how: str) -> None:
        self._add(CallWarning(code="translated", field=field, message=how))

    def _add(self, warning: CallWarning) -> None:
        """What holds for each message of a long conversation is said once."""
        if warning not in self.warnings:
            self.warnings.append(warning)
