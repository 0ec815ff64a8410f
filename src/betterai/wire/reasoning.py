"""How much a model is to think: what callers say, as one control, and fitted to what the model takes."""

from __future__ import annotations

from collections.abc import Sequence

from betterai.core.codec import TextCall
from betterai.core.settings import ReasoningControl

EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
_RANKS = {**{effort: rank for rank, effort in enumerate(EFFORTS)}, "default": EFFORTS.index("medium")}


def effort_for(budget: int) -> str:
    """The effort that is nearest to a budget of thinking tokens."""
    if budget <= 0:
        return "none"
    return next((effort for limit, effort in ((2048, "low"), (8192, "medium")) if budget <= limit), "high")


def fit_effort(effort: str, efforts: Sequence[str] | None) -> str:
    """The nearest effort that a model takes. One that thinks does not become none where there is another."""
    if not efforts or effort in efforts or effort not in _RANKS:
        return effort
    known = [word for word in efforts if word in _RANKS and word != "none"] or list(efforts)
    return min(known, key=lambda word: abs(_RANKS.get(word, 0) - _RANKS[effort]))


def read_reasoning_control(value: str | int | bool | ReasoningControl) -> ReasoningControl:
    """An effort, a budget, on or off, as a control."""
    if isinstance(value, ReasoningControl):
        return value
    if isinstance(value, bool):
        return ReasoningControl(enabled=value)
    return ReasoningControl(budget=value) if isinstance(value, int) else ReasoningControl(effort=value)


def is_reasoning(call: TextCall) -> bool:
    """Whether the model will think, as far as its traits and the settings say."""
    reasons = call.model.traits.reasons
    if reasons == "always":
        return True
    if (value := call.settings.reasoning) is None:
        return reasons == "default"
    control = read_reasoning_control(value)
    if control.effort is not None:
        return control.effort != "none"
    if control.budget is not None:
        return control.budget > 0
    return reasons == "default" if control.enabled is None else control.enabled


_BUDGETS = {"minimal": 1024, "low": 2048, "medium": 8192, "high": 16384, "xhigh": 24576, "max": 32768}


def budget_for(effort: str) -> int:
    """A budget of thinking tokens for an effort, such that `effort_for` gives it back where it can."""
    return _BUDGETS.get(effort, _BUDGETS["medium"])
