"""How much a model is to think, as `thinking` and `output_config.effort`, by what its family takes."""

from __future__ import annotations

from typing import Any

from betterai.core.model import ModelTraits
from betterai.core.settings import ReasoningControl
from betterai.wire.reasoning import budget_for, effort_for, fit_effort
from betterai.wire.report import Report

MIN_BUDGET = 1024
_DISPLAYS = frozenset({"summarized", "omitted", "updates"})
_ABOVE_HIGH = frozenset({"xhigh", "max"})


class ThinkingWriter:
    """Writes one control. `thinking` and `effort` are what goes into the body, None where nothing does."""

    def __init__(self, control: ReasoningControl, traits: ModelTraits, report: Report, *, effort_only: bool) -> None:
        self.thinking: dict[str, Any] | None = None
        self.effort: str | None = None
        self._traits = traits
        self._report = report
        self._forms = traits.thinking or ()
        self._effort_only = effort_only
        self._write(control)
        self._write_display(control)

    def _write(self, control: ReasoningControl) -> None:
        effort, budget = control.effort, control.budget
        off = control.enabled is False or effort == "none" or budget == 0
        if control.format == "between_tools" and "between_tools" in self._forms:
            self.thinking = {"type": "between_tools"}
        elif off:
            self._switch_off()
        elif budget is not None:
            self._write_budget(budget)
        elif control.enabled or (effort is not None and not self._effort_only):
            self._switch_on(effort)
        if control.format is not None and self.thinking != {"type": control.format}:
            self._report.drop("reasoning.format", "thoughts come in one form here")
        if effort is not None and effort != "none":
            self._write_effort(effort, off=off)

    def _switch_off(self) -> None:
        if "disabled" in self._forms:
            self.thinking = {"type": "disabled"}
        elif "between_tools" in self._forms:
            self.thinking = {"type": "between_tools"}
            self._report.translate("reasoning", "thinking cannot be switched off: it was left between tool calls only")
        else:
            self._report.translate("reasoning", "the model always thinks: it was asked to think as little as it can")
            self.effort = next(iter(self._traits.efforts or ()), None)

    def _switch_on(self, effort: str | None) -> None:
        if "enabled" not in self._forms or "adaptive" in self._forms:
            self.thinking = {"type": "adaptive"}
            return
        budget = budget_for(effort or "medium")
        said = f"effort {effort}" if effort else "thinking"
        self.thinking = {"type": "enabled", "budget_tokens": budget}
        self._report.translate("reasoning", f"{said} was sent as a budget of {budget} tokens")

    def _write_budget(self, budget: int) -> None:
        if "enabled" in self._forms:
            if budget < MIN_BUDGET:
                said = f"the smallest budget is {MIN_BUDGET} tokens: it was sent in place of {budget}"
                self._report.translate("reasoning", said)
            self.thinking = {"type": "enabled", "budget_tokens": max(budget, MIN_BUDGET)}
            return
        effort = fit_effort(effort_for(budget), self._traits.efforts)
        self.thinking, self.effort = {"type": "adaptive"}, effort
        self._report.translate("reasoning", f"a budget of {budget} tokens was sent as effort {effort}")

    def _write_effort(self, effort: str, *, off: bool) -> None:
        efforts = self._traits.efforts
        if efforts == ():
            if self.thinking is None or self.thinking["type"] != "enabled":
                self._report.drop("reasoning", "the model cannot be told how much to think")
            return
        nearest = fit_effort(effort, efforts)
        if off and nearest in _ABOVE_HIGH and self._traits.reasons == "default":
            nearest = "high"
        if nearest != effort:
            self._report.translate("reasoning", f"the model has no effort {effort} here: {nearest} was sent")
        self.effort = nearest

    def _write_display(self, control: ReasoningControl) -> None:
        """What of the thoughts comes back: only where thinking is asked for."""
        wanted, name = control.summary, "summary"
        if control.include is not None:
            if wanted is not None:
                self._report.drop("reasoning.summary", "include says what of the thoughts comes back")
            wanted, name = ("summarized" if control.include else "omitted"), "include"
        if wanted is None:
            return
        if self.thinking is None and self._traits.reasons in ("always", "default"):
            self.thinking = {"type": "adaptive"}
        if self.thinking is None or self.thinking["type"] not in ("adaptive", "enabled"):
            self._report.drop(f"reasoning.{name}", "the model was not asked to think")
            return
        if wanted not in _DISPLAYS:
            self._report.translate("reasoning.summary", f"a summary of kind {wanted} was asked for as summarized")
            wanted = "summarized"
        self.thinking["display"] = wanted
