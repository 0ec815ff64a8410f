"""Reads what the caller wishes about reasoning: how much, and whether it is shown."""

from __future__ import annotations

from betterai.core.data import Data
from betterai.core.exceptions import ValidationError
from betterai.core.settings import ReasoningControl
from betterai.providers.local.options import suggest

SENTENCES = {"none": 0, "minimal": 1, "low": 1, "medium": 2, "high": 3, "xhigh": 3, "max": 3}
"""How many sentences of reasoning an effort is worth."""


class Wish(Data, frozen=True, kw_only=True):
    """How many sentences to think, at most how many words of them, and whether the caller sees them."""

    sentences: int = 0
    budget: int | None = None
    shown: bool = True


def read_reasoning(reasoning: str | int | bool | ReasoningControl | None) -> Wish:
    """An effort, a budget in words, on or off, or a `ReasoningControl`; on and a budget alone are a medium effort."""
    control = _read_control(reasoning)
    budget = control.budget
    if budget is not None and budget < 0:
        raise ValidationError(f"a reasoning budget cannot be {budget}", provider="local")
    effort = control.effort or ("medium" if control.enabled or budget else "none")
    if effort not in SENTENCES:
        raise ValidationError(f"there is no effort {effort!r}", hint=suggest(effort, SENTENCES), provider="local")
    thinks = control.enabled is not False and budget != 0
    return Wish(
        sentences=SENTENCES[effort] if thinks else 0,
        budget=budget,
        shown=control.include is not False and control.format != "hidden",
    )


def _read_control(reasoning: str | int | bool | ReasoningControl | None) -> ReasoningControl:
    if isinstance(reasoning, ReasoningControl):
        return reasoning
    if isinstance(reasoning, str):
        return ReasoningControl(effort=reasoning)
    if isinstance(reasoning, bool):
        return ReasoningControl(enabled=reasoning)
    return ReasoningControl(budget=reasoning)
