"""How much a model is to think, in the protocol's own field and in those of model families, both ways.

The families' fields pass through `additionalModelRequestFields`; which of them a model takes are its traits.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from betterai.core.codec import TextCall
from betterai.core.model import ModelConfig
from betterai.core.settings import ReasoningControl
from betterai.wire.calls import report_thoughts
from betterai.wire.reasoning import effort_for, fit_effort
from betterai.wire.report import Report

SMALLEST_BUDGET = 1024
BUDGETS = {"minimal": SMALLEST_BUDGET, "low": 2048, "medium": 8192, "high": 16384, "xhigh": 24576, "max": 32768}
"""Thinking tokens for an effort, where a model knows budgets only. They must leave something of `max_tokens`."""

SPELLINGS = ("thinking", "reasoning_config")
"""Two names of one object: https://docs.aws.amazon.com/bedrock/latest/userguide/claude-messages-extended-thinking.html"""


def write_reasoning(
    extra: dict[str, Any], output: dict[str, Any], control: ReasoningControl, call: TextCall, report: Report
) -> None:
    """Write into the family's fields (`extra`) and the protocol's `outputConfig`."""
    report_thoughts(control, ("format", "summary"), report)
    model, form = call.model, find_form(call, control)
    if control.enabled and control.effort == "none":
        report.translate("reasoning", "effort none was sent as thinking off")
    if control.enabled is False or control.effort == "none" or control.budget == 0:
        _switch_off(extra, model, form, report)
    elif form == "enabled":
        _write_budget(extra, output, control, call, report)
    elif form == "adaptive":
        _write_adaptive(extra, output, control, model, report)
    else:
        _write_effort(extra, output, control, model, form, report)
    if control.include is not None:
        _write_display(extra, control.include, report)


def find_form(call: TextCall, control: ReasoningControl) -> str:
    """A form of the `thinking` object, a field of the family's, or "" for the protocol's own effort. Where nothing is
    known of the model, it is the form in which a caller of this protocol wrote it.
    """
    traits, spelled = call.model.traits, call.settings.spelling or ()
    if traits.reasoning_field:
        return traits.reasoning_field
    if traits.thinking is not None:
        wanted = ("enabled", "adaptive") if control.budget is not None else ("adaptive", "enabled")
        return next((form for form in wanted if form in traits.thinking), "")
    if control.budget is not None:
        return "enabled"
    if "thinking" in spelled:
        return "adaptive"
    return next((name for name in ("reasoningConfig", "reasoning_effort") if name in spelled), "")


def _switch_off(extra: dict[str, Any], model: ModelConfig, form: str, report: Report) -> None:
    traits = model.traits
    if form == "reasoningConfig":
        extra[form] = {"type": "disabled"}
    elif form == "reasoning_effort" or traits.reasons == "always":
        report.drop("reasoning", "the model cannot be kept from thinking")
    elif traits.thinking is not None and "disabled" not in traits.thinking and "between_tools" in traits.thinking:
        extra["thinking"] = {"type": "between_tools"}
        report.translate("reasoning", "the model can be kept from thinking only at the beginning of its answer")
    else:
        extra["thinking"] = {"type": "disabled"}


def _write_budget(
    extra: dict[str, Any], output: dict[str, Any], control: ReasoningControl, call: TextCall, report: Report
) -> None:
    budget = control.budget
    if budget is None:
        effort = control.effort or "medium"
        budget = BUDGETS.get(effort, BUDGETS["medium"])
        if limit := call.settings.max_tokens:
            budget = min(budget, max(SMALLEST_BUDGET, limit // 2))
        report.translate("reasoning", f"effort {effort} was sent as a budget of {budget} tokens")
    elif control.effort is not None:
        output["effort"] = fit_effort(control.effort, call.model.traits.efforts)
    spelled = next((name for name in SPELLINGS if name in (call.settings.spelling or ())), SPELLINGS[0])
    extra[spelled] = {"type": "enabled", "budget_tokens": budget}


def _write_adaptive(
    extra: dict[str, Any], output: dict[str, Any], control: ReasoningControl, model: ModelConfig, report: Report
) -> None:
    effort = _find_effort(control, model, report)
    extra["thinking"] = {"type": "adaptive"}
    if effort is not None:
        output["effort"] = effort


def _find_effort(control: ReasoningControl, model: ModelConfig, report: Report) -> str | None:
    """The nearest effort that the model takes, for an effort or a budget."""
    effort = control.effort
    if effort is None and control.budget is not None:
        effort = effort_for(control.budget)
        report.translate("reasoning", f"a budget of {control.budget} tokens was sent as effort {effort}")
    elif control.budget is not None:
        report.translate("reasoning", f"of effort and budget, effort {effort} was sent")
    if effort is None:
        return None
    nearest = fit_effort(effort, model.traits.efforts)
    if nearest != effort:
        report.translate("reasoning", f"the model has no effort {effort}: {nearest} was sent")
    return nearest


def _write_effort(
    extra: dict[str, Any],
    output: dict[str, Any],
    control: ReasoningControl,
    model: ModelConfig,
    form: str,
    report: Report,
) -> None:
    if model.traits.efforts == ():
        report.drop("reasoning", "the model cannot be told how much to think")
        return
    effort = _find_effort(control, model, report)
    if effort is None:
        if not control.enabled:
            return
        effort = fit_effort("medium", model.traits.efforts)
        report.translate("reasoning", f"reasoning was switched on as effort {effort}")
    if form == "reasoningConfig":
        extra[form] = {"type": "enabled", "maxReasoningEffort": effort}
    elif form:
        extra[form] = effort
    else:
        output["effort"] = effort


def _write_display(extra: dict[str, Any], include: bool, report: Report) -> None:
    thinking = extra.get("thinking")
    if isinstance(thinking, dict):
        thinking["display"] = "summarized" if include else "omitted"
    else:
        report.drop("reasoning.include", "whether thoughts are shown cannot be chosen here")


def read_reasoning(extra: dict[str, Any], spelling: set[str]) -> ReasoningControl | None:
    """Take what our control can say out of a family's fields; what it cannot stays there."""
    for name in SPELLINGS:
        if (control := _read_thinking(extra.get(name))) is not None:
            del extra[name]
            spelling.add(name)
            return control
    config = extra.get("reasoningConfig")
    if isinstance(config, Mapping) and config.keys() <= {"type", "maxReasoningEffort"}:
        effort, kind = config.get("maxReasoningEffort"), config.get("type")
        if kind == "enabled" and isinstance(effort, str):
            del extra["reasoningConfig"]
            spelling.add("reasoningConfig")
            return ReasoningControl(effort=effort)
    if isinstance(effort := extra.get("reasoning_effort"), str):
        del extra["reasoning_effort"]
        spelling.add("reasoning_effort")
        return ReasoningControl(effort=effort)
    return None


def _read_thinking(value: Any) -> ReasoningControl | None:
    if not isinstance(value, Mapping) or value.keys() - {"type", "budget_tokens"}:
        return None
    kind, budget = value.get("type"), value.get("budget_tokens")
    if kind == "enabled" and isinstance(budget, int):
        return ReasoningControl(budget=budget)
    if kind == "disabled" and budget is None:
        return ReasoningControl(enabled=False)
    return ReasoningControl(enabled=True) if kind == "adaptive" and budget is None else None
