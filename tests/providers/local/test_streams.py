"""What holds for every call of the embedded models, whatever is asked: the stream and the whole are one answer."""

import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from betterai.core.accumulate import Accumulator
from betterai.core.message import Message, Reasoning, Text, ToolCall
from betterai.core.settings import GenerationSettings, ReasoningControl
from betterai.core.tools import JsonObject, JsonSchema, Tool
from betterai.providers.local.text import LocalTextProvider
from betterai.providers.local.words import count_words, split_words

TOOLS = [Tool(name="f", parameters={"properties": {"a": {"type": "string"}}}), Tool(name="g")]
TEXTS = st.one_of(st.text(max_size=40), st.sampled_from(["call f", 'call f {"a": "x y"} call g', "one two three"]))
COMMON = {
    "max_tokens": st.integers(1, 9),
    "n": st.integers(1, 3),
    "stop": st.sampled_from([" ", "o", ["x", "call"]]),
    "logprobs": st.booleans(),
    "top_logprobs": st.integers(0, 3),
    "options": st.fixed_dictionaries({}, optional={"chunk_size": st.integers(1, 9)}).map(lambda own: {"local": own}),
}
ECHO = {
    "tools": st.just(TOOLS),
    "parallel_tool_calls": st.booleans(),
    "tool_choice": st.sampled_from(["auto", "none"]),
    "reasoning": st.sampled_from(["none", "low", "high", True, 2, ReasoningControl(effort="low", include=False)]),
    "response_format": st.sampled_from([JsonObject(), JsonSchema(schema={"type": "array", "minItems": 2})]),
}


async def check(text, model, chosen):
    provider, wish = LocalTextProvider(), GenerationSettings(**chosen)
    chunks = [chunk async for chunk in provider.generate_stream(text, model, wish)]
    response = chunks[-1].response
    assert response == await provider.generate(text, model, wish)
    answers = [response, *response.alternatives]
    assert len(answers) == chosen.get("n", 1)
    gathered = Accumulator(model)
    for chunk in chunks[:-1]:
        assert chunk.response is None
        gathered.add(chunk)
    rebuilt = gathered.response()
    assert [(a.content, a.message, a.finish_reason) for a in (rebuilt, *rebuilt.alternatives)] == [
        (a.content, a.message, a.finish_reason) for a in answers
    ]
    assert sum(chunk.usage is not None for chunk in chunks) == 1
    assert response.tokens_used == response.usage.total_tokens == rebuilt.usage.total_tokens
    if "max_tokens" in chosen:
        assert response.usage.output_tokens <= chosen["max_tokens"] * len(answers)
    for choice, answer in enumerate(answers):
        check_choice([chunk for chunk in chunks if chunk.choice == choice], answer)


def check_choice(chunks, answer):
    assert [chunk.part for chunk in chunks if chunk.part] == list(answer.message.parts)
    assert "".join(chunk.content for chunk in chunks) == answer.content == answer.message.text
    assert "".join(chunk.reasoning for chunk in chunks) == answer.message.reasoning
    assert [chunk.finish_reason for chunk in chunks if chunk.finish_reason] == [answer.finish_reason]
    for call in answer.tool_calls:
        deltas = [c.tool_call for c in chunks if c.tool_call and c.tool_call.index == call.index]
        assert "".join(delta.arguments for delta in deltas) == call.arguments
        assert (deltas[0].id, deltas[0].name) == (call.id, call.name)
    order = [(Reasoning, Text, ToolCall).index(type(part)) for part in answer.message.parts]
    assert order == sorted(order)
    tokens = tuple(token for chunk in chunks for token in chunk.logprobs or ())
    if answer.logprobs is not None:
        assert tokens == answer.logprobs
        assert "".join(token.token for token in tokens) == answer.content


@settings(max_examples=300, deadline=None)
@given(TEXTS, st.fixed_dictionaries({}, optional={**COMMON, **ECHO}))
async def test_the_echos_stream_and_response_are_one(text, chosen):
    await check(text, "echo", chosen)


@settings(max_examples=150, deadline=None)
@given(TEXTS, st.fixed_dictionaries({}, optional=COMMON))
async def test_elizas_stream_and_response_are_one(text, chosen):
    await check(text, "eliza", chosen)


@given(st.text(" \n\tab.é　", max_size=20))
def test_words_join_to_the_text(text):
    words = split_words(text)
    assert "".join(words) == text
    assert count_words(text) == len(words)
    if text.split():
        assert len(words) == len(text.split())


async def test_a_lone_surrogate_breaks_nothing():
    response = await LocalTextProvider().generate("a \ud800", "echo", GenerationSettings(logprobs=True))
    assert response.content == "a \ud800"


async def test_a_long_text_takes_no_more_than_its_length():
    text = "call f {" * 20_000 + " word" * 20_000
    response = await LocalTextProvider().generate([Message.user(text)], "echo", GenerationSettings(tools=TOOLS[1:]))
    assert response.content == text


@pytest.mark.parametrize(
    "module", ["asyncio", *(f"betterai.providers.local.{n}" for n in ("conversation", "echo", "eliza", "schema"))]
)
def test_importing_the_folder_loads_no_more_than_it_must(module):
    program = f"import betterai.providers.local, sys; sys.exit({module!r} in sys.modules)"
    before = f"import betterai.core.base, betterai.core.data, sys; sys.exit({module!r} in sys.modules)"
    if subprocess.run([sys.executable, "-c", before], check=False).returncode:
        pytest.skip(f"core itself loads {module}")
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
