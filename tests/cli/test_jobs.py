"""`betterai jobs`: listed, waited for, stopped and forgotten."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import betterai
from cli.commands import Command
from runtime.film import FILM, KEY, FilmService, declare
from shapes.server import serve


@pytest.fixture(autouse=True)
def _films(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("BETTERAI_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("FILMER_API_KEY", KEY)
    betterai.register_video_provider("filmer", declare("filmer"), replace=True)


def scene(monkeypatch: pytest.MonkeyPatch, act: Callable[[Any], None]) -> FilmService:
    """A film is begun, then `act` does something with the job, in a thread of its own."""
    service = FilmService(looks=3)

    async def play() -> None:
        async with serve(service) as url:
            monkeypatch.setenv("FILMER_BASE_URL", url)
            job = await betterai.start_video("filmer/film-1", "a cat")
            await asyncio.to_thread(act, job)

    asyncio.run(play())
    return service


def test_no_jobs_is_said(command: Command) -> None:
    result = command("jobs")
    assert (result.code, result.stdout) == (0, "")
    assert "there are no jobs" in result.stderr
    assert json.loads(command("jobs", "--json").stdout) == {"jobs": []}


def test_jobs_are_listed_waited_for_and_forgotten(
    command: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def act(job: Any) -> None:
        listed = command("jobs")
        assert [word in listed.stdout for word in (job.id[:12], "running", "33%", "filmer/film-1", "video")] == [
            True
        ] * 5
        result = command("jobs", "resume", job.id[:6], "--save", str(tmp_path / "films"))
        assert result.code == 0, result.stderr
        assert Path(result.stdout.strip()).read_bytes() == FILM
        assert "67% done" in result.stderr
        [said] = json.loads(command("jobs", "--json").stdout)["jobs"]
        assert (said["status"], said["handle"]) == ("done", said["handle"])
        assert command("jobs", "--running").stdout == ""
        assert command("jobs", "forget", job.id).code == 0
        assert json.loads(command("jobs", "--json").stdout) == {"jobs": []}

    assert scene(monkeypatch, act).submits == 1


def test_a_job_is_cancelled(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def act(job: Any) -> None:
        assert command("jobs", "cancel", job.id[:6]).code == 0
        assert "cancelled" in command("jobs").stdout
        assert command("jobs", "resume", job.id).code == 1

    assert scene(monkeypatch, act).cancelled == ["film-0"]


def test_a_job_that_there_is_not(command: Command) -> None:
    assert command("jobs", "forget", "abc").code == 2
    assert "no handle, nor an id" in command("jobs", "resume", "abc").stderr
