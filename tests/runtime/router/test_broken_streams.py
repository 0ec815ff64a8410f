"""Streams that break: what the caller sees, what is billed, and that nothing stays open."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

import pytest

import betterai
from betterai import (
    CoreConfig,
    GenerationSettings,
    IdleTimeout,
    Message,
    OverloadedError,
    StreamInterrupted,
    TextChunk,
    Timeout,
)
from betterai.runtime.stream import TextStream
from betterai.runtime.text import CodecTextProvider
from betterai.wire.openai_chat import OpenAIChat
from runtime.providers import KEY, MODEL, PROVIDER, FakeTime, connect
from runtime.router.targets import PREFILL, USAGE, Scripted, down, read, route
from runtime.upstream import Upstream, answer, delta, hold, reply, stream, streamed

LONG = "This is a long beginning of an answer"
CUT = StreamInterrupted("it broke")


async def test_s5_what_breaks_before_the_first_content_is_not_seen() -> None:
    early = stream([delta(role="assistant")], "abort")
    with Upstream(early) as bad, Upstream(stream(streamed())) as good:
        time = FakeTime()
        text, chunks = await read(route(connect(bad.url, time), connect(good.url, time), time=time))
        assert text == "Hello"
        assert not any(chunk.reset for chunk in chunks)
        response = chunks[-1].response
        assert response is not None
        assert response.timing is not None
        assert [a.error for a in response.timing.attempts] == ["APIConnectionError", ""]


@pytest.mark.parametrize("ending", ["clean", "abort"])
async def test_s4_a_stream_that_breaks_later_fails_by_default(ending: Any) -> None:
    with Upstream(stream([delta("Hel")], ending)) as bad:
        router = route(connect(bad.url), Scripted("Hello"))
        seen = TextStream(router.generate_stream("Hello"))
        with pytest.raises(StreamInterrupted) as caught:
            await seen
        assert (seen.partial.content, seen.partial.finish_reason) == ("Hel", None)
        assert caught.value.partial is not None
        assert caught.value.partial.content == "Hel"
        assert len(caught.value.attempts) == 1


async def test_s5_restart_begins_anew_with_a_reset_and_no_text_is_doubled() -> None:
    with Upstream(stream([delta("Hel")], "abort")) as bad, Upstream(stream(streamed())) as good:
        time = FakeTime()
        router = route(connect(bad.url, time), connect(good.url, time), time=time, on_break="restart")
        text, chunks = await read(router)
        assert text == "Hello"
        assert [chunk.reset for chunk in chunks].count(True) == 1
        response = chunks[-1].response
        assert response is not None
        assert (response.content, response.usage and response.usage.total_tokens) == ("Hello", 9), "not billed for both"
        assert router.status().lost.amount is None, "what the broken one cost is not known, and not nothing"


async def test_a_stream_that_stalls_is_broken_too() -> None:
    with Upstream(stream([delta("Hel")], "hold")) as bad:
        provider = connect(bad.url, timeout=Timeout(idle=0.05))
        assert (await read(route(provider, Scripted("Hello"), on_break="restart")))[0] == "Hello"
        with pytest.raises(IdleTimeout):
            await read(route(provider, Scripted("Hello")))
        await bad.until(lambda: bad.left == 2)


async def test_leaving_at_the_reset_leaves_the_new_answer_too() -> None:
    second = Scripted("Hello")
    router = route(Scripted(("Hel", CUT)), second, on_break="restart")
    chunks = router.generate_stream("Hello")
    async for chunk in chunks:
        if chunk.reset:
            break
    await chunks.aclose()
    assert second.open == 0
    assert [target.in_flight for target in router.status().targets] == [0, 0]


async def test_a_single_target_may_restart() -> None:
    target = Scripted(("Hel", CUT), "Hello")
    assert (await read(route(target, on_break="restart")))[0] == "Hello"


async def test_where_no_other_answers_what_came_stands() -> None:
    router = route(Scripted((LONG, CUT)), Scripted(down()), on_break="restart", retries=1)
    stream_ = TextStream(router.generate_stream("Hello"))
    with pytest.raises(StreamInterrupted) as caught:
        await stream_
    assert stream_.partial.content == LONG, "no reset came"
    assert [a.error for a in caught.value.attempts] == ["StreamInterrupted", "OverloadedError"]


async def test_generate_may_always_begin_anew() -> None:
    with Upstream(reply(200, b'{"choices": [{"mess')) as bad, Upstream(answer()) as good:
        time = FakeTime()
        assert (
            await route(connect(bad.url, time), connect(good.url, time), time=time).generate("Hi")
        ).content == "Hello"


async def test_continue_goes_on_where_the_model_can() -> None:
    first = Scripted((LONG, CUT), model="a", **PREFILL)
    second = Scripted(" and this is its end", model="b", **PREFILL)
    router = route(first, second, on_break="continue")
    text, chunks = await read(router, "Tell me", max_tokens=100)
    whole = f"{LONG} and this is its end"
    assert text == whole
    assert not any(chunk.reset for chunk in chunks)
    told = [{"role": "user", "content": "Tell me"}, {"role": "assistant", "content": LONG}]
    assert second.asked[0][0] == told
    assert first.asked[0][1].max_tokens == 100
    left = second.asked[0][1].max_tokens
    assert left is not None
    assert 70 < left < 95, "what was said is taken off"
    response = chunks[-1].response
    assert response is not None
    assert response.content == whole
    assert response.message == Message.assistant(whole)
    assert response.usage is not None
    assert response.usage.source == "counted"
    assert response.usage.text_out > USAGE.text_out + 5, "both are billed"
    assert response.cost is not None
    assert response.timing is not None
    assert len(response.timing.attempts) == 2
    assert router.status().lost.amount == 0


@pytest.mark.parametrize("repeats", [False, True])
async def test_a_protocol_that_marks_beginnings_is_told_of_it(repeats: bool) -> None:
    class Marking(OpenAIChat):
        prefill_field = "prefix"

    pieces = [*([LONG[:20], LONG[20:]] if repeats else []), " and", " its end"]
    with Upstream(stream([delta(LONG)], "abort")) as bad, Upstream(stream(streamed(pieces))) as good:
        time = FakeTime()
        config = CoreConfig(base_url=good.url, api_key=KEY)
        second = CodecTextProvider(PROVIDER, Marking(), config, MODEL, clock=time.clock)
        router = route(connect(bad.url, time), second, time=time, on_break="continue")
        chunks = TextStream(router.generate_stream("Tell me"))
        text = "".join([chunk.content async for chunk in chunks])
        assert text == chunks.response.content == f"{LONG} and its end"
        assert chunks.response.message == Message.assistant(text)
        assert chunks._gathered.response().content == text, "the parts say the same"
        assert good.requests[0].body["messages"][-1] == {"role": "assistant", "content": LONG, "prefix": True}
        assert chunks.response.usage is not None
        assert chunks.response.usage.total_tokens > 9


async def test_what_is_repeated_of_the_beginning_is_not_shown_again() -> None:
    for said, repeated in ((LONG, LONG), (f"{LONG}  ", "  "), (f"{LONG} ", f"{LONG} ")):
        first = Scripted((said, CUT), model="a", **PREFILL)
        second = Scripted(f"{repeated}and its end", model="b", **PREFILL)
        text, chunks = await read(route(first, second, on_break="continue"))
        assert text == f"{said}and its end"
        assert chunks[-1].response is not None
        assert chunks[-1].response.content == text


async def test_an_answer_may_be_continued_twice() -> None:
    targets = [Scripted((LONG, CUT), model="a", **PREFILL), Scripted((" goes on", CUT), model="b", **PREFILL)]
    last = Scripted(" and ends", model="c", **PREFILL)
    text, chunks = await read(route(*targets, last, on_break="continue"))
    assert text == f"{LONG} goes on and ends"
    assert chunks[-1].response is not None
    assert chunks[-1].response.content == text


@pytest.mark.parametrize(
    ("said", "settings", "second"),
    [
        ("short", {}, PREFILL),
        (LONG, {"response_format": {"type": "string"}}, PREFILL),
        (LONG, {"reasoning": "high"}, PREFILL),
        (LONG, {}, {}),
    ],
    ids=["short", "shape", "reasoning", "model"],
)
async def test_what_cannot_be_continued_begins_anew(said: str, settings: Any, second: Any) -> None:
    targets = [Scripted((said, CUT), model="a", **PREFILL), Scripted('"Hello"', model="b", **second)]
    text, chunks = await read(route(*targets, on_break="continue"), **settings)
    assert text == '"Hello"'
    assert [chunk.reset for chunk in chunks].count(True) == 1
    assert chunks[-1].response is not None
    assert chunks[-1].response.usage == USAGE


async def test_a_continuation_that_is_turned_down_begins_anew() -> None:
    refused = betterai.BadRequestError("no prefill here", status=400)
    second = Scripted(refused, "Hello", model="b", **PREFILL)
    text, _ = await read(route(Scripted((LONG, CUT), model="a", **PREFILL), second, on_break="continue"))
    assert text == "Hello"
    assert len(second.asked) == 2


async def test_thoughts_and_calls_cannot_be_continued() -> None:
    class Thinking(Scripted):
        async def generate_stream(self, messages: Any, model: str, settings: GenerationSettings) -> Any:
            yield TextChunk(reasoning="hm")
            yield TextChunk(content=LONG)
            raise CUT

    text, chunks = await read(route(Thinking(""), Scripted("Hello", model="b", **PREFILL), on_break="continue"))
    assert text == "Hello"
    assert any(chunk.reset for chunk in chunks)


# ── leaving ──


async def test_s3_leaving_a_stream_closes_it_and_gives_the_place_back() -> None:
    with Upstream(stream([delta("Hel")], "hold")) as upstream:
        router = route(betterai.Target(connect(upstream.url), concurrency=1))
        async with TextStream(router.generate_stream("Hello")) as chunks:
            async for _ in chunks:
                break
            assert router.status().targets[0].in_flight == 1
        await upstream.until(lambda: upstream.left == 1)
        assert router.status().targets[0].in_flight == 0


@pytest.mark.parametrize("streaming", [False, True])
async def test_s3_cancelling_closes_the_upstream_and_nothing_else_is_asked(streaming: bool) -> None:
    with Upstream(hold) as upstream:
        second = Scripted("Hello")
        router = route(connect(upstream.url), second)
        work = read(router) if streaming else router.generate("Hello")
        task = asyncio.ensure_future(work)
        await upstream.until(lambda: len(upstream.requests) == 1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await upstream.until(lambda: upstream.left == 1)
        assert second.asked == []
        assert router.status().targets[0].in_flight == 0


async def test_an_abandoned_stream_is_closed_with_the_generator() -> None:
    target = Scripted("one two three")
    router = route(target)
    async for _ in router.generate_stream("Hello"):
        break
    for _ in range(5):
        await asyncio.sleep(0)
    assert (target.open, target.closed) == (0, 1)
    assert router.status().targets[0].in_flight == 0


async def test_what_a_stream_that_broke_cost_is_kept() -> None:
    first = Scripted((LONG, CUT), model="a", **PREFILL)
    router = route(first, Scripted("Hello", model="b"), on_break="restart")
    await read(router)
    lost = router.status().lost
    assert lost.status == "estimated"
    assert lost.amount is not None
    assert lost.amount > Decimal("0.000005")


async def test_the_sync_face_and_runs_of_tools_heed_a_reset() -> None:
    def make() -> betterai.Router:
        return route(Scripted((LONG, CUT)), Scripted("Hello"), on_break="restart")

    def read_sync() -> tuple[str, str]:
        with betterai.sync.stream(make(), "Hi") as chunks:
            for _ in chunks:
                pass
            return chunks.partial.content, chunks.response.content

    assert await asyncio.to_thread(read_sync) == ("Hello", "Hello")
    tools = betterai.stream_tools(make(), "Hi")
    assert (await tools.collect()).content == "Hello"
    assert tools.run.messages[-1].text == "Hello"
    talk = betterai.Conversation(make())
    async with talk.stream("Hi") as chunks:
        async for _ in chunks:
            pass
    assert [message.text for message in talk.messages] == ["Hi", "Hello"]


async def test_an_error_in_the_middle_that_says_more_than_that_it_broke() -> None:
    router = route(Scripted(("Hel", OverloadedError("full"))), Scripted("Hello"), on_break="restart")
    assert (await read(router))[0] == "Hello"
    wrong = betterai.OutputInvalidError("not what was asked")
    with pytest.raises(betterai.OutputInvalidError):
        await read(route(Scripted(("Hel", wrong)), Scripted("Hello"), on_break="restart"))
