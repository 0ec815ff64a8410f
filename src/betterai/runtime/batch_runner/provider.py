"""The runner of batches as a provider of batches: what `betterai.batches` asks where no vendor's endpoint works."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Awaitable, Callable, Mapping, Sequence, Set
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec

from betterai.config.environment import find_state_folder
from betterai.core.base import BaseBatchProvider
from betterai.core.batches import BatchCounts, BatchLine, BatchRequest, BatchState, BatchStatus
from betterai.core.exceptions import BetterAIError
from betterai.core.jobs import JobHandle
from betterai.core.message import MediaPart
from betterai.core.model import Category
from betterai.runtime.batch_requests import LineCheck, dump_request, load_request
from betterai.runtime.batch_runner.asking import ask_line
from betterai.runtime.batch_runner.options import LINE_BY_LINE, BatchRunner
from betterai.runtime.batch_runner.outcomes import OutcomeReader
from betterai.runtime.batch_runner.pace import Pace
from betterai.runtime.batch_runner.table import PAGE, Counts, Driver, Ended, Line, LineTable
from betterai.runtime.batch_runner.worker import Worker
from betterai.runtime.batch_store import BatchStore
from betterai.runtime.client import Client
from betterai.runtime.messages import read_messages
from betterai.runtime.schema import prepare_settings

PART_LINES = 500
"""How many lines are a part, which is what a durable workflow works on."""
LOOK_AGAIN_SECONDS = 1.0


class LineByLine(BaseBatchProvider):
    """Batches of one provider, asked line by line through a client. The lines are kept in a database, which several
    processes may work on; `work` is this one's part.
    """

    def __init__(
        self,
        name: str,
        client: Client,
        options: BatchRunner,
        store: BatchStore | None = None,
        types: Sequence[Any] = (),
    ) -> None:
        self._name = name
        self._client = client
        self._options = options.check()
        self._store = store
        self._types = types
        self._opening = asyncio.Lock()
        self._driver: Driver | None = None
        self._users = 0

    async def submit(self, requests: AsyncIterable[BatchRequest], model: str, category: Category = "text") -> JobHandle:
        check, id = LineCheck(self.limits, self._name), uuid4().hex
        async with self._open() as table:
            await table.create(id, category)
            try:
                await self._add(table, id, requests, check, model, category)
                check.finish()
                await table.open(id)
            except BaseException:
                await table.forget(id)
                raise
        handle = JobHandle(id=id, provider=self._name, model=model, category="batch", protocol=LINE_BY_LINE, account="")
        if self._store is not None:
            self._store.add(handle, b"")
        return handle

    async def _add(
        self,
        table: LineTable,
        id: str,
        requests: AsyncIterable[BatchRequest],
        check: LineCheck,
        model: str,
        category: Category,
    ) -> None:
        page: list[tuple[int, str, int, bytes]] = []
        number = 0
        async for request in requests:
            check.check(request.id)
            await self._check(request, model, category)
            page.append((number, request.id, number // PART_LINES, dump_request(_prepare(request))))
            number += 1
            if len(page) == PAGE:
                await table.add(id, page)
                page = []
        await table.add(id, page)

    async def _check(self, request: BatchRequest, model: str, category: Category) -> None:
        """Build the line's request as its call will: what it refuses is refused before anything is sent. A line with
        media is looked at when it is asked: some of it would have to be fetched.
        """
        given, name = request.input, f"{self._name}/{request.model or model}"
        if category == "text":
            given = read_messages(given)
            if any(isinstance(part, MediaPart) for message in given for part in message.parts):
                return
            found: Any = self._client.look_up(msgspec.structs.replace(self._client.config, model=name))
        else:
            found = self._client.find(category, name)
            given = (given,) if isinstance(given, str) and category != "image" else given
        if hasattr(found.provider, "plan"):
            try:
                await found.provider.plan(given, found.id, request.settings)
            except BetterAIError as error:
                error.message = f"line {request.id!r}: {error.message}"
                raise

    async def resume(self, handle: JobHandle, *, retry_in_doubt: bool = False) -> JobHandle:
        async with self._open() as table:
            await table.find(handle.id)
            if retry_in_doubt:
                await table.repeat(handle.id)
        return handle

    async def work(self, handle: JobHandle, part: int = -1) -> None:
        """Ask lines until all are answered; those of one part where it is given."""
        async with self._open() as table:
            category: Category = await table.find(handle.id)  # type: ignore[assignment]
            call = _CALLS[category]

            async def ask(line: Line, pace: Pace) -> Ended:
                return await ask_line(line, ask_provider, category, pace, self._options.attempts)

            async def ask_provider(request: BatchRequest) -> Any:
                return await call(self._client, f"{self._name}/{request.model or handle.model}", request)

            await Worker(table, handle.id, ask, self._options, part).run()

    async def count_parts(self, handle: JobHandle) -> int:
        """How many parts a batch has, for `work` on one of them."""
        async with self._open() as table:
            await table.find(handle.id)
            return await table.count_parts(handle.id)

    async def status(self, handle: JobHandle) -> BatchStatus:
        async with self._open() as table:
            counts = await table.count(handle.id)
        state = _state(counts)
        if self._store is not None and state != "running":
            self._store.note(handle.id, "in_doubt" if state == "in_doubt" else "done")
        return BatchStatus(
            id=handle.id,
            provider=self._name,
            state=state,
            counts=BatchCounts(
                total=counts.total,
                **{name: counts.states.get(name, 0) for name in ("succeeded", "failed", "cancelled")},
            ),
            look_again=LOOK_AGAIN_SECONDS,
        )

    async def results(self, handle: JobHandle, seen: Set[str] = frozenset()) -> AsyncGenerator[BatchLine, None]:
        async with self._open() as table:
            category: Category = await table.find(handle.id)  # type: ignore[assignment]
            reader = OutcomeReader(category, self._types)
            async for id, state, outcome, request in table.ended(handle.id):
                if id in seen:
                    continue
                settings = load_request(request, category).settings
                yield reader.read(id, state, outcome, settings)  # type: ignore[arg-type]

    async def cancel(self, handle: JobHandle) -> BatchStatus:
        async with self._open() as table:
            await table.cancel(handle.id)
        return await self.status(handle)

    @asynccontextmanager
    async def _open(self) -> AsyncIterator[LineTable]:
        """The table, open as long as somebody here uses it."""
        async with self._opening:
            driver = self._driver = self._driver or await self._connect()
            self._users += 1
        try:
            yield LineTable(driver)
        finally:
            self._users -= 1
            if not self._users:
                self._driver = None
                await driver.aclose()

    async def _connect(self) -> Driver:
        database = self._options.find_database()
        if "://" in database:
            from betterai.runtime.batch_runner.postgres_driver import PostgresDriver

            return await PostgresDriver(database).open()
        from betterai.runtime.batch_runner.sqlite_driver import SqliteDriver

        usual = self._store.path if self._store is not None else find_state_folder() / "batches.sqlite"
        return await SqliteDriver(Path(database) if database else usual).open()


def _prepare(request: BatchRequest) -> BatchRequest:
    """With a type in its settings as the schema that it stands for."""
    if getattr(request.settings, "response_format", None) is None:
        return request
    return msgspec.structs.replace(request, settings=prepare_settings(request.settings)[0])  # type: ignore[arg-type]


def _state(counts: Counts) -> BatchState:
    if counts.open:
        return "running"
    if counts.states.get("in_doubt"):
        return "in_doubt"
    return "cancelled" if counts.cancelled and counts.states.get("cancelled") else "done"


async def _generate(client: Client, model: str, request: BatchRequest) -> Any:
    return await client.generate(model, request.input, settings=request.settings)  # type: ignore[arg-type]


async def _embed(client: Client, model: str, request: BatchRequest) -> Any:
    return await client.embed(model, request.input, settings=request.settings)  # type: ignore[arg-type]


async def _moderate(client: Client, model: str, request: BatchRequest) -> Any:
    return await client.moderate(model, request.input, settings=request.settings)  # type: ignore[arg-type]


async def _draw(client: Client, model: str, request: BatchRequest) -> Any:
    return await client.generate_image(model, request.input, settings=request.settings)  # type: ignore[arg-type]


_CALLS: Mapping[Category, Callable[[Client, str, BatchRequest], Awaitable[Any]]] = {
    "text": _generate, "embeddings": _embed, "moderation": _moderate, "image": _draw,
}  # fmt: skip
