"""Spending limits: reserved before a call, settled after it, in memory and in a file that processes share."""

from __future__ import annotations

import asyncio
import sqlite3
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import betterai
from betterai import CacheMark, GenerationSettings, Message, SpendLimit, SpendLimitReached, Text
from betterai.runtime.attempts import Clock
from betterai.runtime.spending import was_free
from runtime.middleware.priced import Priced, until
from runtime.subprocesses import TESTS, check_python, run_python

MAX = GenerationSettings(max_tokens=90_000)
"""Its output costs 0.90 US dollars."""


@pytest.fixture(params=["memory", "file"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, Any]:
    return {"path": tmp_path / "spending.db"} if request.param == "file" else {}


async def test_r9_of_200_simultaneous_calls_exactly_one_is_admitted(place: dict[str, Any]) -> None:
    gate = asyncio.Event()
    provider = Priced(cost="0.9", gate=gate)
    async with SpendLimit(provider, 1, **place) as limit:
        tasks = [asyncio.create_task(limit.generate("Hi", settings=MAX)) for _ in range(200)]
        await until(lambda: sum(task.done() for task in tasks) == 199)
        refused = [task.exception() for task in tasks if task.done()]
        assert {type(error) for error in refused} == {SpendLimitReached}
        assert "reserved by calls that run" in str(refused[0])
        gate.set()
        await asyncio.wait(tasks)
        assert sum(task.exception() is None for task in tasks) == len(provider.calls) == 1
        assert (await limit.spending()).spent == Decimal("0.9")
        assert await limit.left() == Decimal("0.1")


async def test_what_was_set_aside_gives_way_to_what_it_cost(place: dict[str, Any]) -> None:
    async with SpendLimit(Priced(cost="0.25"), 1, **place) as limit:
        for spent in ("0.25", "0.50"):
            await limit.generate("Hi", settings=GenerationSettings(max_tokens=40_000))
            assert (await limit.spending()).spent == Decimal(spent)
        async with betterai.stream(limit, "Hi", max_tokens=40_000) as stream:
            assert (await stream.collect()).content == "Hello"
        assert await limit.left() == Decimal("0.25")
        with pytest.raises(SpendLimitReached) as caught:
            await limit.generate("Hi", settings=GenerationSettings(max_tokens=40_000))
        assert (caught.value.spent, caught.value.limit) == (Decimal("0.75"), Decimal(1))
        assert "may cost $0.4" in str(caught.value)
        assert caught.value.retry_after is None


@pytest.mark.parametrize("stream", [False, True])
async def test_r9_what_was_not_used_is_given_back_on_cancel(place: dict[str, Any], stream: bool) -> None:
    gate = asyncio.Event()
    provider = Priced(pieces=("Hello there, ", "you"), gate=gate)
    async with SpendLimit(provider, 1, **place) as limit:
        work = betterai.stream(limit, "Hi", settings=MAX).collect() if stream else limit.generate("Hi", settings=MAX)
        task = asyncio.create_task(work)
        await until(lambda: bool(provider.calls))
        assert await limit.left() < Decimal("0.11")
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert provider.left == 1
        spent = (await limit.spending()).spent
        assert spent is not None
        assert Decimal(0) < spent < Decimal("0.0001"), "what was asked and what came, and no more"
        assert await limit.left() == 1 - spent


async def test_s3_a_stream_that_is_left_is_settled(place: dict[str, Any]) -> None:
    async with SpendLimit(Priced(gate=asyncio.Event()), 1, **place) as limit:
        async with betterai.stream(limit, "Hi", settings=MAX) as stream:
            await anext(stream)
        assert await limit.left() > Decimal("0.999")


@pytest.mark.parametrize(
    ("error", "free"),
    [
        (betterai.RateLimitError("slow down", status=429), True),
        (betterai.ValidationError("wrong"), True),
        (betterai.SpendLimitReached("an inner limit"), True),
        (betterai.FirstByteTimeout("silence"), False),
        (betterai.StreamInterrupted("cut"), False),
        (RuntimeError("a bug"), False),
    ],
)
async def test_r9_an_error_gives_back_what_was_not_used(error: Exception, free: bool, place: dict[str, Any]) -> None:
    assert was_free(error) is free
    async with SpendLimit(Priced(fail=lambda: error), 1, **place) as limit:
        with pytest.raises(type(error)):
            await limit.generate("Hi", settings=MAX)
        assert ((await limit.spending()).spent == 0) is free
        assert await limit.left() > Decimal("0.999")


async def test_a_failure_counts_as_the_unknown_cost_where_that_is_said() -> None:
    limit = SpendLimit(Priced(fail=lambda: betterai.IdleTimeout("silence")), 1, unknown_cost="0.3")
    with pytest.raises(betterai.IdleTimeout):
        await limit.generate("Hi", settings=MAX)
    assert await limit.left() == Decimal("0.7")


async def test_a_cost_that_is_not_known_is_never_nothing(place: dict[str, Any]) -> None:
    async with SpendLimit(Priced(cost=None), 1, **place) as limit:
        await limit.generate("Hi", settings=MAX)
        assert await limit.left() < Decimal("0.11"), "it counts as what was set aside"
    limit = SpendLimit(Priced(cost=None), 1, unknown_cost=0.2)
    await limit.generate("Hi", settings=MAX)
    assert await limit.left() == Decimal("0.8")


@pytest.mark.parametrize(
    ("provider", "settings", "says"),
    [
        (Priced(price=None), MAX, "no price is known for tests/priced"),
        (Priced(), GenerationSettings(), "it is not known how long an answer of tests/priced may be"),
    ],
)
async def test_without_a_price_or_a_length_nothing_is_let_through(
    provider: Priced, settings: GenerationSettings, says: str
) -> None:
    with pytest.raises(SpendLimitReached, match=rf"{says}.*so a limit of .1 cannot be kept.*set max_tokens"):
        await SpendLimit(provider, 1).generate("Hi", settings=settings)
    assert provider.calls == []
    for given in ({"reserve": "0.6"}, {"unknown_cost": "0.6"}):
        limit = SpendLimit(provider, 1, **given)  # type: ignore[arg-type]
        await limit.generate("Hi", settings=settings)
        with pytest.raises(SpendLimitReached, match=r"may cost .0.6"):
            await limit.generate("Hi", settings=settings)
    provider.calls.clear()


async def test_accounts_are_told_apart(place: dict[str, Any]) -> None:
    async with SpendLimit(Priced(cost="0.9"), 1, per="user", **place) as limit:
        for user in ("ada", "bob"):
            await limit.generate("Hi", settings=MAX.replace(user=user))
            with pytest.raises(SpendLimitReached):
                await limit.generate("Hi", settings=MAX.replace(user=user))
        assert [await limit.left(user) for user in ("ada", "bob", "eve")] == [
            Decimal("0.1"),
            Decimal("0.1"),
            Decimal(1),
        ]
    team = SpendLimit(Priced(cost="0.9"), 1, per=lambda call: call.messages[0].text)
    await team.generate("red", settings=MAX)
    assert [await team.left(name) for name in ("red", "blue")] == [Decimal("0.1"), Decimal(1)]


@pytest.mark.parametrize(
    ("period", "later", "seconds"),
    [("hour", 3600, 3599), ("day", 86400, 86399), ("month", 31 * 86400, 2678399), (10, 10, 9)],
)
async def test_the_limit_holds_anew_in_each_period(
    place: dict[str, Any], period: Any, later: float, seconds: float
) -> None:
    now = [1767225601.0]  # a second of 2026 has passed
    clock = Clock(now=lambda: now[0])
    async with SpendLimit(Priced(cost="0.9"), 1, period=period, clock=clock, **place) as limit:
        await limit.generate("Hi", settings=MAX)
        with pytest.raises(SpendLimitReached) as caught:
            await limit.generate("Hi", settings=MAX)
        assert caught.value.retry_after == seconds
        now[0] += later
        await limit.generate("Hi", settings=MAX)
        assert await limit.left() == Decimal("0.1")


@pytest.mark.parametrize(
    "wrong",
    [
        {"limit": -1}, {"limit": "much"}, {"limit": None}, {"period": "week"}, {"period": 0}, {"per": "usr"},
        {"reserve": True},
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused(wrong: dict[str, Any]) -> None:
    given = {"limit": 1, **wrong}
    with pytest.raises(betterai.ValidationError):
        SpendLimit("local/echo", **given)


async def test_the_dearest_target_of_a_router_counts() -> None:
    cheap, dear = (
        Priced(),
        Priced(price=betterai.Price(rates=betterai.Rates(tokens={"text_in": Decimal(1), "text_out": Decimal(20)}))),
    )
    limit = SpendLimit(betterai.Router([cheap, dear]), 1)
    with pytest.raises(SpendLimitReached, match=r"may cost .1.8"):
        await limit.generate("Hi", settings=MAX)
    await SpendLimit(betterai.Router([cheap]), 1).generate("Hi", settings=MAX)


async def test_a_router_goes_on_to_a_target_for_which_money_is_left() -> None:
    targets = [SpendLimit(Priced(cost="0.9"), 1), SpendLimit(Priced(cost="0.9"), 1)]
    router = betterai.Router(targets)
    for stream in (False, True):
        if stream:
            await betterai.stream(router, "Hi", max_tokens=90_000)
        else:
            await betterai.generate(router, "Hi", max_tokens=90_000)
    assert [await target.left() for target in targets] == [Decimal("0.1")] * 2
    with pytest.raises(SpendLimitReached):
        await betterai.generate(router, "Hi", max_tokens=90_000)


async def test_answers_from_a_cache_cost_nothing() -> None:
    limit = SpendLimit(betterai.Cached(Priced(cost="0.05")), 1)
    for _ in range(3):
        await limit.generate("Hi", settings=MAX)
    assert (await limit.spending()).spent == Decimal("0.05")


async def test_tokens_are_counted_by_the_provider_where_that_is_asked_for() -> None:
    class Counting(Priced):
        async def count_tokens(self, messages: Any, model: str, settings: GenerationSettings) -> int:
            return 500_000

    with pytest.raises(SpendLimitReached, match=r"may cost .1.4"):
        await SpendLimit(Counting(), 1, count=True).generate("Hi", settings=MAX)


async def test_a_prompt_that_is_written_to_a_cache_may_cost_more() -> None:
    rates = {"text_in": Decimal(1), "text_out": Decimal(0), "cache_write": Decimal(2), "cache_write_1h": Decimal(4)}
    provider = Priced(price=betterai.Price(rates=betterai.Rates(tokens=rates)))
    limit = SpendLimit(provider, "0.000001")
    marked = Message(role="user", parts=(Text(text="Hi", cache=CacheMark(ttl="1h")),))
    for message, cache, amount in (("Hi", None, "9"), ("Hi", betterai.PromptCache(), "18"), (marked, None, "36")):
        with pytest.raises(SpendLimitReached, match=rf"may cost \$0\.0000{amount.zfill(2)}"):
            await limit.generate(message, settings=MAX.replace(cache=cache))


async def test_n_answers_are_set_aside() -> None:
    with pytest.raises(SpendLimitReached, match=r"may cost .1.8"):
        await SpendLimit(Priced(), 1).generate("Hi", settings=MAX.replace(n=2))


# ── the file ──

PROCESS = """
    import asyncio
    from betterai import CacheMark, GenerationSettings, Message, SpendLimit, SpendLimitReached, Text
    from runtime.middleware.priced import Priced

    async def main() -> None:
        limit = SpendLimit(Priced(cost="0.01"), 1, path={path!r})
        settings, done = GenerationSettings(max_tokens=1_000), 0
        try:
            while True:
                await limit.generate("Hi", settings=settings)
                done += 1
        except SpendLimitReached as error:
            assert "this call may cost" in str(error), error
            print(done)
        await limit.aclose()

    asyncio.run(main())
"""


async def test_r9_processes_share_a_limit(tmp_path: Path) -> None:
    path = str(tmp_path / "spending.db")
    said = await asyncio.gather(
        *[asyncio.to_thread(check_python, PROCESS.format(path=path), path=(TESTS,)) for _ in range(2)]
    )
    done = [int(line) for line in said]
    assert sum(done) == 99, "each costs a hundredth, and sets a little more aside"
    async with SpendLimit(Priced(), 1, path=path) as limit:
        assert (await limit.spending()).spent == Decimal("0.01") * sum(done)


KILLED = """
    import asyncio, os
    from betterai import GenerationSettings, SpendLimit
    from runtime.middleware.priced import Priced

    limit = SpendLimit(Priced(fail=lambda: os._exit(9)), 1, path={path!r})
    asyncio.run(limit.generate("Hi", settings=GenerationSettings(max_tokens=90_000)))
"""


async def test_c5_what_a_killed_process_had_set_aside_counts_as_spent(tmp_path: Path) -> None:
    path = str(tmp_path / "spending.db")
    assert (await asyncio.to_thread(run_python, KILLED.format(path=path), path=(TESTS,))).returncode == 9
    async with SpendLimit(Priced(), 1, path=path) as limit:
        assert await limit.left() < Decimal("0.11")
        with pytest.raises(SpendLimitReached, match="reserved by calls that run"):
            await limit.generate("Hi", settings=MAX)


async def test_r9_a_call_that_is_cancelled_while_it_is_admitted_sets_nothing_aside(tmp_path: Path) -> None:
    path = tmp_path / "spending.db"
    async with SpendLimit(Priced(), 1, path=path) as limit:
        assert await limit.left() == 1
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        tasks = [asyncio.create_task(limit.generate("Hi", settings=MAX)) for _ in range(3)]
        await until(lambda: limit._ledger._database._executor._work_queue.qsize() == 2)  # type: ignore[attr-defined]
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        other.execute("ROLLBACK")
        other.close()
        assert await limit.left() == 1


async def test_a_file_that_cannot_be_read_lets_nothing_through(tmp_path: Path) -> None:
    path = tmp_path / "spending.db"
    path.write_bytes(b"this is no database" * 100)
    provider = Priced()
    async with SpendLimit(provider, 1, path=path) as limit:
        with pytest.raises(SpendLimitReached, match=r"cannot be read from .*mend the file"):
            await limit.generate("Hi", settings=MAX)
        assert provider.calls == []
        path.unlink()
        assert (await limit.generate("Hi", settings=MAX)).content == "Hello"


def modes(folder: Path) -> set[int]:
    return {file.stat().st_mode & 0o777 for file in folder.iterdir()}


async def test_the_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "spending.db"
    async with SpendLimit(Priced(), 1, path=path) as limit:
        await limit.generate("Hi", settings=MAX)
        assert modes(tmp_path) == {0o600}
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT known FROM betterai_spent").fetchall() == [("0.5",)]
        assert connection.execute("SELECT COUNT(*) FROM betterai_reserved").fetchone() == (0,)
    connection.close()
