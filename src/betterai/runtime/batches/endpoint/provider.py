"""Batches at providers that have an endpoint for them: split into as many as it takes, submitted once, read as one."""

from __future__ import annotations

import time
import weakref
from asyncio import gather, to_thread
from collections.abc import AsyncGenerator, AsyncIterable, Mapping, Sequence, Set
from contextlib import suppress
from pathlib import Path
from random import getrandbits
from shutil import rmtree
from tempfile import mkdtemp
from typing import Any

import msgspec

from betterai.core.base import BaseBatchProvider
from betterai.core.batches import (
    BatchAnswer,
    BatchCounts,
    BatchInput,
    BatchLine,
    BatchPart,
    BatchRequest,
    BatchState,
    BatchStatus,
)
from betterai.core.codec import BatchCall, BatchCodec
from betterai.core.config import CoreConfig
from betterai.core.exceptions import (
    BetterAIError,
    JobInDoubt,
    ProviderError,
    ValidationError,
)
from betterai.core.jobs import JobHandle, JobStatus
from betterai.core.media import Media
from betterai.core.model import Category
from betterai.core.provider import Provider
from betterai.core.settings import CallSettings
from betterai.core.wire import Call, WireRequest, WireResponse
from betterai.runtime.batches.endpoint.answers import AnswerReader
from betterai.runtime.batches.endpoint.lines import LinePlanner, StoredLine
from betterai.runtime.batches.endpoint.parts import PartWriter, write_lines
from betterai.runtime.batches.endpoint.state import (
    Part,
    Progress,
    begin_part,
    fill_counts,
    join_errors,
    join_states,
    make_line,
    read_progress,
    with_parts,
)
from betterai.runtime.batches.store import BatchStore
from betterai.runtime.connection import Connection, TransportSource
from betterai.runtime.handled import check_account
from betterai.runtime.jobs.steps import StepsRun
from betterai.runtime.single import ask_once
from betterai.wire.waits import parse_retry_after

Look = tuple[BatchPart, WireResponse | None]
"""How a part stands, and the reply that says so."""
UPLOAD_SECONDS = 24 * 3600.0
"""The most that a submit may take: its requests have limits of their own."""
LOOK_SECONDS = 30.0
"""Between two looks, where the provider asks for no other time."""
FRESH_SECONDS = 2.0
LONGEST_SECONDS = 300.0
PORTION = 64
"""How many answers are read in one go."""
_NOTED: Mapping[BatchState, JobStatus] = {"expired": "failed"}


class CodecBatchProvider(BaseBatchProvider):
    """A vendor's endpoint. One is made for each configuration; it holds no connection of its own."""

    def __init__(
        self,
        provider: Provider,
        codec: BatchCodec,
        config: CoreConfig,
        *,
        protocol: str,
        store: BatchStore | None = None,
        transport: TransportSource | None = None,
        types: Sequence[Any] = (),
    ) -> None:
        self.provider = provider
        self.codec = codec
        self.limits = codec.limits
        self.connection = Connection(provider, config, transport)
        self._protocol = protocol
        self._config = config
        self._transport = transport
        self._types = types
        if store is None:
            folder = mkdtemp(prefix="betterai-batch-")
            weakref.finalize(self, rmtree, folder, ignore_errors=True)
            store = BatchStore(Path(folder) / "batch.sqlite")
        self._store = store
        self._planners: dict[Category, LinePlanner] = {}
        self._over: dict[str, dict[int, Look]] = {}
        """The last looks at parts that are over, by batch."""
        self._looked: tuple[str, float, list[Look]] = ("", 0.0, [])
        """The latest of all looks: `results` after `status` need not look again."""

    # ── submitting ──

    async def submit(self, requests: AsyncIterable[BatchRequest], model: str, category: Category = "text") -> JobHandle:
        account = self.connection.account()
        id = f"{getrandbits(128):032x}"
        planner = self._planner(category)
        folder = self._store.path.parent
        await to_thread(folder.mkdir, parents=True, exist_ok=True, mode=0o700)
        writer = PartWriter(self.codec, folder, id, self.provider.title or self.provider.name)
        try:
            await write_lines(
                requests, model, planner, writer, self.codec, self.connection,
                lambda lines: self._store.add_lines(id, lines),
            )  # fmt: skip
        except BaseException:
            writer.discard()
            await to_thread(self._store.forget, id)
            raise
        state = Progress(category=category, created=time.time(), parts=tuple(map(begin_part, writer.parts)))
        handle = JobHandle(
            id=id, provider=self.provider.name, model=model, category="batch", protocol=self._protocol,
            account=account, state=msgspec.to_builtins(state),
        )  # fmt: skip
        await to_thread(self._store.add, handle, b"{}")
        handle, failure = await self._submit_parts(handle)
        if failure is not None and not any(part.submitted or part.in_doubt for part in read_progress(handle).parts):
            await to_thread(self._store.note, id, "failed", error=str(failure))
            raise failure
        return handle

    async def resume(self, handle: JobHandle, *, retry_in_doubt: bool = False) -> JobHandle:
        check_account(handle, self.connection)
        again: set[int] = set()
        if retry_in_doubt:
            parts = list(read_progress(handle).parts)
            for number, part in enumerate(parts):
                if part.in_doubt or not (part.submitted or part.error):
                    again.add(number)
                    parts[number] = msgspec.structs.replace(part, in_doubt=False, error="", code="")
            handle = with_parts(handle, tuple(parts))
        return (await self._submit_parts(handle, again))[0]

    async def _submit_parts(
        self, handle: JobHandle, again: Set[int] = frozenset()
    ) -> tuple[JobHandle, BetterAIError | None]:
        """Submit what was not, part by part: each is stored before and after. What is refused stays with its part.
        Those `again` that are looked for and not found are submitted once more.
        """
        self._looked = "", 0.0, []
        found = await to_thread(self._store.find, handle.id)
        revision = found.revision if found is not None else None
        failure: BetterAIError | None = None
        for number, part in enumerate(read_progress(handle).parts):
            if part.submitted or part.error:
                continue
            goes_on = failure is None or isinstance(failure, ValidationError | JobInDoubt)

            async def keep(changed: Part, number: int = number) -> None:
                nonlocal handle, revision
                parts = list(read_progress(handle).parts)
                parts[number] = changed
                handle = with_parts(handle, tuple(parts))
                if revision is not None:
                    revision = await to_thread(self._store.keep, handle, revision)

            try:
                if failure is not None and not goes_on:
                    raise failure
                try:
                    await self._submit_part(handle, number, part, keep)
                except JobInDoubt:
                    if number not in again or not self._path(handle, number).is_file():
                        raise
                    await self._submit_part(handle, number, msgspec.structs.replace(part, state=None), keep)
            except BetterAIError as error:
                failure = error
                part = read_progress(handle).parts[number]
                refused = msgspec.structs.replace(
                    part, in_doubt=isinstance(error, JobInDoubt), error=error.message, code=error.code
                )
                await keep(refused)
                if refused.in_doubt:
                    continue
            with suppress(OSError):
                self._path(handle, number).unlink()
        return handle, failure

    async def _submit_part(self, handle: JobHandle, number: int, part: Part, keep: Any) -> None:
        path = self._path(handle, number)
        if not path.is_file() and part.state is None:
            raise ValidationError("the lines of this part are gone", hint="submit them in another batch")
        call: BatchCall = Call(
            model=self._planner(read_progress(handle).category).find(part.model)[1],
            input=BatchInput(
                name=f"betterai-{handle.id}-{number}",
                body=Media(kind="document", mime_type="application/json", path=str(path), filename=path.name),
                count=part.count,
                size=part.size,
                target=part.target,
                category=read_progress(handle).category,
                headers=part.headers,
                began=read_progress(handle).created,
            ),
            settings=CallSettings(),
            id=handle.id,
            now=time.time(),
            provider_settings=self.connection.codec_settings(),
        )
        run = StepsRun(self.codec, call, self.connection, state=part.state, total=UPLOAD_SECONDS)

        async def note(state: Mapping[str, Any]) -> None:
            await keep(msgspec.structs.replace(part, state=state))

        run.on_checkpoint = note
        state = await run.run(cancels=False)
        await keep(msgspec.structs.replace(part, state=state, submitted=True))

    def _path(self, handle: JobHandle, number: int) -> Path:
        return self._store.path.parent / f"{handle.id}-{number}.jsonl"

    # ── how it stands ──

    async def status(self, handle: JobHandle) -> BatchStatus:
        looks = await self._look(handle)
        parts = tuple(part for part, _ in looks)
        counts = BatchCounts()
        for part in parts:
            counts = counts + part.counts
        status = BatchStatus(
            id=handle.id,
            provider=handle.provider,
            state=join_states([part.state for part in parts]),
            counts=counts,
            parts=parts,
            look_again=min((_asked_wait(reply) for _, reply in looks), default=LOOK_SECONDS),
        )
        self._looked = handle.id, time.monotonic(), looks
        noted: JobStatus = _NOTED.get(status.state, status.state)  # type: ignore[arg-type]
        await to_thread(self._store.note, handle.id, noted, progress=status.progress, error=join_errors(parts))
        return status

    async def _look(self, handle: JobHandle) -> list[Look]:
        parts = read_progress(handle).parts
        return list(await gather(*(self._look_at(handle, number, part) for number, part in enumerate(parts))))

    async def _look_at(self, handle: JobHandle, number: int, part: Part) -> Look:
        over = self._over.setdefault(handle.id, {})
        if number in over:
            return over[number]
        if not part.submitted or part.state is None:
            state: BatchState = "in_doubt" if part.in_doubt else "failed" if part.error else "running"
            failed = part.count if state == "failed" else 0
            counts = BatchCounts(total=part.count, failed=failed)
            return BatchPart(id="", state=state, counts=counts, error=part.error), None

        reply = await ask_once(self.codec, self.codec.build_look(part.state), lambda reply: reply, self.connection)
        found = self.codec.parse_look(reply)
        found = msgspec.structs.replace(found, counts=fill_counts(found, part.count))
        if found.state != "running":
            over[number] = found, reply
        return found, reply

    async def cancel(self, handle: JobHandle) -> BatchStatus:
        failure: BetterAIError | None = None
        looks = await self._look(handle)
        for part, (look, _) in zip(read_progress(handle).parts, looks, strict=True):
            request = self.codec.cancel(part.state) if look.state == "running" and part.state is not None else None
            if request is not None:
                try:
                    await ask_once(self.codec, request, lambda reply: None, self.connection)
                except BetterAIError as error:
                    failure = error
        if failure is not None:
            raise failure
        return await self.status(handle)

    # ── answers ──

    async def results(self, handle: JobHandle, seen: Set[str] = frozenset()) -> AsyncGenerator[BatchLine, None]:
        progress = read_progress(handle)
        planner = self._planner(progress.category)
        reads = getattr(self.codec, "reads", {})
        reader = AnswerReader(planner, self.connection, progress.category, reads, self._types)
        lost = 0
        of, when, looks = self._looked
        if of != handle.id or time.monotonic() - when > FRESH_SECONDS:
            looks = await self._look(handle)
        for number, (look, reply) in enumerate(looks):
            part = progress.parts[number]
            if look.state == "running" and not getattr(self.codec, "partial", False):
                continue
            ids = set(await to_thread(self._store.line_ids, handle.id, number))
            if ids and ids <= seen:
                continue
            answered: set[str] = set()
            if reply is not None and part.state is not None:
                portions = self._fetch(part.state, reply)
                try:
                    async for portion in portions:
                        kept = await to_thread(self._store.lines, handle.id, [answer.id for answer in portion])
                        for answer in portion:
                            if answer.id not in answered:
                                answered.add(answer.id)
                                yield reader.read(answer, self._read_line(handle, part, kept.get(answer.id)))
                finally:
                    await portions.aclose()
            if look.state != "running":
                for id in ids - answered:
                    yield make_line(handle, look, part, id)
                lost += max(part.count - len(answered | ids), 0)
        if lost:
            raise ProviderError(
                f"the provider gave nothing for {lost} lines, and the store does not know which they are",
                code="line_missing", provider=handle.provider, model=handle.model,
                hint="read the results where the batch was submitted",
            )  # fmt: skip

    async def _fetch(self, state: Mapping[str, Any], look: WireResponse) -> AsyncGenerator[list[BatchAnswer], None]:
        """The answers of a part, some at once: what is kept of their lines is looked up together."""
        portion: list[BatchAnswer] = []
        job = self.codec.fetch(state, look)
        files: list[Path] = []
        reply: WireResponse | None = None
        try:
            while True:
                try:
                    step = job.send(reply)
                except StopIteration:
                    if portion:
                        yield portion
                    return
                reply = None
                if isinstance(step, WireRequest):
                    reply = await ask_once(self.codec, step, lambda found: found, self.connection)
                    if isinstance(reply.body, Path):
                        files.append(reply.body)
                else:
                    portion.append(step)
                    if len(portion) == PORTION:
                        yield portion
                        portion = []
        finally:
            job.close()
            for path in files:
                with suppress(OSError):
                    path.unlink()

    def _read_line(self, handle: JobHandle, part: Part, kept: bytes | None) -> StoredLine:
        if kept is not None:
            return msgspec.json.decode(kept, type=StoredLine)
        carried = self.codec.carries[read_progress(handle).category]
        protocol = next((name for name, target in carried.items() if target == part.target), next(iter(carried)))
        return StoredLine(model=part.model, protocol=protocol, settings={})

    def _planner(self, category: Category) -> LinePlanner:
        planner = self._planners.get(category)
        if planner is None:
            planner = LinePlanner(self.provider, self.codec, self._config, category, self._transport)
            self._planners[category] = planner
        return planner


def _asked_wait(reply: WireResponse | None) -> float:
    """Seconds until the next look, as the provider asks for them."""
    asked = parse_retry_after(reply.headers) if reply is not None else None
    return LOOK_SECONDS if asked is None else min(asked, LONGEST_SECONDS)
