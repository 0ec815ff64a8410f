"""How much a model is to think, in the objects that some vendors of the protocol have for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from betterai.core.model import ModelTraits
from betterai.core.settings import ReasoningControl
from betterai.wire.report import Report

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
