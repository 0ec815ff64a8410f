"""`-o NAME=VALUE` as the settings of a call."""

from __future__ import annotations

import pytest

from betterai.cli.settings import read_settings
from betterai.core.exceptions import ValidationError
from betterai.core.settings import PromptCache, ReasoningControl
from betterai.core.tools import CustomTool, ServerTool, Tool, ToolChoice
from together import each


@each(
    ("name", "text", "value"),
    [
        ("temperature", "0.2", 0.2),
        ("max_tokens", "5", 5),
        ("stop", "END", "END"),
        ("stop", '["a", "b"]', ["a", "b"]),
        ("stop", "5", "5"),
        ("user", "123", "123"),
        ("user", '"quoted"', "quoted"),
        ("seed", "null", None),
        ("store", "true", True),
        ("reasoning", "high", "high"),
        ("reasoning", "1024", 1024),
        ("reasoning", '{"effort": "low", "include": false}', ReasoningControl(effort="low", include=False)),
        ("tool_choice", '{"mode": "required", "names": ["f"]}', ToolChoice(mode="required", names=("f",))),
        ("cache", '{"key": "k"}', PromptCache(key="k")),
        ("response_format", '{"type": "object"}', {"type": "object"}),
        ("extra_body", '{"a": [1]}', {"a": [1]}),
    ],
)
def test_values_are_json_of_the_settings_type_or_text(name: str, text: str, value: object):
    given = read_settings([(name, text)]).given()[name]
    assert (given, type(given)) == (value, type(value))


def test_tools_are_read_in_our_form_and_in_the_usual_one():
    text = """[{"name": "a", "parameters": {"type": "object"}}, {"type": "function", "function": {"name": "b"}},
               {"type": "custom", "custom": {"name": "c"}}, {"type": "web_search", "max_uses": 2}]"""
    assert read_settings([("tools", text)]).tools == [
        Tool(name="a", parameters={"type": "object"}),
        Tool(name="b"),
        CustomTool(name="c"),
        ServerTool(type="web_search", config={"max_uses": 2}),
    ]


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("temperature", "NaN", "temperature must be int or float"),
        ("logit_bias", "{1: 2}", "logit_bias is not JSON"),
        ("reasoning", '{"efort": "low"}', "reasoning has no 'efort'; it has effort"),
        ("reasoning", '{"budget": "many"}', "reasoning: Expected `int | null`"),
        ("tools", '["f"]', "a tool must be a JSON object"),
        ("tools", '[{"nme": "f"}]', "tools has no 'nme'"),
        ("max-tokens", "5", "did you mean max_tokens?"),
    ],
)
def test_what_is_no_setting_is_refused_with_its_name(name: str, text: str, said: str):
    with pytest.raises(ValidationError) as caught:
        read_settings([(name, text)])
    assert said in str(caught.value)
