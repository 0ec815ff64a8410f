"""`betterai batch submit`: a file of JSON lines as a batch, and what to do with it next."""

from __future__ import annotations

import shlex
import sys
from argparse import Namespace
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import IO

import msgspec

from betterai.cli.embed import read_config
from betterai.cli.jobs import SHOWN_LETTERS
from betterai.cli.output import Output
from betterai.cli.settings import read_settings_of
from betterai.config.environment import complete_config
from betterai.core.batches import BatchRequest
from betterai.core.config import CoreConfig
from betterai.core.exceptions import BetterAIError, ValidationError
from betterai.core.jobs import read_handle
from betterai.core.message import Message
from betterai.core.model import Category
from betterai.runtime.batches import Batch, find_category
from betterai.runtime.batches.line_by_line.options import LINE_BY_LINE, BatchRunner
from betterai.runtime.batches.requests import SETTINGS, read_request
from betterai.runtime.client import Client
from betterai.runtime.messages import read_messages


async def submit(arguments: Namespace, output: Output) -> int:
    config = read_config(arguments)
    model = arguments.model or complete_config(CoreConfig()).model
    category: Category = arguments.category or find_category(model)
    settings = read_settings_of(SETTINGS[category], arguments.options)
    async with Client(trust_env=True, timeout=arguments.timeout) as client:
        with _open(arguments.file) as file, RequestFile(file, arguments.file, category, arguments.system) as requests:
            batch = await client.batches.submit(
                model, requests.read(), category=category, settings=settings, runner=read_runner(arguments),
                config=config,
            )  # fmt: skip
    if arguments.json:
        output.write_json({"id": batch.id, "handle": batch.handle, "model": f"{batch.provider}/{batch.model}"})
    else:
        output.answers.write(f"{batch.id}\n")
        does = "asks its lines one by one" if is_line_by_line(batch) else "waits for the answers"
        output.note(f"{say_results(batch, arguments)} {does}")
    return 0


def is_line_by_line(batch: Batch) -> bool:
    """Whether it is worked on only while somebody waits."""
    return read_handle(batch.handle).protocol == LINE_BY_LINE


def say_results(batch: Batch, arguments: Namespace) -> str:
    """The command that gives the results: where it was submitted must be said again, but for a word that may hold a
    password.
    """
    words = ["betterai", "batch", "results", batch.id[:SHOWN_LETTERS]]
    if database := getattr(arguments, "database", None):
        words += ["--database", "…" if "://" in database else database]
    if url := getattr(arguments, "base_url", None):
        words += ["--base-url", "…" if "@" in url else url]
    return shlex.join(words).replace("'…'", "…")


def read_runner(arguments: Namespace) -> BatchRunner | None:
    """How lines are asked one by one, where anything is said of it."""
    names = ("concurrency", "database")
    given = {name: value for name in names if (value := getattr(arguments, name, None)) is not None}
    return BatchRunner(**given) if given or getattr(arguments, "line_by_line", False) else None


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


class RequestFile:
    """The requests of a file of JSON lines. What is raised while they are read and checked says at which line."""

    def __init__(self, file: IO[bytes], name: str, category: Category, system: str | None) -> None:
        self._file = file
        self._name = "stdin" if name == "-" else name
        self._category: Category = category
        self._system = system
        self._number = 0
        """Of the line that is read or checked; 0 before and after."""

    def __enter__(self) -> RequestFile:
        return self

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        if isinstance(error, BetterAIError) and self._number:
            error.message = f"{self._name}:{self._number}: {error.message}"

    async def read(self) -> AsyncIterator[BatchRequest]:
        for number, line in enumerate(self._file, 1):
            if line.strip():
                self._number = number
                yield self._read_line(line)
        self._number = 0

    def _read_line(self, line: bytes) -> BatchRequest:
        try:
            request = read_request(msgspec.json.decode(line), SETTINGS[self._category])
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise ValidationError(f"this is no JSON: {error}") from error
        if self._system is None or self._category != "text":
            return request
        history = (Message.system(self._system), *read_messages(request.input))
        return msgspec.structs.replace(request, input=history)
