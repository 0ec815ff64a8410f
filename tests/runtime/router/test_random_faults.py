"""Whatever three targets do: attempts within the budget, no text twice, an answer where there is one, the right error."""

from __future__ import annotations

import asyncio
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from betterai import (
    APIConnectionError,
    AuthenticationError,
    BadRequestError,
    FirstByteTimeout,
    GenerationSettings,
    IdleTimeout,
    OverloadedError,
    QuotaExceededError,
    RateLimitError,
    Retries,
    StreamInterrupted,
    TextChunk,
    UnsupportedParam,
)
from betterai.runtime.stream import TextStream
from runtime.providers import FakeTime
from runtime.router.targets import PREFILL, Scripted, route

ANSWERS = [f"target {name} says a sentence of its own, and this is all of it" for name in "abc"]


def faults(index: int) -> st.SearchStrategy[Any]:
    cut = StreamInterrupted("it broke")
    early = st.sampled_from(
        [
            lambda: OverloadedError("down", status=503),
            lambda: RateLimitError("slow down", status=429, retry_after=1.0),
            lambda: QuotaExceededError("no money", status=429),
            lambda: AuthenticationError("bad key", status=401),
            lambda: APIConnectionError("gone"),
            lambda: FirstByteTimeout("silent"),
            lambda: UnsupportedParam("not here", param="n"),
            lambda: BadRequestError("wrong", status=400),
            lambda: RuntimeError("of its own"),
        ]
    ).map(lambda make: make())
    late = st.sampled_from([cut, IdleTimeout("silent"), APIConnectionError("gone")])
    broken = st.tuples(st.sampled_from([ANSWERS[index], ANSWERS[index][:30], "target"]), late)
    return st.lists(st.one_of(st.just(ANSWERS[index]), early, broken), min_size=1, max_size=4)


@settings(max_examples=80, deadline=None)
@given(
    scripts=st.tuples(*(faults(index) for index in range(3))),
    attempts=st.integers(1, 7),
    on_break=st.sampled_from(["fail", "restart", "continue"]),
    prefill=st.booleans(),
    calls=st.integers(1, 3),
)
def test_r3_s4_s5_whatever_targets_do(scripts: Any, attempts: int, on_break: str, prefill: bool, calls: int) -> None:
    asyncio.run(check(scripts, attempts, on_break, prefill, calls))


async def check(scripts: Any, attempts: int, on_break: str, prefill: bool, calls: int) -> None:
    time, traits = FakeTime(), PREFILL if prefill else {}
    targets = [Scripted(*script, model=name, **traits) for script, name in zip(scripts, "abc", strict=True)]
    router = route(*targets, time=time, on_break=on_break, retries=Retries(attempts=attempts))
    for number in range(calls):
        before = [len(target.asked) for target in targets]
        streaming = number % 2 == 0
        seen: list[TextChunk] = []
        failure: Exception | None = None
        response = None
        stream = TextStream(router.generate_stream("Hello", "", GenerationSettings()))
        try:
            if streaming:
                async for chunk in stream:
                    seen.append(chunk)  # noqa: PERF401 (what came before an error counts)
                response = stream.response
            else:
                response = await router.generate("Hello")
        except Exception as error:
            failure = error
        steps = [asked_for(target, start) for target, start in zip(targets, before, strict=True)]
        sent = [step for made in steps for step in made if not isinstance(step, UnsupportedParam)]
        assert len(sent) <= attempts
        assert all(status.in_flight == 0 for status in router.status().targets)
        assert [target.open for target in targets] == [0, 0, 0]
        if failure is not None:
            raised = [step[1] if isinstance(step, tuple) else step for made in steps for step in made]
            assert failure in raised, "it is an error of a target that was asked"
            assert not any(chunk.finish_reason or chunk.response for chunk in seen)
        else:
            assert response is not None
            whole = [step for made in steps for step in made if isinstance(step, str)]
            assert whole, "somebody answered"
            said = "".join(text_of(seen)) if streaming else response.content
            assert said == response.content
            assert said.count("says") == 1 or on_break == "continue"
            if not (on_break == "continue" and prefill):
                assert said in whole
        refused = any(isinstance(step, BadRequestError) for made in steps for step in made)
        if not refused and attempts >= 7 and on_break != "fail":
            firsts = [
                target.steps[min(start, len(target.steps) - 1)] for target, start in zip(targets, before, strict=True)
            ]
            if any(isinstance(first, str) for first in firsts):
                assert failure is None, "one stood ready with an answer"


def asked_for(target: Scripted, start: int) -> list[Any]:
    return [target.steps[min(index, len(target.steps) - 1)] for index in range(start, len(target.asked))]


def text_of(chunks: list[TextChunk]) -> list[str]:
    last = max((index for index, chunk in enumerate(chunks) if chunk.reset), default=-1)
    return [chunk.content for chunk in chunks[last + 1 :]]
