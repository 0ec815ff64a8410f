"""Who is asked first: by order, weight, time and load; conversations that stay, and what only its maker can read."""

from __future__ import annotations

import asyncio
from collections import Counter
from random import Random
from typing import Any

import pytest
from msgspec import Raw

from betterai import (
    GenerationSettings,
    Media,
    MediaPart,
    Message,
    Opaque,
    Reasoning,
    Router,
    Target,
    Text,
    UnsupportedParam,
)
from betterai.runtime.router.affinity import REMEMBERED
from runtime.providers import FakeTime, connect
from runtime.router.targets import Scripted, down, read, route
from runtime.upstream import Upstream, answer


async def count(router: Router, calls: int) -> Counter[str]:
    return Counter([(await router.generate("Hello")).content for _ in range(calls)])


async def test_weights_are_kept_and_a_given_source_makes_them_certain() -> None:
    def make(seed: int) -> Router:
        return route(Target(Scripted("a"), weight=3), Scripted("b"), choose="weight", random=Random(seed))

    found = await count(make(1), 1000)
    assert 700 < found["a"] < 800
    one, two = make(7), make(7)
    assert [(await one.generate("x")).content for _ in range(20)] == [
        (await two.generate("x")).content for _ in range(20)
    ]


@pytest.mark.parametrize("streaming", [False, True])
async def test_the_quickest_is_asked_and_others_are_looked_at_again(streaming: bool) -> None:
    time = FakeTime()

    def takes(name: str, seconds: list[float]) -> Any:
        async def behave() -> str:
            time.passed += seconds[0]
            return name

        return behave

    slow, quick = [1.0], [0.2]
    router = route(Scripted(takes("a", slow)), Scripted(takes("b", quick)), time=time, choose="latency")

    async def ask() -> str:
        return (await read(router))[0] if streaming else (await router.generate("Hello")).content

    assert [await ask() for _ in range(6)] == ["a", "b", "b", "b", "b", "b"]
    slow[0] = 0.1
    time.passed += 61
    assert {await ask(), await ask()} == {"a", "b"}
    seen = [await ask() for _ in range(20)]
    assert seen[-1] == "b", "its mean falls only slowly"
    status = router.status().targets
    mean = status[1].first_content if streaming else status[1].whole
    assert mean == pytest.approx(0.2)


async def test_the_least_busy_is_asked() -> None:
    gate = asyncio.Event()

    async def wait() -> str:
        await gate.wait()
        return "a"

    targets = [Scripted(wait), Scripted(wait)]
    router = route(
        *(Target(target, concurrency=size) for target, size in zip(targets, (1, 3), strict=True)), choose="load"
    )
    tasks = [asyncio.ensure_future(router.generate("Hello")) for _ in range(4)]
    for _ in range(5):
        await asyncio.sleep(0)
    assert [len(target.asked) for target in targets] == [1, 3]
    gate.set()
    await asyncio.gather(*tasks)


# ── conversations ──


async def test_a_conversation_stays_with_its_target_while_that_is_well() -> None:
    targets = [Scripted("a"), Scripted("b"), Scripted("c")]
    router = route(*targets, choose="weight", sticky=True, random=Random(3))
    firsts = [Message.user(f"question {number}") for number in range(30)]
    answers = [(await router.generate([first])).content for first in firsts]
    assert set(answers) == {"a", "b", "c"}
    for first, said in zip(firsts, answers, strict=True):
        turns: list[Any] = [first, Message.assistant(said), {"role": "user", "content": "and then?"}]
        assert (await router.generate(turns)).content == said


async def test_a_conversation_moves_when_its_target_fails_and_stays_there() -> None:
    first, second = Scripted("a", down(), "a"), Scripted("b")
    router = route(first, second, sticky=True)
    assert [(await router.generate("Hi")).content for _ in range(4)] == ["a", "b", "b", "b"]
    assert (await router.generate("another")).content == "a"


async def test_a_caller_may_say_which_conversation_it_is() -> None:
    router = route(
        Scripted("a", down(), "a"), Scripted("b"), sticky=lambda messages, settings: (settings.metadata or {}).get("id")
    )

    async def ask(text: str, conversation: str) -> str:
        return (await router.generate(text, "", GenerationSettings(metadata={"id": conversation}))).content

    assert [await ask("x", "1"), await ask("y", "1"), await ask("z", "1")] == ["a", "b", "b"]
    assert await ask("z", "2") == "a"


async def test_only_so_many_conversations_are_remembered() -> None:
    router = route(Scripted("a"), Scripted("b"), sticky=True)
    for number in range(REMEMBERED + 10):
        router.affinity.remember(number, router.routes[0])
    assert len(router.affinity._known) == REMEMBERED


def said_by(provider: str) -> list[Message]:
    opaque = Opaque(protocol="", provider=provider, data=Raw(b"{}"))
    thought = Message(role="assistant", parts=(Reasoning(opaque=opaque), Text(text="Hm.")))
    return [Message.user("Hi"), thought, Message.user("And?")]


async def test_r7_thoughts_go_back_to_who_had_them_while_that_is_well() -> None:
    router = route(Scripted("a", model="m", provider="one"), Scripted("b", down(), model="m", provider="two"))
    assert (await router.generate("Hi")).content == "a"
    assert (await router.generate(said_by("two"))).content == "b"
    assert (await router.generate(said_by("two"))).content == "a", "anyone answers where it cannot"


async def test_r7_a_file_goes_to_its_owner_and_to_nobody_else() -> None:
    with Upstream(answer("a")) as one, Upstream(answer("b")) as two:
        first, second = connect(one.url), connect(two.url, api_key="another-key-123")
        file = Media(kind="document", file_id="f", owner=f"neutral#{second.connection.account()}")
        message = Message(role="user", parts=(Text(text="Read"), MediaPart(media=file)))
        assert (await route(first, second, time=FakeTime()).generate([message])).content == "b"
        with pytest.raises(UnsupportedParam, match="another account"):
            await route(first).generate([message])
        assert one.requests == []
