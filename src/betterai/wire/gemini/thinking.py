"""How much a model is to think, as a `thinkingConfig`: newer models know levels, older ones budgets of tokens."""

from __future__ import annotations

from typing import Any

from betterai.core.codec import TextCall
from betterai.core.settings import ReasoningControl
from betterai.wire.calls import report_thoughts
from betterai.wire.reasoning import fit_effort
from betterai.wire.report import Report

_BUDGETS = {"none": 0, "minimal": 1024, "low": 1024, "medium": 8192, "high": 24576, "xhigh": 24576, "max": 24576}
"""Budgets for efforts (https://ai.google.dev/gemini-api/docs/openai#thinking, 2026-11-22)."""
_LEVELS = ("minimal", "low", "medium", "high", "xhigh")
_LEAST = 128
"""The least budget of models that always think (https://ai.google.dev/gemini-api/docs/thinking, 2026-11-22)."""


def build_thinking(control: ReasoningControl, call: TextCall, report: Report) -> dict[str, Any]:
    """The object; empty where there is nothing to say."""
    written: dict[str, Any] = {}
    effort, budget = control.effort, control.budget
    if effort is not None and budget is not None:
        report.translate("reasoning", "an effort and a budget cannot both be sent: the effort was")
        budget = None
    if effort is None and budget is None and control.enabled is not None:
        budget = -1 if control.enabled else 0
        if control.enabled and call.model.traits.reasons in ("always", "default"):
            budget = None
            report.translate("reasoning", "the model thinks by itself: nothing was sent to switch it on")
    elif effort is not None and control.enabled is not None and control.enabled != (effort != "none"):
        report.translate("reasoning", f"enabled={control.enabled} was sent as effort {effort}")
    if effort is not None:
        _write_effort(written, effort, call, report)
    elif budget is not None:
        _write_budget(written, budget, call, report)
    if control.include is not None:
        written["includeThoughts"] = control.include
    report_thoughts(control, ("format", "summary"), report)
    return written


def _write_effort(written: dict[str, Any], effort: str, call: TextCall, report: Report) -> None:
    traits = call.model.traits
    if traits.efforts == () or (effort == "none" and traits.efforts is None):
        budget = _BUDGETS.get(effort, -1)
        if budget == 0 and traits.reasons == "always":
            budget = _LEAST
        report.translate("reasoning", f"effort {effort} was sent as a budget of {budget} tokens")
        written["thinkingBudget"] = budget
        return
    nearest = fit_effort(effort, traits.efforts or _LEVELS)
    if nearest != effort:
        report.translate("reasoning", f"the model has no effort {effort}: {nearest} was sent")
    written["thinkingLevel"] = nearest.upper()


def _write_budget(written: dict[str, Any], budget: int, call: TextCall, report: Report) -> None:
    traits = call.model.traits
    if budget == 0 and traits.reasons == "always":
        if traits.efforts:
            report.translate("reasoning", f"the model always thinks: effort {traits.efforts[0]} was sent")
            written["thinkingLevel"] = traits.efforts[0].upper()
            return
        report.translate("reasoning", f"the model always thinks: a budget of {_LEAST} tokens was sent")
        budget = _LEAST
    written["thinkingBudget"] = budget
