"""T1: each setting is sent, or reported, or raises; by each codec, alone and with others."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from betterai.core.exceptions import UnsupportedParam
from betterai.core.settings import (
    AudioOutput,
    GenerationSettings,
    PromptCache,
    ReasoningControl,
    StreamOptions,
    WebSearch,
)
from betterai.core.tools import CustomTool, JsonObject, JsonSchema, PlainText, ServerTool, Tool, ToolChoice
from betterai.wire.openai_chat import OpenAIChat
from together import each
from wire.chats import CODECS, build, listed, make_call, model

LISTS = [["END"], ["a", "b"]]
SAMPLES: dict[str, list[Any]] = {
    "temperature": [0.25, 0], "top_p": [0.75], "top_k": [17], "min_p": [0.125], "max_tokens": [4321, 0], "stop": LISTS,
    "seed": [9876], "n": [1, 3], "frequency_penalty": [0.625], "presence_penalty": [-0.625], "logit_bias": [{"77": -5}],
    "logprobs": [True, False], "top_logprobs": [4], "tools": [[Tool(name="lookup")], [CustomTool(name="lookup")],
    [ServerTool(type="lookup")]], "tool_choice": ["required", "lookup", ToolChoice(mode="auto", names=("lookup",))],
    "parallel_tool_calls": [False, True], "response_format": [JsonSchema(name="shape", schema={}), JsonObject(), PlainText()],
    "reasoning": ["high", "none", 5000, 0, True, False, ReasoningControl(format="raw"), ReasoningControl(include=False),
    ReasoningControl(summary="auto"), ReasoningControl(effort="low", budget=9, enabled=False)], "verbosity": ["low"],
    "modalities": [["text", "audio"], ["text"]], "audio": [AudioOutput(voice="alloy")], "prediction": ["as before"],
    "cache": [PromptCache(key="cache-key"), PromptCache(mode="implicit"), PromptCache(retention="24h")],
    "web_search": [True, WebSearch(context_size="low")], "moderation": [{"model": "guard"}], "service_tier": ["flex"],
    "store": [False, True], "metadata": [{"run": "77"}], "user": ["ann"], "safety_identifier": ["abc"],
    "stream_options": [StreamOptions(include_usage=False), StreamOptions(include_obfuscation=False)],
}  # fmt: skip
BESIDE = {
    "options": "for one vendor, see test_options_of_the_vendor…", "extra_body": "merged by the runner",
    "extra_headers": "in the request's headers", "extra_query": "in its query", "spelling": "names, no value",
}  # fmt: skip
MODELS = {
    "openai": [model("openai"), listed("openai", "gpt-5"), listed("openai", "gpt-5.1"), listed("openai", "gpt-4o")],
    "groq": [model("groq"), listed("groq", "openai/gpt-oss-120b"), listed("groq", "qwen/qwen3-32b")],
    "deepseek": [model("deepseek"), listed("deepseek", "deepseek-v4-pro"), listed("deepseek", "deepseek-chat")],
}
ALL = [(name, value) for name, values in SAMPLES.items() for value in values]


def test_every_setting_has_a_sample() -> None:
    assert set(SAMPLES) | set(BESIDE) == GenerationSettings.__fields__


def body_or_refusal(codec: OpenAIChat, of: Any, given: dict[str, Any], *, stream: bool) -> tuple[str, set[str]]:
    """The body, or the setting that is refused; and the settings that are reported."""
    try:
        request = build(make_call(of=of, stream=stream, **given), codec)
    except UnsupportedParam as error:
        return f"refused: {error.param}", {error.param}
    return json.dumps(request.body), {warning.field.partition(".")[0] for warning in request.warnings}


def judge(codec: OpenAIChat, of: Any, given: dict[str, Any], *, stream: bool) -> None:
    """Each setting that is not reported has left its mark in the body."""
    body, said = body_or_refusal(codec, of, given, stream=stream)
    assert said <= set(given)
    if body.startswith("refused"):
        return
    for name in given.keys() - said:
        without = {other: value for other, value in given.items() if other != name}
        if body_or_refusal(codec, of, without, stream=stream)[0] == body:
            assert says_nothing_new(of, name, given[name])


def says_nothing_new(of: Any, name: str, value: Any) -> bool:
    """Thinking that is asked of a model which thinks anyway."""
    return name == "reasoning" and value is True and of.traits.reasons in ("always", "default")


@each(("name", "value"), ALL, ids=[f"{name}-{index}" for index, (name, _) in enumerate(ALL)])
@each("provider", CODECS)
def test_t1_each_setting_is_sent_or_reported(provider: str, name: str, value: Any) -> None:
    for of in MODELS[provider]:
        for stream in (False, True):
            judge(CODECS[provider], of, {name: value}, stream=stream)


@pytest.mark.parametrize("provider", CODECS)
@settings(max_examples=60)
@given(chosen=st.lists(st.sampled_from(ALL), max_size=6, unique_by=lambda item: item[0]), data=st.data())
def test_t1_settings_among_others_are_sent_or_reported(provider: str, chosen: list[Any], data: st.DataObject) -> None:
    of = data.draw(st.sampled_from(MODELS[provider]))
    judge(CODECS[provider], of, dict(chosen), stream=data.draw(st.booleans()))


MEANING = ["tools", "tool_choice", "response_format", "stop", "n", "modalities", "audio", "web_search", "max_tokens"]


@each("provider", CODECS)
@each("name", MEANING)
def test_what_changes_the_meaning_is_never_only_warned_of(provider: str, name: str) -> None:
    for of in MODELS[provider]:
        for value in SAMPLES[name]:
            try:
                request = build(make_call(of=of, **{name: value}), CODECS[provider])
            except UnsupportedParam:
                continue
            harmless = name == "modalities" and value == ["text"]
            assert harmless or not [item for item in request.warnings if item.field == name and item.code == "dropped"]


@each("provider", ["groq", "deepseek"])
@each("given", [{"web_search": False}, {"web_search": None}, {"audio": None}, {"modalities": None},
                                   {"modalities": ["text"]}])  # fmt: skip
def test_settings_that_ask_for_nothing_do_not_raise(provider: str, given: dict[str, Any]) -> None:
    request = build(make_call(of=model(provider), **given), CODECS[provider])
    assert set(request.body) == {"model", "messages"}  # type: ignore[arg-type]
    assert [warning.field for warning in request.warnings] == list(given)
