"""The scripted provider: what it answers, what it keeps, and how it complains."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest

import betterai
from betterai.testing import ScriptedProvider, ScriptExhausted, scripted
from runtime.subprocesses import check_python

TOOL = betterai.Tool(name="paint", parameters={"type": "object", "properties": {}})
HELLO = [{"role": "user", "content": "Hello"}]
PLAIN = betterai.GenerationSettings()


async def test_texts_are_answered_in_order_and_calls_are_kept() -> None:
    with scripted(["one", "two"]) as provider:
        first = await betterai.generate("scripted/any", "Hello", temperature=0.5)
        second = await betterai.generate("scripted/other", "And now?", system="Be brief.")

    assert [first.content, second.content] == ["one", "two"]
    assert (first.provider, first.model, second.model) == ("scripted", "any", "other")
    assert [(call.text, call.model, call.stream) for call in provider.calls] == [
        ("Hello", "any", False),
        ("And now?", "other", False),
    ]
    assert provider.calls[0].settings.given() == {"temperature": 0.5}
    assert [message.role for message in provider.calls[1].messages] == ["system", "user"]
    assert provider.left == 0


async def test_it_is_a_text_provider_by_itself() -> None:
    provider = ScriptedProvider(["one"])
    assert isinstance(provider, betterai.BaseTextProvider)
    assert (await provider.generate(HELLO, "m", PLAIN)).content == "one"


async def test_an_answer_has_all_that_a_real_one_has() -> None:
    step = {
        "text": "Done.",
        "reasoning": "Let me see.",
        "tool_calls": [{"name": "paint", "arguments": {"colour": "red"}}],
        "usage": {"text_in": 7, "text_out": 3},
        "finish_reason": "tool_calls",
    }
    with scripted([step]):
        response = await betterai.generate("scripted/any", "Paint", tools=[TOOL])

    assert (response.content, response.reasoning, response.finish_reason) == ("Done.", "Let me see.", "tool_calls")
    assert [(call.name, call.parse_arguments()) for call in response.tool_calls] == [("paint", {"colour": "red"})]
    assert response.usage is not None
    assert (response.usage.input_tokens, response.usage.output_tokens) == (7, 3)
    assert response.warnings == ()


async def test_a_stream_comes_in_the_given_pieces() -> None:
    with scripted([{"pieces": ["He", "llo wor", "ld"]}]):
        chunks = [chunk async for chunk in betterai.stream("scripted/any", "Hello")]

    assert [chunk.content for chunk in chunks if chunk.content] == ["He", "llo wor", "ld"]
    assert chunks[-1].response is not None
    assert (chunks[-1].response.content, chunks[-1].response.model) == ("Hello world", "any")


@pytest.mark.parametrize(("limits", "pieces"), [({"max_tokens": 1}, ["a ", "b c"]), ({"stop": "b"}, ["a ", "b c"])])
async def test_the_callers_limits_do_not_cut_the_script(limits: Any, pieces: list[str]) -> None:
    with scripted([{"pieces": pieces}]):
        assert (await betterai.generate("scripted/any", "Hello", **limits)).content == "a b c"


async def test_an_error_of_the_script_is_raised() -> None:
    error = betterai.RateLimitError("slow down", retry_after=3)
    with scripted([error, {"error": "OverloadedError", "status": 503}]):
        with pytest.raises(betterai.RateLimitError, match="slow down") as caught:
            await betterai.generate("scripted/any", "Hello")
        with pytest.raises(betterai.OverloadedError, match="scripted/any"):
            await betterai.generate("scripted/any", "Hello")
    assert caught.value is error


async def test_a_stream_can_break_in_the_middle() -> None:
    with scripted([{"text": "one two three", "error_after": 2}]):
        stream = betterai.stream("scripted/any", "Hello")
        with pytest.raises(betterai.StreamInterrupted) as caught:
            await stream
    assert caught.value.partial is not None
    assert (caught.value.partial.content, caught.value.partial.model) == ("one two", "any")


async def test_delays_take_no_time_but_are_counted() -> None:
    with scripted([{"text": "one two", "first_delay": 1000, "delay": 100}]) as provider:
        async with asyncio.timeout(10):
            await betterai.generate("scripted/any", "Hello")
    assert provider.waited >= 1100


async def test_delays_are_given_to_a_clock() -> None:
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    await ScriptedProvider([{"text": "one", "first_delay": 5}], sleep=sleep).generate(HELLO, "m", PLAIN)
    assert waits[0] == 5


async def test_a_function_answers_by_the_call() -> None:
    with scripted([lambda call: call.text.upper()]):
        assert (await betterai.generate("scripted/any", "Hello")).content == "HELLO"


async def test_an_answer_is_parsed_as_the_caller_asked() -> None:
    class Weather(msgspec.Struct):
        sunny: bool

    with scripted(['{"sunny": true}', "no JSON"]):
        assert (await betterai.generate("scripted/any", "?", response_format=Weather)).parsed == Weather(sunny=True)
        with pytest.raises(betterai.OutputInvalidError):
            await betterai.generate("scripted/any", "?", response_format=Weather)


async def test_a_script_that_runs_out_says_what_was_asked() -> None:
    with scripted(["one"]) as provider:
        await betterai.generate("scripted/any", "Hello")
        with pytest.raises(ScriptExhausted, match=r"1 answers, and this is call 2: any was asked 'Still there\?'"):
            await betterai.generate("scripted/any", "Still there?")
        provider.add("two", "three")
    assert not issubclass(ScriptExhausted, betterai.BetterAIError), "programs that handle errors must not handle it"


@pytest.mark.parametrize(
    ("step", "words"), [({"txt": "x"}, "text"), (7, "a step"), ({"text": "a", "pieces": ["b"]}, "two ways")]
)
def test_a_step_that_is_none_is_refused_where_it_is_written(step: Any, words: str) -> None:
    with pytest.raises(betterai.ValidationError, match=words):
        ScriptedProvider([step])


async def test_a_real_provider_is_stood_in_for_and_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GROQ_API_KEY", raising=False)
    with scripted(["scripted"], name="groq"):
        assert (await betterai.generate("groq/openai/gpt-oss-120b", "Hello")).content == "scripted"
    with pytest.raises(betterai.ConfigurationError, match="GROQ_API_KEY"):
        await betterai.generate("groq/openai/gpt-oss-120b", "Hello")


async def test_a_script_inside_another_gives_the_name_back_to_it() -> None:
    with scripted(["outer"], name="groq"):
        with scripted(["inner"], name="groq"):
            assert (await betterai.generate("groq/any", "Hello")).content == "inner"
        assert (await betterai.generate("groq/any", "Hello")).content == "outer"


async def test_the_name_is_gone_after_the_block() -> None:
    with scripted(["one"]):
        pass
    with pytest.raises(betterai.ModelNotFoundError):
        await betterai.generate("scripted/any", "Hello")


def test_the_sync_face_is_answered_too() -> None:
    with scripted(["one"]):
        assert betterai.sync.generate("scripted/any", "Hello").content == "one"


def test_its_names_can_be_imported_in_any_order() -> None:
    said = check_python("""
        from betterai.testing import ScriptedProvider, scripted
        import betterai.testing.script
        from betterai.testing import scripted as again
        print(callable(scripted), again is scripted)
    """)
    assert said == "True True\n"
