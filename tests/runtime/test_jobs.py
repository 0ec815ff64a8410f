"""J1: jobs are stored before each step, resumed by other processes, and never submitted twice."""

from __future__ import annotations

import asyncio
import json
import signal
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import pytest

import betterai
from betterai import CoreConfig, JobHandle, JobStore, Media, sync
from betterai.core.exceptions import (
    AuthenticationError,
    BadRequestError,
    ConfigurationError,
    JobInDoubt,
    ProviderError,
    TotalTimeout,
    UnsupportedParam,
    ValidationError,
)
from betterai.core.jobs import read_handle
from betterai.transport.egress import any_socket
from betterai.transport.http import HTTPTransport
from doubles.films import FILM as VENDORS_FILM
from runtime.film import FILM, KEY, VENDORS, FilmService, KillingHouses, declare, declare_quick
from runtime.subprocesses import SOURCE, TESTS
from shapes.server import serve

MODEL = "filmer/film-1"


@pytest.fixture(autouse=True)
def _providers(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("BETTERAI_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("FILMER_API_KEY", KEY)
    for name in ("filmer", "keyed"):
        betterai.register_video_provider(name, declare(name, idempotent=name == "keyed"), replace=True)


@asynccontextmanager
async def filming(monkeypatch: pytest.MonkeyPatch, **fields: Any) -> AsyncIterator[FilmService]:
    service = FilmService(**fields)
    async with serve(service) as url:
        monkeypatch.setenv("FILMER_BASE_URL", url)
        yield service


def content_of(response: Any) -> bytes:
    [film] = response.videos
    return Path(film.path).read_bytes()


async def test_a_film_is_started_waited_for_and_stored(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    async with filming(monkeypatch, looks=4) as service:
        job = await betterai.start_video(MODEL, "a cat")
        assert service.requests == ["POST /films", "GET /films/film-0"]
        assert (job.status, job.progress) == ("running", 0.25)
        progress: list[float] = []
        response = await job.wait(on_progress=progress.append)
        assert await job.wait() is response
    assert progress == [0.5, 0.75]
    assert content_of(response) == FILM
    assert (response.provider, response.model) == ("filmer", "film-1")
    assert response.usage is not None
    assert response.timing is not None
    assert 0 < sum(attempt.seconds for attempt in response.timing.attempts) <= response.timing.total < 60
    assert len(response.timing.attempts) == len(service.requests) == 6
    assert (job.status, job.progress) == ("done", 1.0)
    [stored] = JobStore().jobs()
    assert stored.handle.id == job.id
    assert (stored.status, stored.progress, stored.revision) == ("done", 1.0, 2)
    assert JobStore().path == tmp_path / "state" / "jobs.sqlite"
    assert JobStore().path.parent.stat().st_mode & 0o077 == 0


async def test_waiting_goes_on_in_another_process_by_handle_or_id(monkeypatch: pytest.MonkeyPatch) -> None:
    async with filming(monkeypatch, looks=3) as service:
        job = await betterai.start_video(MODEL, "a cat")
        by_id = betterai.Job.resume(job.id[:8])
        assert content_of(await by_id.wait()) == FILM
        by_handle = betterai.Job.resume(job.handle, store=None)
        assert content_of(await by_handle.wait()) == FILM
    assert service.submits == 1


async def test_a_jobs_time_is_that_since_its_call_in_whichever_process(monkeypatch: pytest.MonkeyPatch) -> None:
    async with filming(monkeypatch, looks=3) as service:
        job = await betterai.start_video(MODEL, "a cat")
        with closing(sqlite3.connect(JobStore().path)) as database, database:
            [(call,)] = database.execute("SELECT call FROM jobs").fetchall()
            fields = json.loads(call)
            fields["now"] -= 3600
            database.execute("UPDATE jobs SET call = ?", (json.dumps(fields).encode(),))
        stored = await betterai.Job.resume(job.id).wait()
        unknown = await betterai.Job.resume(job.handle, store=None).wait()
    assert stored.timing is not None
    assert unknown.timing is not None
    assert 3600 < stored.timing.total < 3660
    assert 0 < unknown.timing.total < 60
    assert service.submits == 1


async def test_a_handle_holds_neither_url_nor_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    async with filming(monkeypatch):
        secret = {"X-Token": "header-canary-77"}
        job = await betterai.start_video(MODEL, "a cat", extra_headers=secret, extra_query={"key": "query-canary-77"})
        handle = read_handle(job.handle)
        shown = repr((handle, JobStore().jobs(), job, vars(job)))
        shown += str(JobStore().path.read_bytes())
    assert [word for word in (KEY, "canary-77", "http", "127.0.0.1") if word in shown] == []
    assert handle == JobHandle(
        id=job.id, provider="filmer", model="film-1", category="video", protocol="films", account=handle.account,
        state={"call": job.id, "id": "film-0"},
    )  # fmt: skip


async def test_another_account_may_not_go_on_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    async with filming(monkeypatch) as service:
        job = await betterai.start_video(MODEL, "a cat")
        monkeypatch.setenv("FILMER_API_KEY", "another-key")
        asked = len(service.requests)
        with pytest.raises(ConfigurationError, match="another account"):
            betterai.Job.resume(job.handle)
        assert len(service.requests) == asked
        assert await betterai.Job.resume(job.handle, config=CoreConfig(api_key=KEY)).wait()


@pytest.mark.parametrize("text", ["", "nonsense", "eyJ9", "é", "bm90aGluZw"])
def test_what_is_no_handle_is_refused(text: str) -> None:
    with pytest.raises(ValidationError, match="no handle"):
        betterai.Job.resume(text)


def test_a_handle_of_a_later_version_is_refused() -> None:
    later = JobHandle(id="a", provider="filmer", model="m", category="video", protocol="films", account="", version=2)
    with pytest.raises(ValidationError, match="version 2"):
        betterai.Job.resume(later.to_text())


async def test_cancelling_stops_the_job_there(monkeypatch: pytest.MonkeyPatch) -> None:
    async with filming(monkeypatch, looks=1000) as service:
        job = await betterai.start_video(MODEL, "a cat")
        await job.cancel()
        assert service.cancelled == ["film-0"]
        with pytest.raises(ProviderError, match="cancelled"):
            await job.wait()
        with pytest.raises(ProviderError, match="cancelled"):
            await betterai.Job.resume(job.id).wait()


async def test_leaving_the_waiting_leaves_the_job_and_leaving_the_call_cancels_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with filming(monkeypatch, looks=10_000) as service:
        job = await betterai.start_video(MODEL, "a cat")
        waiting = asyncio.create_task(job.wait())
        await service.wait_for_looks("film-0", 3)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert service.cancelled == []
        calling = asyncio.create_task(betterai.generate_video(MODEL, "a cat"))
        await service.wait_for_looks("film-1", 3)
        calling.cancel()
        with pytest.raises(asyncio.CancelledError):
            await calling
        assert service.cancelled == ["film-1"]
    assert [stored.status for stored in JobStore().jobs()] == ["cancelled", "running"]


async def test_a_limit_of_time_leaves_the_job(monkeypatch: pytest.MonkeyPatch) -> None:
    async with filming(monkeypatch, looks=10) as service:
        service.wait = 5.0
        job = await betterai.start_video(MODEL, "a cat")
        with pytest.raises(TotalTimeout):
            await job.wait(timeout=0.05)
        assert job.status == "running"
        service.wait, service.looks = 0.01, 1
        assert content_of(await betterai.Job.resume(job.id).wait()) == FILM


async def test_a_job_that_fails_there_has_failed_and_a_look_that_fails_has_not(monkeypatch: pytest.MonkeyPatch) -> None:
    async with filming(monkeypatch, looks=3) as service:
        job = await betterai.start_video(MODEL, "a cat")
        service.failure = "no cats today"
        with pytest.raises(ProviderError, match="the film failed"):
            await job.wait()
        assert JobStore().find(job.id).status == "failed"  # type: ignore[union-attr]
        service.failure = ""
        other = await betterai.start_video(MODEL, "a cat")
        service.locked = True
        with pytest.raises(AuthenticationError):
            await other.wait()
        assert JobStore().find(other.id).status == "running"  # type: ignore[union-attr]
        service.locked = False
        assert content_of(await betterai.Job.resume(other.id).wait()) == FILM


def _fields(job: Any) -> dict[str, Any]:
    handle = read_handle(job.handle)
    return {name: getattr(handle, name) for name in handle.__struct_fields__}


async def test_a_submit_that_is_refused_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    async with filming(monkeypatch) as service:
        service.refusal = (400, "no such prompt")
        with pytest.raises(BadRequestError):
            await betterai.start_video(MODEL, "a cat")
    assert [(stored.status, "no such prompt" in stored.error) for stored in JobStore().jobs()] == [("failed", True)]


async def test_two_processes_that_begin_one_job_do_not_both_submit(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The second one finds that the first has stored a checkpoint meanwhile."""
    store = JobStore(tmp_path / "jobs.sqlite")
    async with filming(monkeypatch) as service:
        job = await betterai.start_video(MODEL, "a cat", store=store)
        behind = betterai.Job.resume(job.id, store=store)
        behind._handle, behind._revision = JobHandle(**{**_fields(job), "state": None}), 0
        with pytest.raises(ValidationError, match="another process works on this job"):
            await behind.wait()
    assert service.submits == 1


async def test_what_is_dropped_is_told_or_refused_before_anything_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    async with filming(monkeypatch) as service:
        response = await betterai.generate_video(MODEL, "a cat", fps=24, store=None)
        assert "fps" in [warning.field for warning in response.warnings]
        strict = CoreConfig(unsupported="raise")
        with pytest.raises(UnsupportedParam, match="fps"):
            await betterai.generate_video(MODEL, "a cat", fps=24, config=strict, store=None)
    assert service.submits == 1


async def test_a_class_or_what_answers_at_once_starts_no_job(monkeypatch: pytest.MonkeyPatch) -> None:
    class Quick(betterai.BaseVideoProvider):
        def __init__(self, api_key: str, **options: Any) -> None: ...

        async def generate(self, prompt: str, model: str, settings: Any) -> betterai.VideoResponse:
            return betterai.VideoResponse()

    betterai.register_video_provider("quick-films", Quick)
    with pytest.raises(ConfigurationError, match="starts no jobs"):
        await betterai.start_video("quick-films/m", "a cat")
    assert (await betterai.generate_video("quick-films/m", "a cat")).provider == "quick-films"


def test_jobs_work_without_async(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scene() -> None:
        async with filming(monkeypatch):
            job = await asyncio.to_thread(sync.start_video, MODEL, "a cat")
            again = await asyncio.to_thread(sync.SyncJob.resume, job.handle)
            assert (again.id, again.provider, again.handle) == (job.id, job.provider, job.handle)
            assert content_of(await asyncio.to_thread(again.wait)) == FILM
            await asyncio.to_thread(job.cancel)

    asyncio.run(scene())


def test_a_store_that_cannot_be_written_is_told_before_anything_is_sent(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")

    async def scene() -> None:
        async with filming(monkeypatch) as service:
            with pytest.raises(ConfigurationError, match="BETTERAI_STATE"):
                await betterai.start_video(MODEL, "a cat", store=JobStore(tmp_path / "file" / "jobs.sqlite"))
            assert service.requests == []

    asyncio.run(scene())


# ── kill -9 ──

STORE_STEPS = (
    "add 1 before",
    "add 1 after",
    "keep 1 before",
    "keep 1 after",
    "keep 2 before",
    "keep 2 after",
    "note 1 before",
    "note 1 after",
    "note 2 after",
)
SERVICE_STEPS = ("submit", "look", "content")
IN_DOUBT = {"keep 1 after", "submit", "keep 2 before"}
"""Where a provider without keys cannot tell whether the job was taken: after the intent, and before the id is stored."""


async def kill(url: str, name: str, folder: Path, steps: tuple[str, ...]) -> list[str]:
    import os
    import sys

    env = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": f"{TESTS}{os.pathsep}{SOURCE}",
        "FILMER_API_KEY": KEY,
        "FILMER_BASE_URL": url,
    }
    child = await asyncio.create_subprocess_exec(
        sys.executable, str(TESTS / "runtime" / "kill_jobs.py"), name, str(folder), *steps, env=env, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    said, _ = await asyncio.wait_for(child.communicate(), 60)
    return said.decode().split()


def resume(folder: Path, name: str, number: int) -> Any:
    store = JobStore(folder / f"{name}-{number}.sqlite")
    stored = store.jobs()
    return betterai.Job.resume(stored[0].handle.id, store=store) if stored else None


@pytest.mark.parametrize("name", ["filmer", "keyed"])
async def test_j1_a_job_survives_kill_9_at_every_step_and_is_never_submitted_twice(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    service = FilmService(looks=3)
    async with serve(service) as url:
        monkeypatch.setenv("FILMER_BASE_URL", url)
        steps = (*STORE_STEPS, *SERVICE_STEPS)
        assert await kill(url, name, tmp_path, steps) == [str(-signal.SIGKILL)] * len(steps)
        assert len(service.made) == service.submits
        for number, step in enumerate(steps):
            made = len(service.made)
            job = resume(tmp_path, name, number)
            if step == "add 1 before":
                assert job is None
                continue
            if name == "filmer" and step in IN_DOUBT:
                with pytest.raises(JobInDoubt):
                    await job.wait()
                assert job.status == "in_doubt"
                with pytest.raises(JobInDoubt):
                    await betterai.Job.resume(job.handle, store=JobStore(tmp_path / f"{name}-{number}.sqlite")).wait()
                assert len(service.made) == made
            else:
                assert content_of(await job.wait()) == FILM, step
                begun = step in ("add 1 after", "keep 1 before", *(("keep 1 after",) if name == "keyed" else ()))
                assert len(service.made) == made + begun, step


async def test_j1_a_vendors_job_survives_kill_9_at_every_step_and_is_never_submitted_twice(tmp_path: Path) -> None:
    """The codecs of vendors at their doubles. Kling tells no progress, so that nothing is noted a second time; it finds
    a task by our id, so that a submit whose answer was lost is no doubt. One that it does not find may still be on its
    way: it is not sent again.
    """
    service, transport = KillingHouses(), HTTPTransport(guard=any_socket)
    steps = (*STORE_STEPS, *SERVICE_STEPS)
    silent, in_doubt = {("quick-kling", "note 2 after")}, {"quick-openai": IN_DOUBT, "quick-kling": {"keep 1 after"}}
    jobs = [(name, number, step) for name in VENDORS for number, step in enumerate(steps)]
    async with serve(service) as url:
        ends = await kill(url, ",".join(VENDORS), tmp_path, steps)
        assert ends == ["0" if (name, step) in silent else str(-signal.SIGKILL) for name, _, step in jobs]
        for name, number, step in jobs:
            betterai.register_video_provider(name, declare_quick(name), replace=True)
            store = JobStore(tmp_path / f"{name}-{number}.sqlite")
            config = CoreConfig(api_key=KEY, base_url=f"{url}/{name}-{number}")
            stored = store.jobs()
            if step == "add 1 before":
                assert stored == ()
                continue
            for _ in range(2):
                job: Any = betterai.Job.resume(
                    stored[0].handle.id, config=config, store=store, transport=lambda: transport
                )
                if step in in_doubt[name]:
                    with pytest.raises(JobInDoubt):
                        await job.wait()
                    assert job.status == "in_doubt"
                else:
                    assert content_of(await job.wait()) == VENDORS_FILM, (name, step)
            house = service.houses.get(f"{name}-{number}")
            assert (house.submits if house is not None else 0) == (step != "keep 1 after"), (name, step)
    await transport.aclose()


def test_media_of_a_call_are_stored_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scene() -> None:
        async with filming(monkeypatch):
            frame = Media(kind="image", data=b"\x89PNG\r\n\x1a\n", mime_type="image/png")
            job = await betterai.start_video("keyed/film-1", "a cat", first_frame=frame, seconds=4.0)
            call = betterai.Job.resume(job.id)._plan.call
            assert call.input == "a cat"
            assert call.settings.given() == {"first_frame": frame, "seconds": 4.0}

    asyncio.run(scene())


async def test_a_codec_whose_requests_take_no_extra_body_says_so_once(monkeypatch: pytest.MonkeyPatch) -> None:
    async with filming(monkeypatch):
        job = await betterai.start_video(MODEL, "a cat", extra_body={"more": 1}, store=None)
        response = await job.wait()
        assert [warning.field for warning in response.warnings].count("extra_body") == 1
        assert "extra_body" not in [
            item.field for item in (await betterai.generate_video(MODEL, "a cat", store=None)).warnings
        ]
