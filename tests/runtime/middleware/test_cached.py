"""The cache of answers: what is the same call, what is kept, and how a kept answer looks."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

import betterai
from betterai import Cached, GenerationSettings, Media, Message, ProviderCall, ServerTool, Text, Tool, ToolCall
from betterai.core.accumulate import Accumulator
from betterai.core.tools import JsonObject, PlainText
from betterai.runtime.attempts import Clock
from betterai.runtime.middleware.cache_key import LEFT_OUT, identify, make_key
from betterai.runtime.middleware.stores import MemoryStore
from betterai.runtime.schema import prepare_settings
from betterai.testing import scripted
from runtime.middleware.priced import Priced, until


@pytest.fixture(params=["memory", "file"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, Any]:
    return {"path": tmp_path / "answers.db", "patience": 30} if request.param == "file" else {}


async def test_a_kept_answer_says_so_and_is_the_same(place: dict[str, Any]) -> None:
    provider, now = Priced(), [100.0]
    async with Cached(provider, clock=Clock(now=lambda: now[0]), **place) as cached:
        first = await cached.generate("Hi")
        assert first.timing is None or first.timing.age is None
        now[0] += 7
        again = await cached.generate("Hi")
        streamed = await betterai.stream(cached, "Hi")
    assert (len(provider.calls), cached.hits, cached.misses) == (1, 2, 1)
    for kept in (again, streamed):
        assert kept.timing is not None
        assert (kept.timing.age, kept.timing.attempts) == (7, ())
        assert kept.cost is not None
        assert (kept.cost.amount, kept.cost.status) == (0, "exact")
        assert kept.cost.reason == "answered from a cache; it cost 0.5 first"
        same = msgspec.structs.replace(kept, cost=first.cost, timing=first.timing)
        assert same == first, "usage, id and message are those of the first answer"


RICH: dict[str, Any] = {
    "text": "Yes.", "reasoning": "Hm. Well.", "usage": {"text_in": 7, "text_out": 2},
    "tool_calls": [{"name": "f", "arguments": {"x": 1}}, {"name": "g", "arguments": {"y": [1, 2]}}],
}  # fmt: skip


@pytest.mark.parametrize("given", [{}, {"n": 3}, {"logprobs": True, "top_logprobs": 2}], ids=str)
async def test_a_kept_answer_streams_as_chunks_that_make_the_same_response(
    given: dict[str, Any], place: dict[str, Any]
) -> None:
    with scripted([RICH] if not given else [{"text": "Yes and no."}]) as provider:
        async with Cached("scripted/any", **place) as cached:
            first = await betterai.generate(cached, "Hi", **given)
            gathered = Accumulator(first.model)
            async with betterai.stream(cached, "Hi", **given) as stream:
                chunks = [chunk async for chunk in stream]
    assert len(provider.calls) == 1
    for chunk in chunks:
        gathered.add(chunk)
    made, last = gathered.response(), chunks[-1].response
    assert last is not None
    assert [chunk for chunk in chunks if chunk.response is not None] == [chunks[-1]]
    for response in (made, last):
        assert (response.content, response.message, response.usage) == (first.content, first.message, first.usage)
        assert (response.finish_reason, response.raw_finish_reason) == (first.finish_reason, first.raw_finish_reason)
        assert [item.content for item in response.alternatives] == [item.content for item in first.alternatives]
        assert response.logprobs == first.logprobs
    assert "".join(chunk.content for chunk in chunks if not chunk.choice) == first.content
    assert "".join(chunk.reasoning for chunk in chunks) == first.reasoning
    deltas = [chunk.tool_call for chunk in chunks if chunk.tool_call is not None]
    assert [(delta.id, delta.name, delta.arguments) for delta in deltas] == [
        (call.id, call.name, call.arguments) for call in first.tool_calls
    ]


async def test_all_that_an_answer_may_hold_is_kept(place: dict[str, Any]) -> None:
    mark = betterai.Opaque(protocol="p", provider="q", model="m", data=msgspec.Raw(b'{"signature": "x\\u00e9"}'))
    parts = (
        betterai.Reasoning(text="Hm.", opaque=mark),
        Text(text="Look: é", citations=(betterai.Citation(url="https://example.com", start=0, end=4, opaque=mark),)),
        betterai.MediaPart(media=Media(kind="image", mime_type="image/png", data=b"\x89\x00\xff")),
        ToolCall(id="1", name="search", arguments='{"q": 1.0}', server=True),
        betterai.ToolResult(id="1", parts=(Text(text="found"),)),
        betterai.Refusal(text="no more"),
    )
    usage = betterai.Usage(
        text_in=1, cached={"text": 2}, units={"search": 1.5}, stated_cost=Decimal("0.1"), tier="flex"
    )
    whole = betterai.ProviderResponse(
        content="Look: é", model="m", message=Message(role="assistant", parts=parts, opaque=mark), usage=usage,
        tokens_used=3, finish_reason="stop", raw_finish_reason="end", provider="q", id="1", request_id="2",
        warnings=(betterai.CallWarning(code="dropped", field="seed", message="not taken"),),
        logprobs=(betterai.TokenLogprob(token="L", logprob=-0.5, bytes=(76,)),),
    )  # fmt: skip

    class Rich(betterai.BaseTextProvider):
        async def generate(self, messages: Any, model: str, settings: GenerationSettings) -> betterai.ProviderResponse:
            return whole

    async with Cached(Rich(), **place) as cached:
        first, kept = await cached.generate("Hi"), await cached.generate("Hi")
        streamed = [chunk async for chunk in cached.generate_stream("Hi")]
    assert cached.hits == 2
    assert msgspec.structs.replace(kept, cost=first.cost, timing=first.timing) == first
    gathered = Accumulator("m")
    for chunk in streamed:
        gathered.add(chunk)
    made = gathered.response()
    assert (made.content, made.message, made.logprobs) == (whole.content, whole.message, whole.logprobs)


async def test_a_stream_is_kept_for_whole_answers() -> None:
    provider = Priced()
    cached = Cached(provider)
    streamed = await betterai.stream(cached, "Hi")
    whole = await cached.generate("Hi")
    assert len(provider.calls) == 1
    assert (whole.content, whole.message, whole.usage) == (streamed.content, streamed.message, streamed.usage)


# ── what is the same ──

TOOL = Tool(name="f", parameters={"type": "object"})
DIFFERENT: list[Mapping[str, Any]] = [
    {}, {"temperature": None}, {"temperature": 0}, {"temperature": 1}, {"seed": 1}, {"seed": None}, {"n": 2},
    {"stop": ["a"]}, {"stop": "a"}, {"tools": []}, {"tools": [TOOL]}, {"tools": [betterai.CustomTool(name="f")]},
    {"tools": [Tool(name="f")]}, {"response_format": PlainText()}, {"response_format": JsonObject()},
    {"response_format": None}, {"response_format": {"type": "object"}}, {"reasoning": "low"}, {"reasoning": True},
    {"options": {"groq": {"a": 1}}}, {"options": {"groq": {"a": "1"}}}, {"extra_body": {"a": 1}},
    {"extra_headers": {"x-beta": "1"}}, {"extra_headers": {}}, {"extra_query": {"v": "1"}}, {"max_tokens": 1}, {"max_tokens": True + 1},
]  # fmt: skip


async def key(given: Mapping[str, Any] | None = None, *messages: Message, model: str = "", at: str = "x") -> bytes:
    settings = GenerationSettings(**(given or {}))
    call = ProviderCall(messages=messages or (Message.user("Hi"),), model=model, settings=settings)
    found = await make_key(at, call, prepare_settings(settings)[0])
    assert found is not None
    assert len(found) == 32
    return found


async def test_what_may_change_the_answer_makes_another_key() -> None:
    keys = [await key(given) for given in DIFFERENT]
    keys += [await key(model="m"), await key(at="y")]
    keys += [await key(None, message) for message in (
        Message.user("Hi "), Message.system("Hi"), Message.assistant("Hi"),
        Message.user("Hi", Media(kind="image", data=b"1")), Message.user("Hi", Media(kind="image", data=b"2")),
        Message.user("Hi", Media(kind="image", url="https://example.com/1")),
        Message(role="assistant", parts=(ToolCall(id="1", name="f"),)),
        Message(role="user", parts=(Text(text="H"), Text(text="i"))), Message(role="user", parts=(Text(text="Hi"),), name="Ada"),
    )]  # fmt: skip
    assert len(set(keys)) == len(keys)


async def test_what_does_not_change_it_makes_the_same_key() -> None:
    plain = await key()
    own: dict[str, Any] = {
        "user": "ada", "metadata": {"a": "b"}, "safety_identifier": "s", "service_tier": "flex",
        "cache": betterai.PromptCache(key="k"), "stream_options": betterai.StreamOptions(include_usage=False),
        "spelling": frozenset({"max_tokens"}),
    }  # fmt: skip
    assert set(own) == LEFT_OUT
    assert {await key({name: value}) for name, value in own.items()} == {plain}
    secret = [{"authorization": "Bearer 1"}, {"Authorization": "Bearer 2"}, {"x-api-key": "3"}]
    assert {await key({"extra_headers": headers}) for headers in secret} == {await key({"extra_headers": {}})}
    assert await key({"seed": 1, "n": 2}) == await key({"n": 2, "seed": 1})
    assert await key({"extra_body": {"a": 1, "b": 2}}) == await key({"extra_body": {"b": 2, "a": 1}})


async def test_media_are_compared_by_what_is_in_them(tmp_path: Path) -> None:
    file = tmp_path / "a.png"
    file.write_bytes(b"picture")
    image = {"kind": "image", "mime_type": "image/png"}
    same = [Media(**image, data=b"picture"), Media(**image, base64="cGljdHVyZQ=="), Media(**image, path=str(file))]  # type: ignore[arg-type]
    assert len({await key(None, Message.user("Look", media)) for media in same}) == 1
    before = await key(None, Message.user("Look", same[2]))
    file.write_bytes(b"another")
    assert await key(None, Message.user("Look", same[2])) != before
    large = Message.user("Look", Media(kind="image", data=b"x" * (2 << 20)))
    assert await key(None, large) == await key(None, large)


async def test_a_function_counts_by_what_the_model_is_told_of_it() -> None:
    def make(text: str) -> Any:
        @betterai.tool(description=text)
        def weather(city: str) -> str:
            return city

        return weather

    assert await key({"tools": [make("one")]}) == await key({"tools": [make("one")]})
    assert await key({"tools": [make("one")]}) != await key({"tools": [make("two")]})


def test_a_provider_is_told_by_whom_it_asks_and_where() -> None:
    def provider(**given: Any) -> Any:
        config = betterai.CoreConfig(**{"model": "openai/m", "protocol": "openai_chat", "api_key": "k", **given})
        return betterai.get_text_provider(config)

    same = [provider(), provider(api_key="other")]
    others = [
        provider(model="openai/n"),
        provider(base_url="http://127.0.0.1:1/v1"),
        provider(protocol="openai_responses"),
    ]
    assert len({identify(item) for item in same}) == 1
    assert len({identify(item) for item in (*same, *others)}) == 1 + len(others)
    assert identify(betterai.Middleware("local/echo")) != identify(betterai.Redacted("local/echo"))
    assert identify(betterai.Middleware("local/echo")) != identify(betterai.Middleware("local/eliza"))
    routers = [
        betterai.Router(["local/echo"]),
        betterai.Router(["local/eliza"]),
        betterai.Router(["local/echo", "local/eliza"]),
    ]
    assert len({identify(router) for router in routers}) == 3
    assert identify(betterai.Router(["local/echo"])) == identify(routers[0])


# ── what is kept ──


@pytest.mark.parametrize("step", [
    betterai.OverloadedError("down"), {"text": "one two three", "error": "StreamInterrupted", "error_after": 2},
    {"text": "no", "finish_reason": "content_filter"}, {"text": "no", "finish_reason": "refusal"},
    {"text": "wait", "finish_reason": "pause"}, {"text": "?", "finish_reason": "odd"},
], ids=lambda step: str(step)[-30:])  # fmt: skip
async def test_s4_what_failed_broke_or_was_refused_is_not_kept(step: Any, place: dict[str, Any]) -> None:
    with scripted([step, step, "good"]) as provider:
        async with Cached("scripted/any", **place) as cached:
            for _ in range(2):
                with suppress(betterai.BetterAIError):
                    await betterai.stream(cached, "Hi")
            assert (await cached.generate("Hi")).content == "good"
            assert (await cached.generate("Hi")).content == "good"
    assert len(provider.calls) == 3


async def test_a_stream_that_is_left_is_not_kept() -> None:
    gate = asyncio.Event()
    provider = Priced(gate=gate)
    cached = Cached(provider)
    async with betterai.stream(cached, "Hi") as stream:
        await anext(stream)
    assert cached._flights == {}
    gate.set()
    assert (await cached.generate("Hi")).content == "Hello"
    assert len(provider.calls) == 2


@pytest.mark.parametrize("given", [{"web_search": True}, {"tools": [ServerTool(type="code_execution")]}], ids=str)
async def test_what_looks_into_the_world_is_asked_anew(given: dict[str, Any]) -> None:
    provider = Priced()
    cached = Cached(provider)
    for _ in range(2):
        await betterai.generate(cached, "Hi", **given)
    assert (len(provider.calls), cached.hits, cached.misses) == (2, 0, 0)


async def test_the_caller_may_say_what_is_kept() -> None:
    provider = Priced()
    cached = Cached(provider, when=lambda call: not call.settings.temperature)
    for temperature in (0.5, 0.5, 0, 0):
        await betterai.generate(cached, "Hi", temperature=temperature)
    assert len(provider.calls) == 3


async def test_what_cannot_be_described_is_asked_as_it_is() -> None:
    provider = Priced()
    cached = Cached(provider)
    for _ in range(2):
        await betterai.generate(cached, "Hi", extra_body={"x": object()})
    assert len(provider.calls) == 2
    missing = Message.user("Look", Media(kind="image", path="/nowhere/at/all.png", mime_type="image/png"))
    with pytest.raises(betterai.ValidationError, match="cannot read"):
        await cached.generate(missing)


class Point(msgspec.Struct):
    x: int


async def test_a_kept_answer_is_parsed_for_each_caller() -> None:
    with scripted(['{"x": 1}']) as provider:
        cached = Cached("scripted/any")
        first, second = [await betterai.generate(cached, "Hi", response_format=Point) for _ in range(2)]
        streamed = await betterai.stream(cached, "Hi", response_format=Point)
    assert first.parsed == second.parsed == streamed.parsed == Point(1)
    assert len(provider.calls) == 1


async def test_an_answer_that_does_not_fit_is_not_kept() -> None:
    with scripted(['{"y": 1}', '{"x": 1}']):
        cached = Cached("scripted/any")
        with pytest.raises(betterai.OutputInvalidError):
            await betterai.generate(cached, "Hi", response_format=Point)
        assert (await betterai.generate(cached, "Hi", response_format=Point)).parsed == Point(1)


async def test_answers_grow_old(place: dict[str, Any]) -> None:
    provider, now = Priced(), [1000.0]
    async with Cached(provider, ttl=60, clock=Clock(now=lambda: now[0]), **place) as cached:
        for seconds in (0, 60, 1, 0):
            now[0] += seconds
            await cached.generate("Hi")
    assert len(provider.calls) == 2


async def test_what_was_not_used_for_longest_goes_first() -> None:
    store = MemoryStore(max_entries=3, max_bytes=100)
    for name in (b"a", b"b", b"c"):
        store.put(name, name * 10, 1.0, 0.0)
    assert await store.get(b"a", 0.0) == (b"a" * 10, 1.0)
    store.put(b"d", b"d" * 10, 1.0, 0.0)
    assert [name for name in (b"a", b"b", b"c", b"d") if await store.get(name, 0.0)] == [b"a", b"c", b"d"]
    store.put(b"e", b"e" * 85, 1.0, 0.0)
    assert [name for name in (b"a", b"c", b"d", b"e") if await store.get(name, 0.0)] == [b"d", b"e"]
    store.put(b"e", b"", 2.0, 0.0)
    store.put(b"f", b"f" * 101, 1.0, 0.0)
    assert await store.get(b"e", 0.0) == (b"", 2.0)
    assert await store.get(b"f", 0.0) is None
    assert await store.get(b"e", 3.0) is None


@pytest.mark.parametrize(
    "wrong",
    [{"ttl": 0}, {"ttl": "1h"}, {"max_entries": 0}, {"max_entries": None}, {"max_bytes": -1}, {"when": "always"}],
    ids=str,
)
def test_what_cannot_be_meant_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(betterai.ValidationError, match=r"must be a number above 0|when is a function"):
        Cached("local/echo", **wrong)


# ── the same at the same time ──


@pytest.mark.parametrize("stream", [False, True])
async def test_the_same_calls_at_the_same_time_share_one(stream: bool) -> None:
    gate = asyncio.Event()
    provider = Priced(gate=gate)
    cached = Cached(provider)

    async def ask() -> betterai.ProviderResponse:
        return await (betterai.stream(cached, "Hi").collect() if stream else cached.generate("Hi"))

    tasks = [asyncio.create_task(ask()) for _ in range(10)]
    await until(lambda: cached.hits == 9)
    gate.set()
    answers = await asyncio.gather(*tasks)
    assert len(provider.calls) == 1
    assert {answer.content for answer in answers} == {"Hello"}
    costs = sorted(answer.cost.amount for answer in answers if answer.cost and answer.cost.amount is not None)
    assert costs == [Decimal(0)] * 9 + [Decimal("0.5")], "it is paid once"
    assert cached._flights == {}


async def test_one_that_leaves_does_not_take_the_others_along() -> None:
    gate = asyncio.Event()
    provider = Priced(gate=gate)
    cached = Cached(provider)
    tasks = [asyncio.create_task(cached.generate("Hi")) for _ in range(3)]
    await until(lambda: cached.hits == 2)
    tasks[0].cancel()
    await asyncio.wait([tasks[0]])
    assert provider.left == 0
    gate.set()
    answers = await asyncio.gather(*tasks[1:])
    assert [answer.content for answer in answers] == ["Hello"] * 2
    assert sorted(str(answer.cost.amount) for answer in answers if answer.cost) == ["0", "0.5"]


@pytest.mark.parametrize("stream", [False, True])
async def test_s3_when_the_last_has_left_the_call_is_cancelled_at_once(stream: bool) -> None:
    provider = Priced(gate=asyncio.Event())
    cached = Cached(provider)
    before = asyncio.all_tasks()

    async def ask() -> betterai.ProviderResponse:
        return await (betterai.stream(cached, "Hi").collect() if stream else cached.generate("Hi"))

    tasks = [asyncio.create_task(ask()) for _ in range(3)]
    await until(lambda: cached.hits == 2)
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    assert provider.left == 1
    assert cached._flights == {}
    assert asyncio.all_tasks() == before


async def test_who_comes_late_to_a_stream_gets_all_of_it() -> None:
    gate = asyncio.Event()
    cached = Cached(Priced(gate=gate))
    async with betterai.stream(cached, "Hi") as early:
        assert (await anext(early)).content == "Hel"
        late = asyncio.create_task(betterai.stream(cached, "Hi").collect())
        whole = asyncio.create_task(cached.generate("Hi"))
        await until(lambda: cached.hits == 2)
        gate.set()
        assert (await late).content == (await whole).content == (await early.collect()).content == "Hello"


async def test_all_are_told_of_a_failure_and_the_next_asks_anew() -> None:
    gate = asyncio.Event()
    provider = Priced(gate=gate, fail=lambda: betterai.OverloadedError("down"))
    cached = Cached(provider)
    tasks = [asyncio.create_task(cached.generate("Hi")) for _ in range(3)]
    await until(lambda: cached.hits == 2)
    gate.set()
    errors = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(error) for error in errors] == [betterai.OverloadedError] * 3
    assert len({id(error) for error in errors}) == 3, "each has its own"
    provider.fail = None
    assert (await cached.generate("Hi")).content == "Hello"
    assert len(provider.calls) == 2


async def test_sharing_can_be_switched_off() -> None:
    gate = asyncio.Event()
    provider = Priced(gate=gate)
    cached = Cached(provider, share=False)
    tasks = [asyncio.create_task(cached.generate("Hi")) for _ in range(3)]
    await until(lambda: len(provider.calls) == 3)
    gate.set()
    await asyncio.gather(*tasks)


def test_loops_do_not_share_calls() -> None:
    cached = Cached(Priced())
    assert asyncio.run(cached.generate("Hi")).content == "Hello"
    assert asyncio.run(cached.generate("Hi")).timing is not None
    assert betterai.sync.generate(cached, "Ho").content == "Hello"


# ── together ──


async def test_a_cache_before_and_behind_redaction() -> None:
    with scripted(["Dear [EMAIL_1]", "Dear [EMAIL_1]"]) as provider:
        before, behind = Cached(betterai.Redacted("scripted/any")), betterai.Redacted(Cached("scripted/any"))
        for _ in range(2):
            assert (await before.generate("I am ada@example.com")).content == "Dear ada@example.com"
        for address in ("ada@example.com", "bob@example.com"):
            assert (await behind.generate(f"I am {address}")).content == f"Dear {address}"
    assert [call.text for call in provider.calls] == ["I am [EMAIL_1]"] * 2
