"""How much a model is to think: in the form that its traits name, or that its caller wrote."""

from __future__ import annotations

import pytest

from betterai.catalogue.families import find_traits
from betterai.core.exceptions import UnsupportedParam
from betterai.core.model import ModelTraits
from betterai.core.settings import ReasoningControl
from betterai.core.tools import Tool
from together import each
from wire.converse import build, call

BUDGET = ModelTraits(thinking=("enabled", "disabled"), reasons="optional", efforts=())
ADAPTIVE = ModelTraits(thinking=("adaptive", "disabled"), efforts=("low", "medium", "high"))
BOTH = ModelTraits(thinking=("adaptive", "enabled", "disabled"), efforts=("low", "high"))
ALWAYS = ModelTraits(thinking=("adaptive",), reasons="always")
BETWEEN = ModelTraits(thinking=("adaptive", "between_tools"), reasons="default")
CONFIG = ModelTraits(reasoning_field="reasoningConfig", efforts=("low", "medium", "high"))
EFFORT = ModelTraits(reasoning_field="reasoning_effort", reasons="always", efforts=("low", "medium", "high"))
NEVER = ModelTraits(reasons="never")
FIXED = ModelTraits(reasons="always", efforts=())
UNKNOWN = ModelTraits()


def enabled(tokens: int) -> dict[str, object]:
    return {"thinking": {"type": "enabled", "budget_tokens": tokens}}


@each(
    ("traits", "control", "extra", "effort", "codes"),
    [
        (UNKNOWN, "high", None, "high", ""),
        (UNKNOWN, 4000, enabled(4000), None, ""),
        (UNKNOWN, True, None, "medium", "t"),
        (UNKNOWN, False, {"thinking": {"type": "disabled"}}, None, ""),
        (UNKNOWN, "none", {"thinking": {"type": "disabled"}}, None, ""),
        (UNKNOWN, 0, {"thinking": {"type": "disabled"}}, None, ""),
        (BUDGET, 4000, enabled(4000), None, ""),
        (BUDGET, "low", enabled(2048), None, "t"),
        (BUDGET, True, enabled(8192), None, "t"),
        (BUDGET, ReasoningControl(budget=4000, include=False), {"thinking": {"type": "enabled", "budget_tokens": 4000, "display": "omitted"}}, None, ""),
        (ADAPTIVE, "max", {"thinking": {"type": "adaptive"}}, "high", "t"),
        (ADAPTIVE, 4000, {"thinking": {"type": "adaptive"}}, "medium", "t"),
        (ADAPTIVE, True, {"thinking": {"type": "adaptive"}}, None, ""),
        (ADAPTIVE, ReasoningControl(effort="low", budget=9), {"thinking": {"type": "adaptive"}}, "low", "t"),
        (BOTH, 4000, enabled(4000), None, ""),
        (BOTH, "low", {"thinking": {"type": "adaptive"}}, "low", ""),
        (ALWAYS, False, None, None, "d"),
        (BETWEEN, False, {"thinking": {"type": "between_tools"}}, None, "t"),
        (CONFIG, "low", {"reasoningConfig": {"type": "enabled", "maxReasoningEffort": "low"}}, None, ""),
        (CONFIG, False, {"reasoningConfig": {"type": "disabled"}}, None, ""),
        (CONFIG, True, {"reasoningConfig": {"type": "enabled", "maxReasoningEffort": "medium"}}, None, "t"),
        (EFFORT, "minimal", {"reasoning_effort": "low"}, None, "t"),
        (EFFORT, False, None, None, "d"),
        (NEVER, "low", None, None, "d"),
        (FIXED, "low", None, None, "d"),
        (UNKNOWN, ReasoningControl(format="raw", summary="auto"), None, None, "dd"),
        (UNKNOWN, ReasoningControl(effort="low", include=True), None, "low", "d"),
        (UNKNOWN, ReasoningControl(effort="none", enabled=True), {"thinking": {"type": "disabled"}}, None, "t"),
    ],
)  # fmt: skip
def test_each_control_for_each_kind_of_model(traits, control, extra, effort, codes):
    body, request = build(call(traits=traits, reasoning=control))
    assert body.get("additionalModelRequestFields") == extra
    assert body.get("outputConfig") == (None if effort is None else {"effort": effort})
    assert "".join(warning.code[0] for warning in request.warnings) == codes
    assert all(warning.field.startswith("reasoning") for warning in request.warnings)


def test_a_budget_for_an_effort_leaves_something_of_the_answer():
    body, _ = build(call(traits=BUDGET, reasoning="high", max_tokens=4000))
    assert body["additionalModelRequestFields"] == enabled(2000)


def test_while_it_thinks_it_takes_no_sampling_and_no_forced_tools():
    traits = ModelTraits(sampling="not_reasoning", forced_tools_while_reasoning=False, thinking=("enabled",))
    _, request = build(call(traits=traits, reasoning=4000, temperature=0.5, top_k=3))
    assert [warning.field for warning in request.warnings] == ["temperature", "top_k"]
    _, free = build(call(traits=traits, temperature=0.5, tools=[Tool(name="a")], tool_choice="required"))
    assert free.warnings == ()
    with pytest.raises(UnsupportedParam, match="while it reasons"):
        build(call(traits=traits, reasoning=4000, tools=[Tool(name="a")], tool_choice="required"))
    with pytest.raises(UnsupportedParam, match="cannot be forced"):
        build(call(traits=ModelTraits(forced_tools=False), tools=[Tool(name="a")], tool_choice="required"))


@pytest.mark.parametrize(
    ("id", "expected"),
    [
        ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", (("enabled", "disabled"), "")),
        ("anthropic.claude-opus-5", (("adaptive", "disabled"), "")),
        ("arn:aws:bedrock:us-east-1:1:inference-profile/eu.anthropic.claude-3-7-sonnet-20250219-v1:0", (("enabled", "disabled"), "")),
        ("global.amazon.nova-2-lite-v1:0", (None, "reasoningConfig")),
        ("openai.gpt-oss-120b-1:0", (None, "reasoning_effort")),
        ("meta.llama3-8b-instruct-v1:0", (None, "")),
    ],
)  # fmt: skip
def test_families_are_found_behind_their_prefixes(id, expected):
    traits = find_traits("bedrock", id)
    assert (traits.thinking, traits.reasoning_field) == expected
    assert find_traits("bedrock", "amazon.nova-pro-v1:0").reasons == "never"
