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
from betterai.core.data import Data
from betterai.core.jobs import JobHandle
from betterai.core.model import Category
from betterai.runtime.batches.line_by_line.asking import ask_line
from betterai.runtime.batches.line_by_line.checking import check_request, name_model
from betterai.runtime.batches.line_by_line.options import LINE_BY_LINE, BatchRunner
from betterai.runtime.batches.line_by_line.outcomes import OutcomeReader, dump_wanted
from betterai.runtime.batches.line_by_line.pace import Pace
from betterai.runtime.batches.line_by_line.table import (
    ANY_PART,
    PAGE,
    PAGE_BYTES,
    Counts,
    Driver,
    Ended,
    Line,
    LineTable,
)
from betterai.runtime.batches.line_by_line.worker import Worker
from betterai.runtime.batches.requests import LineCheck, dump_request, naming_line
from betterai.runtime.batches.store import BatchStore
from betterai.runtime.client import Client
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
        self._types = list(types)
        """Those that answers are read as: of lines that were submitted here, too."""
        self._opening: asyncio.Task[Driver]
        self._users = 0
        self._given: tuple[Set[str], int] = (frozenset(), 0)
        """Who was given all lines before which one."""

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
        page: list[tuple[int, str, int, bytes, bytes | None]] = []
        number = size = 0
        async for request in requests:
            check.check(request.id)
            with naming_line(request.id):
                await check_request(self._client, request, name_model(self._name, request, model), category)
                prepared = self._prepare(request)
                data = dump_request(prepared)
            page.append((number, request.id, number // PART_LINES, data, dump_wanted(prepared.settings)))
            number, size = number + 1, size + len(data)
            if len(page) == PAGE or size > PAGE_BYTES:
                await table.add(id, page)
                page, size = [], 0
        await table.add(id, page)

    def _prepare(self, request: BatchRequest) -> BatchRequest:
        """With a type in its settings as the schema that it stands for."""
        wanted = getattr(request.settings, "response_format", None)
        if wanted is None:
            return request
        if not isinstance(wanted, Mapping | Data | str) and wanted not in self._types:
            self._types.append(wanted)
        return msgspec.structs.replace(request, settings=prepare_settings(request.settings)[0])  # type: ignore[arg-type]

    async def resume(self, handle: JobHandle, *, retry_in_doubt: bool = False) -> JobHandle:
        async with self._open() as table:
            await table.find(handle.id)
            if retry_in_doubt:
                await table.repeat(handle.id)
        return handle

    async def work(self, handle: JobHandle, part: int = ANY_PART) -> None:
        """Ask lines until all are answered; those of one part where it is given."""
        async with self._open() as table:
            category: Category = await table.find(handle.id)  # type: ignore[assignment]
            call = _CALLS[category]

            async def ask(line: Line, pace: Pace) -> Ended:
                return await ask_line(line, ask_provider, category, pace, self._options.attempts)

            async def ask_provider(request: BatchRequest) -> Any:
                return await call(self._client, name_model(self._name, request, handle.model), request)

            await Worker(table, handle.id, ask, self._options, part).run()

    async def count_open(self, handle: JobHandle) -> list[int]:
        """How many lines of each part have no outcome yet, for `work` on one of them."""
        async with self._open() as table:
            await table.find(handle.id)
            return await table.count_open(handle.id)

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
            over = await table.find_first(handle.id, "queued", "asked") is None
            before = await table.find_first(handle.id, "queued", "asked", "in_doubt")
            start = self._given[1] if seen and seen is self._given[0] else 0
            async for line in table.ended(handle.id, start, doubtful=over):
                if line.id not in seen:
                    yield reader.read(line)
            self._given = (seen, before or 0)

    async def cancel(self, handle: JobHandle) -> BatchStatus:
        async with self._open() as table:
            await table.cancel(handle.id)
        return await self.status(handle)

    @asynccontextmanager
    async def _open(self) -> AsyncIterator[LineTable]:
        """The table, open as long as somebody here uses it."""
        self._users += 1
        if self._users == 1:
            self._opening = asyncio.create_task(self._connect())
        opening = self._opening
        try:
            yield LineTable(await asyncio.shield(opening))
        finally:
            self._users -= 1
            if not self._users:
                await _close(opening)

    async def _connect(self) -> Driver:
        database = self._options.find_database()
        if "://" in database:
            from betterai.runtime.batches.line_by_line.postgres_driver import PostgresDriver

            return await PostgresDriver(database).open()
        from betterai.runtime.batches.line_by_line.sqlite_driver import SqliteDriver

        usual = self._store.path if self._store is not None else find_state_folder() / "batches.sqlite"
        return await SqliteDriver(Path(database) if database else usual).open()


async def _close(opening: asyncio.Task[Driver]) -> None:
    opening.cancel()
    await asyncio.wait({opening})
    if not opening.cancelled() and opening.exception() is None:
        await opening.result().aclose()


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
