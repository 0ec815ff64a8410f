"""S2: every finished stream says once what it used, and says the same as the whole reply."""

from __future__ import annotations

from betterai.core.message import Message
from betterai.core.response import TextChunk
from betterai.core.settings import GenerationSettings
from contract.cases import CASES, TEXT_CODECS, Case, over
from contract.doubles import Asked, Said
from contract.reading import double_of, read_steps, stream_of, whole_of
from together import each

OVER_ALL = over(TEXT_CODECS)
ASKED = (Asked("call_a", "add", ("{}",)),)


def counted(chunks: list[TextChunk]) -> list[TextChunk]:
    return [chunk for chunk in chunks if chunk.usage is not None]


@OVER_ALL
@each("asked", [(), ASKED], ids=["text", "tool call"])
def test_s2_a_finished_stream_says_its_usage_once_as_the_whole_reply_does(case: Case, asked: tuple[Asked, ...]) -> None:
    said = Said(text="Hello", asked=asked, usage=double_of(case).usage)
    whole, (chunks, streamed) = whole_of(case, said), stream_of(case, said)
    assert whole.usage is not None
    assert streamed.usage == whole.usage
    assert len(counted(chunks)) == 1
    assert (whole.usage.input_tokens, whole.usage.output_tokens, whole.usage.total_tokens) == (100, 20, 120)
    assert whole.tokens_used == streamed.tokens_used == 120
    assert whole.usage.source == "provider"


@OVER_ALL
def test_s2_usage_comes_with_the_end_and_not_before_the_finish(case: Case) -> None:
    chunks, _ = stream_of(case, Said(text="Hello", usage=double_of(case).usage))
    places = {"content": 0, "finish": 0, "usage": 0}
    for place, chunk in enumerate(chunks):
        places |= {"content": place} if chunk.content else {}
        places |= {"finish": place} if chunk.finish_reason else {}
        places |= {"usage": place} if chunk.usage else {}
    assert places["content"] < min(places["finish"], places["usage"])
    assert places["usage"] >= len(chunks) - 2


@OVER_ALL
def test_s2_no_usage_in_the_body_is_none_and_not_nothing(case: Case) -> None:
    whole, (chunks, streamed) = whole_of(case, Said(text="Hello")), stream_of(case, Said(text="Hello"))
    assert whole.usage is None
    assert streamed.usage is None
    assert counted(chunks) == []
    assert whole.tokens_used is None


@OVER_ALL
def test_s2_one_finish_a_stream_and_nothing_said_after_it_twice(case: Case) -> None:
    steps = list(read_steps(case, double_of(case).events(Said(text="Hello", usage=double_of(case).usage))))
    chunks = [chunk for step in steps for chunk in step]
    assert [chunk.finish_reason for chunk in chunks if chunk.finish_reason] == ["stop"]
    assert "".join(chunk.content for chunk in chunks) == "Hello"


@over(case for case in CASES if case.is_class and case.category == "text")
async def test_s2_an_embedded_class_counts_in_a_stream_as_in_a_whole_answer(case: Case) -> None:
    provider = case.codec(api_key="")
    for model in case.models:
        asked = ([Message.user("Hello")], model, GenerationSettings())
        whole = await provider.generate(*asked)
        chunks = [chunk async for chunk in provider.generate_stream(*asked)]
        said = {repr(chunk.usage) for chunk in chunks if chunk.usage is not None}
        assert said == ({repr(whole.usage)} if whole.usage is not None else set())
