"""`betterai batch`: requests as JSON lines in, outcomes as JSON lines out, and progress while it is waited."""

from __future__ import annotations

import asyncio
import time
from argparse import Namespace
from collections import Counter
from collections.abc import Coroutine, Iterator
from contextlib import aclosing, contextmanager
from typing import Any, TypeVar

import msgspec

from betterai.cli.batch_submit import is_line_by_line, read_runner, say_results, submit
from betterai.cli.jobs import SHOWN_LETTERS
from betterai.cli.output import Output, Style
from betterai.cli.table import write_table
from betterai.core.batches import BatchLine, BatchStatus, BatchTotals
from betterai.core.config import CoreConfig
from betterai.core.exceptions import TotalTimeout, ValidationError
from betterai.runtime.batches import Batch
from betterai.runtime.batches.line_by_line.options import BatchRunner
from betterai.runtime.batches.store import BatchStore
from betterai.runtime.client import Client
from betterai.runtime.jobs.store import StoredJob

HEADINGS = ("BATCH", "STATUS", "DONE", "MODEL", "BEGUN")
_STYLES: dict[str, Style] = {"done": "green", "running": "yellow", "failed": "red", "in_doubt": "red"}
CELLS = 30
"""How wide the bar is."""
LINES_FAILED = 3
"""The exit code of results among which some are no answers."""
AT_ONCE = 0.2
"""Seconds in which nobody misses a word about what is waited for."""
T = TypeVar("T")
_encode = msgspec.json.Encoder(decimal_format="number").encode


def run(arguments: Namespace, output: Output) -> int:
    command = arguments.command.partition(" ")[2]
    if command == "forget":
        store = BatchStore()
        if (stored := store.find(arguments.batch)) is None:
            raise ValidationError(f"the store has no batch {arguments.batch!r}", hint="betterai batch lists them")
        store.forget(stored.handle.id)
        return 0
    if command == "submit":
        return asyncio.run(submit(arguments, output))
    if command == "results":
        return asyncio.run(_write_results(arguments, output))
    if command in ("status", "cancel"):
        return asyncio.run(_follow(arguments, output, cancels=command == "cancel"))
    _list(BatchStore().jobs(running=arguments.running), output, as_json=arguments.json)
    return 0


def _resume(arguments: Namespace, client: Client) -> Batch:
    retry = getattr(arguments, "retry_in_doubt", False)
    config = CoreConfig(base_url=url) if (url := getattr(arguments, "base_url", None)) else None
    runner = read_runner(arguments)
    return client.batches.resume(arguments.batch, retry_in_doubt=retry, runner=runner, config=config)


async def _follow(arguments: Namespace, output: Output, *, cancels: bool) -> int:
    async with Client(trust_env=True) as client:
        batch = _resume(arguments, client)
        if cancels:
            status = await batch.cancel()
        elif arguments.wait:
            progress = Progress(output)
            try:
                status = await end_well(batch.wait(on_progress=progress.show), arguments.timeout, output)
            finally:
                progress.end()
        else:
            status = await batch.status()
    if arguments.json:
        output.write_json(_describe_status(status))
        return 0
    output.answers.write(f"{_say(status)}\n")
    for part in status.parts:
        if part.error:
            output.note(f"{part.id or 'a part'}: {part.error}")
    if not status.over and is_line_by_line(batch):
        output.note(f"its lines are asked while somebody waits for them: {say_results(batch, arguments)}")
    return 0


async def _write_results(arguments: Namespace, output: Output) -> int:
    progress, errors = Progress(output), Counter[str]()
    async with Client(trust_env=True) as client:
        batch = _resume(arguments, client)
        with _open_lines(arguments.save, output) as write:

            async def pass_on() -> None:
                lines = batch.results(wait=not arguments.no_wait, on_progress=progress.show)
                async with aclosing(lines):
                    async for line in lines:
                        write(describe_line(line))
                        if line.error is not None:
                            errors[type(line.error).__name__] += 1

            try:
                await end_well(pass_on(), arguments.timeout, output)
            except asyncio.CancelledError:
                output.note(f"interrupted: {say_results(batch, arguments)} goes on with it")
                raise
            finally:
                progress.end()
    output.note(_sum(batch.totals))
    if errors:
        output.note(f"errors: {', '.join(f'{count} {name}' for name, count in errors.most_common())}")
    if batch.totals.in_doubt:
        output.note("--retry-in-doubt sends once more what is in doubt: it may cost twice")
    return LINES_FAILED if errors else 0


async def end_well(work: Coroutine[Any, Any, T], seconds: float | None, output: Output) -> T:
    """What the work gives. Where it is to end before (by Ctrl-C, or after so many seconds), the calls that run may go
    on for a while, which is said. Raises `TotalTimeout`.
    """
    task = asyncio.create_task(work)
    try:
        async with asyncio.timeout(seconds) as limit:
            return await asyncio.shield(task)
    except (TimeoutError, asyncio.CancelledError) as ended:
        task.cancel()
        if not (await asyncio.wait({task}, timeout=AT_ONCE))[0]:
            longest = BatchRunner().drain_seconds
            output.note(f"no new calls; waiting up to {longest:g} s for the answers of those that run")
            output.note("Ctrl-C leaves at once: they are in doubt then")
            await asyncio.wait({task})
        if isinstance(ended, TimeoutError) and limit.expired():
            raise TotalTimeout("the batch is not over yet", hint="it goes on: ask for its results later") from None
        raise


@contextmanager
def _open_lines(path: str | None, output: Output) -> Iterator[Any]:
    if path is None:
        yield output.write_json
        return
    try:
        file = open(path, "wb")  # noqa: SIM115 - closed below
    except OSError as error:
        raise ValidationError(f"cannot write {path}: {error.strerror or error}") from error
    with file:
        yield lambda line: file.write(_encode(line) + b"\n")


class Progress:
    """A bar on a terminal; elsewhere a line whenever something changed."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._said = ""

    def show(self, status: BatchStatus) -> None:
        text = _say(status)
        if text == self._said:
            return
        self._said = text
        if self._output.notes.is_terminal:
            filled = round(status.progress * CELLS)
            bar = "█" * filled + "░" * (CELLS - filled) if self._output.notes.writes_unicode else "#" * filled
            self._output.notes.write_raw(f"\r\x1b[K{bar} {text}")
        else:
            self._output.note(text)

    def end(self) -> None:
        if self._said and self._output.notes.is_terminal:
            self._output.notes.write_raw("\n")


def _say(status: BatchStatus) -> str:
    """How it stands, in a line."""
    counts = status.counts
    found = [f"{counts.ended} of {counts.total}"]
    found += [f"{value} {name}" for name in ("failed", "cancelled", "expired") if (value := getattr(counts, name))]
    return f"{status.state}: {', '.join(found)}"


def _sum(totals: BatchTotals) -> str:
    counts = totals.counts
    ended = {
        "succeeded": counts.succeeded, "failed": counts.failed, "cancelled": counts.cancelled,
        "expired": counts.expired, "missing": totals.missing, "in doubt": totals.in_doubt,
    }  # fmt: skip
    said = ", ".join(f"{value} {name}" for name, value in ended.items() if value) or "no lines yet"
    cost = totals.cost
    return f"{said}; {f'{cost.amount:f} USD' if cost.amount is not None else f'cost unknown: {cost.reason}'}"


def describe_line(line: BatchLine) -> dict[str, Any]:
    """A line as JSON: what there is of it."""
    response, error = line.response, line.error
    found: dict[str, Any] = {"id": line.id, "state": line.state}
    for name in ("content", "reasoning", "tool_calls", "finish_reason", "vectors", "verdicts", "images"):
        if value := getattr(response, name, None):
            found[name] = value
    if (parsed := getattr(response, "parsed", None)) is not None:
        found["parsed"] = parsed
    if line.usage is not None:
        found["usage"] = line.usage
    if line.cost is not None:
        found["cost"] = line.cost.amount
    if error is not None:
        found["error"] = {
            "type": type(error).__name__, "message": str(error), "code": error.code, "status": error.status,
        }  # fmt: skip
    if line.warnings:
        found["warnings"] = line.warnings
    return found


def _describe_status(status: BatchStatus) -> dict[str, Any]:
    return {
        "id": status.id, "state": status.state, "progress": status.progress, "counts": status.counts,
        "parts": status.parts,
    }  # fmt: skip


def _list(batches: tuple[StoredJob, ...], output: Output, *, as_json: bool) -> None:
    if as_json:
        output.write_json({"batches": [_describe(batch) for batch in batches]})
    elif batches:
        write_table(HEADINGS, [_row(batch) for batch in batches], output, styles=_STYLES)
    else:
        output.note("there are no batches")


def _describe(batch: StoredJob) -> dict[str, Any]:
    handle = batch.handle
    return {
        "id": handle.id, "handle": handle.to_text(), "status": batch.status, "progress": batch.progress,
        "model": f"{handle.provider}/{handle.model}", "created": batch.created, "updated": batch.updated,
        "error": batch.error,
    }  # fmt: skip


def _row(batch: StoredJob) -> tuple[str, ...]:
    handle = batch.handle
    begun = time.strftime("%Y-%m-%d %H:%M", time.localtime(batch.created))
    done = "" if batch.progress is None else f"{batch.progress:.0%}"
    return handle.id[:SHOWN_LETTERS], batch.status, done, f"{handle.provider}/{handle.model}", begun
