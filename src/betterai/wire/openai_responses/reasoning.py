"""How much a model is to think, and what of it comes back, as the protocol's `reasoning` object."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from betterai.core.model import ModelTraits
from betterai.core.settings import ReasoningControl
from betterai.wire.reasoning import effort_for, fit_effort
from betterai.wire.report import Report


def build_reasoning(
    control: ReasoningControl, traits: ModelTraits, efforts: Sequence[str] | None, report: Report
) -> dict[str, Any]:
    """The `reasoning` object. `efforts` are the vendor's, where those of the model are not known."""
    written: dict[str, Any] = {}
    effort = _find_effort(control, traits, report)
    if effort is not None and traits.efforts == ():
        report.drop("reasoning", "the model cannot be told how much to think")
    elif effort is not None:
        written["effort"] = nearest = fit_effort(effort, traits.efforts or efforts)
        if nearest != effort:
            report.translate("reasoning", f"the model has no effort {effort}: {nearest} was sent")
    summary = control.summary
    if control.include is not None:
        summary = (summary or "auto") if control.include else None
        how = f"a summary ({summary})" if summary else "no summary"
        report.translate("reasoning.include", f"of the thoughts, {how} is asked for")
    if summary is not None:
        written["summary"] = summary
    if control.format is not None:
        report.drop("reasoning.format", "this protocol has no such setting")
    return written


def _find_effort(control: ReasoningControl, traits: ModelTraits, report: Report) -> str | None:
    effort = control.effort
    if control.budget is not None:
        effort = effort or effort_for(control.budget)
        report.translate("reasoning", f"a budget of {control.budget} tokens was sent as effort {effort}")
    if effort is None and control.enabled is False:
        return "none"
    if effort is None and control.enabled and traits.reasons not in ("always", "default"):
        report.translate("reasoning", "reasoning was switched on as effort medium")
        return "medium"
    if effort is not None and control.enabled is not None and control.enabled != (effort != "none"):
        report.translate("reasoning", f"enabled={control.enabled} was sent as effort {effort}")
    return effort
