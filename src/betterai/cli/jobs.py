"""`betterai jobs`: what is worked on at providers; `jobs resume` waits for one, `jobs cancel` stops it."""

from __future__ import annotations

import asyncio
import time
from argparse import Namespace

from betterai.cli.output import Output, Style
from betterai.cli.results import save_all, write_files
from betterai.cli.table import write_table
from betterai.core.exceptions import ValidationError
from betterai.core.media import Media
from betterai.runtime.jobs.job import Job
from betterai.runtime.jobs.store import JobStore, StoredJob

HEADINGS = ("JOB", "STATUS", "DONE", "MODEL", "KIND", "BEGUN")
_STYLES: dict[str, Style] = {"done": "green", "running": "yellow", "failed": "red", "in_doubt": "red"}
SHOWN_LETTERS = 12


def run(arguments: Namespace, output: Output) -> int:
    if arguments.command == "jobs resume":
        return asyncio.run(_resume(arguments, output))
    if arguments.command == "jobs cancel":
        asyncio.run(_find(arguments.job).cancel())
        output.note("the job is cancelled")
        return 0
    if arguments.command == "jobs forget":
        stored = JobStore().find(arguments.job)
        if stored is None:
            raise ValidationError(f"the store has no job {arguments.job!r}", hint="betterai jobs lists them")
        JobStore().forget(stored.handle.id)
        return 0
    _list(JobStore().jobs(running=arguments.running), output, as_json=arguments.json)
    return 0


def _find(name: str) -> Job:  # type: ignore[type-arg]
    return Job.resume(name)


def _list(jobs: tuple[StoredJob, ...], output: Output, *, as_json: bool) -> None:
    if as_json:
        output.write_json({"jobs": [_describe(job) for job in jobs]})
    elif jobs:
        write_table(HEADINGS, [_row(job) for job in jobs], output, styles=_STYLES)
    else:
        output.note("there are no jobs")


def _describe(job: StoredJob) -> dict[str, object]:
    handle = job.handle
    return {
        "id": handle.id,
        "handle": handle.to_text(),
        "status": job.status,
        "progress": job.progress,
        "model": f"{handle.provider}/{handle.model}",
        "category": handle.category,
        "created": job.created,
        "updated": job.updated,
        "error": job.error,
    }


def _row(job: StoredJob) -> tuple[str, ...]:
    handle = job.handle
    begun = time.strftime("%Y-%m-%d %H:%M", time.localtime(job.created))
    done = "" if job.progress is None else f"{job.progress:.0%}"
    return (
        handle.id[:SHOWN_LETTERS], job.status, done, f"{handle.provider}/{handle.model}", handle.category, begun,
    )  # fmt: skip


async def _resume(arguments: Namespace, output: Output) -> int:
    job = _find(arguments.job)
    result = await job.wait(timeout=arguments.timeout, on_progress=lambda part: output.note(f"{part:.0%} done"))
    media: tuple[Media, ...] = tuple(getattr(result, "videos", ()) or getattr(result, "images", ()))
    places = await save_all(media, arguments.save, output)
    write_files(result, places, output, as_json=arguments.json)
    return 0
