"""`betterai batch`: requests as JSON lines in, outcomes as JSON lines out, and progress while it is waited."""

from __future__ import annotations

import asyncio
import sys
import time
from argparse import Namespace
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import IO, Any

import msgspec

from betterai.cli.embed import read_config
from betterai.cli.jobs import SHOWN_LETTERS
from betterai.cli.output import Output, Style
from betterai.cli.settings import read_settings_of
from betterai.cli.table import write_table
from betterai.config.environment import complete_config
from betterai.core.batches import BatchLine, BatchRequest, BatchStatus, BatchTotals
from betterai.core.config import CoreConfig
from betterai.core.exceptions import TotalTimeout, ValidationError
from betterai.core.message import Message
from betterai.core.model import Category
from betterai.runtime.batches import Batch, find_category
from betterai.runtime.batches.line_by_line.options import BatchRunner
from betterai.runtime.batches.requests import SETTINGS, read_request
from betterai.runtime.batches.store import BatchStore
from betterai.runtime.client import Client
from betterai.runtime.job_store import StoredJob
from betterai.runtime.messages import read_messages

HEADINGS = ("BATCH", "STATUS", "DONE", "MODEL", "BEGUN")
_STYLES: dict[str, Style] = {"done": "green", "running": "yellow", "failed": "red", "in_doubt": "red"}
CELLS = 30
"""How wide the bar is."""
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
        return asyncio.run(_submit(arguments, output))
    if command == "results":
        return asyncio.run(_write_results(arguments, output))
    if command in ("status", "cancel"):
        return asyncio.run(_follow(arguments, output, cancels=command == "cancel"))
    _list(BatchStore().jobs(running=arguments.running), output, as_json=arguments.json)
    return 0


# ── submitting ──


async def _submit(arguments: Namespace, output: Output) -> int:
    config = read_config(arguments)
    model = arguments.model or complete_config(CoreConfig()).model
    category: Category = arguments.category or find_category(model)
    settings = read_settings_of(SETTINGS[category], arguments.options)
    async with Client(trust_env=True, timeout=arguments.timeout) as client:
        with _open(arguments.file) as file:
            requests = _read_requests(file, category, arguments.system)
            batch = await client.batches.submit(
                model, requests, category=category, settings=settings, runner=_read_runner(arguments), config=config
            )
    if arguments.json:
        output.write_json({"id": batch.id, "handle": batch.handle, "model": f"{batch.provider}/{batch.model}"})
    else:
        output.answers.write(f"{batch.id}\n")
        output.note(f"betterai batch results {batch.id[:SHOWN_LETTERS]} waits for the answers")
    return 0


@contextmanager
def _open(name: str) -> Iterator[IO[bytes]]:
    if name == "-":
        yield sys.stdin.buffer
        return
    try:
        file = open(name, "rb")  # noqa: SIM115 - closed below
    except OSError as error:
        raise ValidationError(f"cannot read {name}: {error.strerror or error}") from error
    with file:
        yield file


async def _read_requests(file: IO[bytes], category: Category, system: str | None) -> AsyncIterator[BatchRequest]:
    """The requests of JSON lines, as they are read. Raises `ValidationError` naming the line."""
    for number, line in enumerate(file, 1):
        if not line.strip():
            continue
        try:
            request = read_request(msgspec.json.decode(line), SETTINGS[category])
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise ValidationError(f"line {number} of the file is no JSON: {error}") from error
        if system is not None and category == "text":
            history = (Message.system(system), *read_messages(request.input))
            request = msgspec.structs.replace(request, input=history)
        yield request


# ── following ──


def _resume(arguments: Namespace, client: Client) -> Batch:
    retry = getattr(arguments, "retry_in_doubt", False)
    config = CoreConfig(base_url=url) if (url := getattr(arguments, "base_url", None)) else None
    runner = _read_runner(arguments)
    return client.batches.resume(arguments.batch, retry_in_doubt=retry, runner=runner, config=config)


def _read_runner(arguments: Namespace) -> BatchRunner | None:
    """How lines are asked one by one, where anything is said of it."""
    names = ("concurrency", "database")
    given = {name: value for name in names if (value := getattr(arguments, name, None)) is not None}
    return BatchRunner(**given) if given or getattr(arguments, "line_by_line", False) else None


async def _follow(arguments: Namespace, output: Output, *, cancels: bool) -> int:
    async with Client(trust_env=True) as client:
        batch = _resume(arguments, client)
        if cancels:
            status = await batch.cancel()
        elif arguments.wait:
            progress = Progress(output)
            status = await batch.wait(timeout=arguments.timeout, on_progress=progress.show)
            progress.end()
        else:
            status = await batch.status()
    if arguments.json:
        output.write_json(_describe_status(status))
    else:
        output.answers.write(f"{_say(status)}\n")
        for part in status.parts:
            if part.error:
                output.note(f"{part.id or 'a part'}: {part.error}")
    return 0


async def _write_results(arguments: Namespace, output: Output) -> int:
    progress = Progress(output)
    async with Client(trust_env=True) as client:
        batch = _resume(arguments, client)
        with _open_lines(arguments.save, output) as write:
            try:
                async with asyncio.timeout(arguments.timeout):
                    async for line in batch.results(wait=not arguments.no_wait, on_progress=progress.show):
                        write(_encode(describe_line(line)) + b"\n")
            except TimeoutError:
                raise TotalTimeout("the batch is not over yet", hint="it goes on: ask for its results later") from None
            except asyncio.CancelledError:
                output.note(f"interrupted: betterai batch results {batch.id[:SHOWN_LETTERS]} goes on with it")
                raise
            finally:
                progress.end()
    output.note(_sum(batch.totals))
    if batch.totals.in_doubt:
        output.note("--retry-in-doubt sends once more what is in doubt: it may cost twice")
    return 0


@contextmanager
def _open_lines(path: str | None, output: Output) -> Iterator[Any]:
    if path is None:
        yield lambda data: output.answers.write(data.decode())
        return
    try:
        file = open(path, "wb")  # noqa: SIM115 - closed below
    except OSError as error:
        raise ValidationError(f"cannot write {path}: {error.strerror or error}") from error
    with file:
        yield file.write


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
