"""Ids of tool calls, where the provider gives none."""

from __future__ import annotations

from betterai.core.codec import TextCall


def make_tool_call_id(call: TextCall, index: int, choice: int = 0) -> str:
    """An id where the vendor gave none: the same for the same call."""
    return "_".join(filter(None, ("call", call.id, str(choice), str(index))))
