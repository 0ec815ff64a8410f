"""Which target is asked after a failure, how often in all, and what the caller is told."""

from __future__ import annotations

from typing import Any

import pytest

import betterai
from betterai import (
    APIConnectionError,
    AuthenticationError,
    BadRequestError,
    ContentFilterError,
    ContextLengthError,
    CoreConfig,
    FirstByteTimeout,
    GenerationSettings,
    Hedge,
    ModelNotFoundError,
    OverloadedError,
    QuotaExceededError,
    RateLimitError,
    Retries,
    Router,
    Target,
    TotalTimeout,
    UnsupportedParam,
    ValidationError,
)
from betterai.core.exceptions import BetterAIError
from betterai.runtime.attempts import Budget, shared_budget
from betterai.testing import scripted
from runtime.providers import FakeTime, connect
from runtime.router.targets import Scripted, down, read, route
from runtime.upstream import Upstream, answer, hang_up, reply, stream, streamed
from together import each


async def both(router: Router, streaming: bool, **settings: Any) -> str:
    if streaming:
        return (await read(router, **settings))[0]
    return (await router.generate("Hello", "", GenerationSettings(**settings))).content


streaming = pytest.mark.parametrize("streaming", [False, True], ids=["whole", "stream"])


@streaming
async def test_the_next_target_answers_what_the_first_could_not(streaming: bool) -> None:
    first, second = Scripted(down()), Scripted("Hello you")
    assert await both(route(first, second), streaming) == "Hello you"
    assert (len(first.asked), len(second.asked)) == (1, 1)


@streaming
@pytest.mark.parametrize(
    ("error", "asked"),
    [
        (OverloadedError("down", status=503), True),
        (APIConnectionError("gone"), True),
        (FirstByteTimeout("silent"), True),
        (RateLimitError("slow down", status=429), True),
        (QuotaExceededError("no money", status=429), True),
        (AuthenticationError("bad key", status=401), True),
        (ModelNotFoundError("what?", status=404), True),
        (ContextLengthError("too long", status=400), True),
        (UnsupportedParam("not here", param="n"), True),
        (betterai.ConfigurationError("no key"), True),
        (RuntimeError("a class has its own errors"), True),
        (BadRequestError("wrong", status=400), False),
        (ValidationError("wrong"), False),
        (ContentFilterError("no", status=400), False),
        (betterai.LimitReached("enough"), False),
        (betterai.SpendLimitReached("enough"), True),
        (TotalTimeout("over"), False),
        (AssertionError("of a test"), False),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
async def test_r4_what_another_target_may_answer(error: Exception, asked: bool, streaming: bool) -> None:
    first, second = Scripted(error, model="a"), Scripted("Hello", model="b")
    router = route(first, second)
    if asked:
        assert await both(router, streaming) == "Hello"
    else:
        with pytest.raises(type(error)) as caught:
            await both(router, streaming)
        assert caught.value is error
    assert (len(first.asked), len(second.asked)) == (1, int(asked))


async def test_a_filter_is_gone_around_where_the_caller_says_so() -> None:
    router = route(
        Scripted(ContentFilterError("no"), model="a"), Scripted("Hello", model="b"), also_after=("content_filter",)
    )
    assert await both(router, False) == "Hello"


async def test_r4_a_context_too_long_never_goes_back_to_the_same_model() -> None:
    too_long = ContextLengthError("too long", status=400)
    first, same, other = Scripted(too_long, model="a"), Scripted("no", model="a"), Scripted("Hello", model="b")
    assert await both(route(first, same, other), False) == "Hello"
    assert same.asked == []


async def test_r3_one_budget_for_all_targets_and_waits_only_when_none_is_ready() -> None:
    time = FakeTime()
    targets = [Scripted(down()), Scripted(down())]
    router = route(*targets, time=time, retries=Retries(attempts=5, base=1.0, cap=1.0))
    with pytest.raises(OverloadedError) as caught:
        await router.generate("Hello")
    assert sum(len(target.asked) for target in targets) == 5
    assert len(caught.value.attempts) == 5
    assert "[after 5 attempts]" in str(caught.value)
    assert [attempt.waited > 0 for attempt in caught.value.attempts][:2] == [False, False]
    assert 1 <= len(time.waits) <= 3


async def test_without_retries_every_target_is_asked_once_at_least() -> None:
    targets = [Scripted(down()) for _ in range(4)]
    last = Scripted("Hello")
    assert await both(route(*targets, last), False) == "Hello"
    router = route(*targets, last, retries=1)
    with pytest.raises(OverloadedError):
        await router.generate("Hello")


async def test_a_silent_target_is_not_asked_again_while_another_will_be_ready() -> None:
    time = FakeTime()
    silent = Scripted(FirstByteTimeout("silent"))
    busy = Scripted(RateLimitError("slow down", status=429, retry_after=20.0), "Hello")
    assert await both(route(silent, busy, time=time), False) == "Hello"
    assert len(silent.asked) == 1
    assert time.passed == pytest.approx(21, abs=1.1)


@streaming
async def test_r1_the_router_waits_as_long_as_it_is_told(streaming: bool) -> None:
    time = FakeTime()
    target = Scripted(RateLimitError("slow down", status=429, retry_after=7.0), "Hello")
    assert await both(route(target, time=time), streaming) == "Hello"
    assert 7.0 <= time.passed <= 7.7 + 0.01


async def test_the_deadline_is_one_for_the_call() -> None:
    time = FakeTime()
    target = Scripted(RateLimitError("slow down", status=429, retry_after=20.0))
    with pytest.raises(RateLimitError):
        await route(target, time=time, timeout=30.0, retries=9).generate("Hello")
    assert time.passed < 30
    assert len(target.asked) == 2


async def test_the_response_names_who_answered_and_lists_what_failed() -> None:
    with Upstream(reply(503, {"error": {"message": "down"}})) as bad, Upstream(answer()) as good:
        time = FakeTime()
        router = route(connect(bad.url, time), connect(good.url, time), time=time)
        response = await router.generate("Hello")
        assert (response.content, response.provider, response.model) == ("Hello", "neutral", "m-1")
        assert response.timing is not None
        assert [(a.status, a.error) for a in response.timing.attempts] == [(503, "OverloadedError"), (200, "")]
        assert response.usage is not None
        assert response.usage.total_tokens == 9
        assert len(bad.requests) == len(good.requests) == 1, "the provider below tried once"


async def test_an_untroubled_response_is_handed_on_as_it_came() -> None:
    with Upstream(answer()) as upstream:
        provider = connect(upstream.url)
        response = await route(provider).generate("Hello")
        assert response.timing is not None
        assert [a.error for a in response.timing.attempts] == [""]


async def test_the_budget_is_not_seen_by_who_reads_the_stream() -> None:
    with Upstream(stream(streamed())) as upstream:
        router = route(connect(upstream.url))
        async for _ in router.generate_stream("Hello"):
            assert shared_budget.get() is None
        assert shared_budget.get() is None


async def test_r3_a_router_in_a_router_takes_from_the_same_budget() -> None:
    inner = [Scripted(down()), Scripted(down()), Scripted(down())]
    last = Scripted("Hello")
    outer = route(route(*inner), last, retries=9)
    assert await both(outer, False) == "Hello"
    assert [len(target.asked) for target in inner] == [1, 1, 1]
    with pytest.raises(OverloadedError):
        await route(route(*inner), last, retries=1).generate("Hello")
    assert sum(len(target.asked) for target in inner) == 5


async def test_a_router_keeps_to_a_budget_from_above() -> None:
    target = Scripted(down())
    token = shared_budget.set(Budget(2, 1e9))
    try:
        with pytest.raises(OverloadedError):
            await route(target, Scripted(down()), retries=9).generate("Hello")
    finally:
        shared_budget.reset(token)
    assert len(target.asked) == 1


async def test_the_last_error_of_a_target_that_was_asked_is_raised() -> None:
    first, second = Scripted(down()), Scripted(UnsupportedParam("not here", param="n"))
    with pytest.raises(OverloadedError):
        await route(first, second, retries=0).generate("Hello")
    with pytest.raises(UnsupportedParam):
        await route(second).generate("Hello")


async def test_r6_a_quota_error_skips_every_target_of_the_account() -> None:
    broke = QuotaExceededError("no money", status=429)
    first, sibling, other = Scripted(broke), Scripted("no"), Scripted("Hello")
    router = route(Target(first, account="a"), Target(sibling, account="a"), Target(other, account="b"))
    assert await both(router, False) == "Hello"
    assert await both(router, False) == "Hello"
    assert (len(first.asked), sibling.asked) == (1, [])
    assert router.status().targets[1].routes[0].failing == "account"


async def test_r6_keys_rotate_and_one_that_was_turned_down_rests(monkeypatch: pytest.MonkeyPatch) -> None:
    def check(request: Any) -> bool:
        return request.headers["Authorization"] == "Bearer test-key-2"

    async def behave(request: Any) -> Any:
        return await (answer() if check(request) else reply(401, {"error": {"message": "bad key"}}))(request)

    with Upstream(behave) as upstream:
        config = betterai.CoreConfig(base_url=upstream.url)
        target = Target("groq/m-1", keys=("test-key-1", "test-key-2"), config=config)
        async with betterai.Client() as client:
            router = Router([target], client=client)
            assert (await router.generate("Hello")).content == "Hello"
            assert (await router.generate("Hello")).content == "Hello"
            assert [check(request) for request in upstream.requests] == [False, True, True]
            states = router.status().targets[0].routes
            assert [(state.state, state.failing) for state in states] == [("resting", "key"), ("ready", "")]
            assert "test-key" not in repr(target) + repr(router.status())


async def test_a_limit_of_one_model_is_none_of_its_siblings_with_the_same_key() -> None:
    limited = reply(429, {"error": {"message": "slow down"}}, {"Retry-After": "30"})

    async def behave(request: Any) -> Any:
        return await (limited if b"m-big" in await request.read() else answer())(request)

    with Upstream(behave) as upstream:
        config = betterai.CoreConfig(base_url=upstream.url, api_key="test-key")
        targets = [Target(f"groq/{name}", config=config) for name in ("m-big", "m-small")]
        async with betterai.Client() as client:
            router = Router(targets, client=client)
            assert (await router.generate("Hello")).content == "Hello"
            assert (await router.generate("Hello")).content == "Hello"
        assert len(upstream.requests) == 3, "what asked for time was left alone by the second call"


async def test_r6_names_with_the_same_key_are_one_account() -> None:
    with Upstream(reply(429, {"error": {"message": "no money", "code": "insufficient_quota"}})) as upstream:
        config = betterai.CoreConfig(base_url=upstream.url, api_key="test-key")
        other = Scripted("Hello")
        async with betterai.Client() as client:
            router = Router([*(Target(f"groq/m-{n}", config=config) for n in range(3)), other], client=client)
            assert (await router.generate("Hello")).content == "Hello"
        assert len(upstream.requests) == 1


async def test_classes_without_a_model_are_not_one_model() -> None:
    first, second = Scripted(ContextLengthError("too long", status=400)), Scripted("Hello")
    assert await both(route(first, second), False) == "Hello"


async def test_an_iterator_that_cannot_be_closed_will_do() -> None:
    class Plain(Scripted):
        def generate_stream(self, messages: Any, model: str, settings: GenerationSettings) -> Any:
            class Chunks:
                def __init__(self) -> None:
                    self.left = ["Hel", "lo"]

                def __aiter__(self) -> Any:
                    return self

                async def __anext__(self) -> betterai.TextChunk:
                    if not self.left:
                        raise StopAsyncIteration
                    return betterai.TextChunk(content=self.left.pop(0))

            return Chunks()

    assert await both(route(Plain("")), True) == "Hello"


async def test_retries_are_rationed_where_most_fail() -> None:
    target = Scripted(down())
    router = route(target, retries=1)
    assert router.quota is not None
    router.quota.left = 2.0
    for _ in range(4):
        with pytest.raises(OverloadedError) as caught:
            await router.generate("Hello")
    assert len(target.asked) == 6, "four first attempts, and two retries"
    assert "too many retries failed lately" in str(caught.value)
    assert router.quota.left == 0.0


async def test_targets_at_one_address_go_down_together() -> None:
    with Upstream(hang_up) as upstream:
        time = FakeTime()
        gone = [connect(upstream.url, time), connect(upstream.url, time)]
        assert await both(route(*gone, Scripted("Hello"), time=time), False) == "Hello"
        assert len(upstream.requests) == 1


async def test_r5_each_target_is_asked_for_what_the_caller_wanted() -> None:
    first, second = Scripted(down()), Scripted("Hello")
    router = route(Target(first, settings=GenerationSettings(temperature=1.0)), second)
    messages = [{"role": "user", "content": "Hi"}]
    settings = GenerationSettings(temperature=0.0, max_tokens=5)
    await router.generate(messages, "", settings)
    assert first.asked == [(messages, GenerationSettings(temperature=1.0, max_tokens=5))]
    assert second.asked == [(messages, settings)]


async def test_r5_what_was_written_for_one_vendor_is_not_shown_to_another() -> None:
    with Upstream(reply(503, {})) as bad, Upstream(answer()) as good:
        time = FakeTime()
        extras = {"extra_body": {"a": 1}, "extra_headers": {"X-Secret": "s3cret-value"}, "extra_query": {"q": "1"}}
        router = route(
            connect(bad.url, time), connect(good.url, time), Scripted("Hello", provider="x", model="y"), time=time
        )
        response = await router.generate("Hello", "", GenerationSettings(**extras))
        assert response.warnings == ()
        assert good.requests[0].body["a"] == 1
        assert good.requests[0].headers["X-Secret"] == "s3cret-value"
        other = Scripted("Hello", provider="x", model="y")
        router = route(connect(bad.url, time), other, time=time)
        response = await router.generate("Hello", "", GenerationSettings(temperature=0.5, **extras))
        assert other.asked[0][1] == GenerationSettings(temperature=0.5)
        assert {(w.code, w.field) for w in response.warnings} == {("dropped", name) for name in extras}


@each(
    "make",
    [
        lambda: Router([]),
        lambda: Target(""),
        lambda: Target(7),  # type: ignore[arg-type]
        lambda: Target("a/b", weight=0),
        lambda: Target("a/b", concurrency=0),
        lambda: Target("a/b", keys="key"),
        lambda: Target(Scripted("x"), keys=("key",)),
        lambda: Hedge(after="p50"),  # type: ignore[arg-type]
        lambda: Hedge(after=0),
        lambda: Hedge(share=2),
        lambda: Hedge(max_cost=-1),
        lambda: betterai.Breaker(failures=0),
        lambda: betterai.Breaker(interval=0),
        lambda: Router(["a/b"], choose="best"),  # type: ignore[arg-type]
        lambda: Router(["a/b"], on_break="ignore"),  # type: ignore[arg-type]
        lambda: Router("a/b"),
        lambda: Target("a/b", keys=("",)),
        lambda: Target("a/b", weight="2"),  # type: ignore[arg-type]
        lambda: Target("a/b", concurrency=1.5),  # type: ignore[arg-type]
        lambda: Target("a/b", settings={"max_tokens": 3}),  # type: ignore[arg-type]
        lambda: Target("a/b", config={"api_key": "key"}),  # type: ignore[arg-type]
        lambda: Target("router/main", keys=("k",)),
        lambda: Hedge(after=None),  # type: ignore[arg-type]
        lambda: Hedge(share="5%"),  # type: ignore[arg-type]
        lambda: betterai.Breaker(failures="3"),  # type: ignore[arg-type]
        lambda: Router(["a/b"], hedge=2.0),  # type: ignore[arg-type]
        lambda: Router(["a/b"], breaker=None),  # type: ignore[arg-type]
        lambda: Router(["a/b"], random=7),  # type: ignore[arg-type]
        lambda: Router(["a/b"], queue=-1),
        lambda: Router(["a/b"], also_after=("filter",)),  # type: ignore[arg-type]
        lambda: Router(["a/b"], also_after="output"),  # type: ignore[arg-type]
        lambda: Router(["a/b"], sticky="user"),  # type: ignore[arg-type]
        lambda: Router(["a/b"], caller="user"),  # type: ignore[arg-type]
        lambda: Router(["a/b"], retries=-1),
        lambda: Router(["a/b"], timeout=0),
    ],
)
def test_what_cannot_be_meant_is_refused_when_it_is_written(make: Any) -> None:
    with pytest.raises(BetterAIError):
        make()


async def test_the_time_of_a_class_is_told_where_nothing_failed_too() -> None:
    response = await route(Scripted("Hello", model="m")).generate("Hi")
    assert response.timing is not None
    assert [(attempt.model, attempt.error) for attempt in response.timing.attempts] == [("m", "")]


async def test_where_the_time_of_a_target_is_over_the_next_one_is_asked() -> None:
    over = TotalTimeout("over")
    with scripted([over, over]):
        own = Target("scripted/slow", config=CoreConfig(timeout=5))
        response = await Router([own, Scripted("Hello")], timeout=60).generate("Hi")
        assert response.content == "Hello"
        with pytest.raises(TotalTimeout):
            await Router(["scripted/slow", Scripted("Hello")], timeout=60).generate("Hi")


async def test_a_router_is_asked_for_no_model() -> None:
    with pytest.raises(ValidationError, match="chooses the model"):
        await route(Scripted("Hello")).generate("Hello", "some/model")


async def test_a_call_that_is_no_call_is_refused_by_all_ways() -> None:
    for wrong in ([], 7, [{"role": "user"}]):
        with pytest.raises(ValidationError):
            await betterai.generate(Router(["local/echo", "local/eliza"]), wrong)  # type: ignore[arg-type]
