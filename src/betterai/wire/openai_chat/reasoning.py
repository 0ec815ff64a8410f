"""How much a model is to think: what callers say, as one control, and fitted to what the model takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from betterai.core.codec import TextCall
from betterai.core.model import ModelTraits
from betterai.core.settings import ReasoningControl
from betterai.wire.report import Report

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


_OBJECT = {"effort": "effort", "max_tokens": "budget", "enabled": "enabled", "summary": "summary"}
"""The fields of a `reasoning` object, as some vendors have it, and ours for them; `exclude` is no `include`."""


def build_reasoning_object(control: ReasoningControl) -> dict[str, Any]:
    """A control as a `reasoning` object."""
    written = {name: value for name, ours in _OBJECT.items() if (value := getattr(control, ours)) is not None}
    return written if control.include is None else {**written, "exclude": not control.include}


def read_reasoning_object(value: Mapping[str, Any]) -> dict[str, Any] | None:
    """A `reasoning` object as fields of a control; None where it says what ours cannot."""
    fields = dict(value)
    exclude = fields.pop("exclude", None)
    if fields.keys() - _OBJECT.keys() or None in fields.values() or not isinstance(exclude, bool | None):
        return None
    read = {_OBJECT[name]: item for name, item in fields.items()}
    return read if exclude is None else {**read, "include": not exclude}


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


def write_thinking_switch(
    body: dict[str, Any], control: ReasoningControl, traits: ModelTraits, report: Report
) -> ReasoningControl:
    """Write the `thinking` object. What it cannot say is returned: an effort, where the model takes one."""
    enabled, effort = control.enabled, control.effort
    if control.budget is not None:
        enabled = control.budget > 0
        report.translate("reasoning", f"a budget of {control.budget} tokens was sent as thinking on or off")
    if effort == "none":
        if enabled:
            report.translate("reasoning", "effort none was sent as thinking off")
        enabled, effort = False, None
    elif effort is not None and traits.efforts == ():
        if enabled is None:
            enabled = True
        report.translate("reasoning", f"effort {effort} was sent as thinking {'on' if enabled else 'off'}")
        effort = None
    if enabled is False and traits.reasons == "always":
        report.translate("reasoning", "the model always thinks: it was asked to think as little as it can")
        enabled, effort = None, next(iter(traits.efforts or ()), None)
    if enabled is not None:
        body["thinking"] = {"type": "enabled" if enabled else "disabled"}
    return ReasoningControl(effort=effort, include=control.include, format=control.format, summary=control.summary)
