"""`CoreConfig(unsupported="raise")`: what is not sent as it was given raises."""

from __future__ import annotations

from collections.abc import Iterable

from betterai.core.exceptions import UnsupportedParam
from betterai.core.response import CallWarning


def refuse_dropped(warnings: Iterable[CallWarning], unsupported: str | None) -> None:
    """Raises `UnsupportedParam` for a setting that is not sent as it was given, where `unsupported` is "raise"."""
    if unsupported == "raise":
        for warning in warnings:
            if warning.code in ("dropped", "translated"):
                raise UnsupportedParam(f"{warning.field}: {warning.message}", param=warning.field)
