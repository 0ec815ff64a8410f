"""Messages: how much a model is to think, by what its family takes (the table of the protocol's facts)."""

from __future__ import annotations

from typing import Any

import pytest

from betterai.core.settings import ReasoningControl
from together import each
from wire.messages import build, claude, fields_of, sent

ADAPTIVE, OFF = {"type": "adaptive"}, {"type": "disabled"}
BETWEEN = {"type": "between_tools"}


def budget(tokens: int) -> dict[str, Any]:
    return {"type": "enabled", "budget_tokens": tokens}


EXPECTED: dict[str, dict[Any, tuple[Any, str | None, bool]]] = {
    "claude-fable-5-2": {
        "high": (ADAPTIVE, "high", False), 20000: (ADAPTIVE, "high", True), True: (ADAPTIVE, None, False),
        False: (None, "low", True), "xhigh": (ADAPTIVE, "xhigh", False),
    },
    "claude-opus-5-5": {"high": (ADAPTIVE, "high", False), False: (None, "low", True)},
    "claude-sonnet-5-5": {"max": (ADAPTIVE, "max", False), False: (BETWEEN, None, True), 4000: (ADAPTIVE, "medium", True)},
    "claude-haiku-5-5": {"low": (ADAPTIVE, "low", False), False: (OFF, None, False)},
    "claude-opus-5": {False: (OFF, None, False), 4000: (ADAPTIVE, "medium", True)},
    "claude-opus-4-7": {"xhigh": (ADAPTIVE, "xhigh", False), False: (OFF, None, False), "none": (OFF, None, False)},
    "claude-opus-4-6": {
        "max": (ADAPTIVE, "max", False), "minimal": (ADAPTIVE, "low", True), 4000: (budget(4000), None, False),
        500: (budget(1024), None, True),
    },
    "claude-opus-4-5": {"high": (budget(16384), "high", True), 4000: (budget(4000), None, False)},
    "claude-sonnet-4-5": {"high": (budget(16384), None, True), True: (budget(8192), None, True), 0: (OFF, None, False)},
    "claude-3-5-haiku": {"high": (None, None, True), 4000: (None, None, True)},
    "a-model-of-tomorrow": {
        "high": (ADAPTIVE, "high", False), 4000: (budget(4000), None, False), False: (OFF, None, False),
        True: (ADAPTIVE, None, False),
    },
}  # fmt: skip
ROWS = [(name, asked, said) for name, rows in EXPECTED.items() for asked, said in rows.items()]


@each(("name", "asked", "said"), ROWS)
def test_a_model_is_asked_in_the_form_that_it_takes(name: str, asked: Any, said: tuple[Any, str | None, bool]) -> None:
    body, warnings = build(of=claude(name), reasoning=asked)
    assert (body.get("thinking"), body.get("output_config", {}).get("effort"), bool(warnings)) == said
    assert set(fields_of(warnings)) <= {"reasoning"}


def test_off_and_an_effort_above_high_do_not_go_together() -> None:
    body, warnings = build(of=claude("claude-opus-5"), reasoning=ReasoningControl(enabled=False, effort="max"))
    assert (body["thinking"], body["output_config"], fields_of(warnings)) == (OFF, {"effort": "high"}, ["reasoning"])


@pytest.mark.parametrize(
    ("control", "display"),
    [
        (ReasoningControl(enabled=True, include=False), "omitted"),
        (ReasoningControl(enabled=True, include=True), "summarized"),
        (ReasoningControl(enabled=True, summary="updates"), "updates"),
        (ReasoningControl(include=True), "summarized"),
    ],
)
def test_what_of_the_thoughts_comes_back(control: ReasoningControl, display: str) -> None:
    assert sent(of=claude("claude-sonnet-5-5"), reasoning=control)["thinking"] == {**ADAPTIVE, "display": display}


def test_a_word_that_the_protocol_has_not_is_reported() -> None:
    body, warnings = build(reasoning=ReasoningControl(enabled=True, summary="concise", format="raw"))
    assert body["thinking"]["display"] == "summarized"
    assert fields_of(warnings) == ["reasoning.format", "reasoning.summary"]


def test_nothing_is_shown_of_what_is_not_thought() -> None:
    _, warnings = build(of=claude("claude-opus-4-6"), reasoning=ReasoningControl(include=True))
    assert fields_of(warnings) == ["reasoning.include"]


def test_thinking_between_tools_can_be_asked_for_by_its_name() -> None:
    control = ReasoningControl(format="between_tools", effort="low")
    body = sent(of=claude("claude-sonnet-5-5"), reasoning=control)
    assert (body["thinking"], body["output_config"]) == (BETWEEN, {"effort": "low"})


def test_sampling_is_for_the_models_that_take_it() -> None:
    assert sent(of=claude("claude-sonnet-4-6"), temperature=0)["temperature"] == 0
    body, warnings = build(of=claude("claude-opus-4-7"), temperature=0)
    assert ("temperature" in body, fields_of(warnings)) == (False, ["temperature"])
