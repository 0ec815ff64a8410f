"""The files of a batch: its lines written into as many as the provider takes at once, ready to be submitted."""

from __future__ import annotations

from asyncio import to_thread
from collections.abc import AsyncIterable, Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

import msgspec

from betterai.core.batches import BatchRequest
from betterai.core.codec import BatchCodec
from betterai.core.data import Data
from betterai.core.exceptions import ValidationError
from betterai.core.wire import WireRequest
from betterai.runtime.batches.endpoint.lines import LinePlanner
from betterai.runtime.batches.requests import LineCheck, naming_line
from betterai.runtime.connection import Connection


class PartFile(Data, frozen=True, kw_only=True):
    """One part of a batch in a file, ready to be submitted."""

    model: str
    target: str
    headers: Mapping[str, str]
    count: int
    size: int


class PartWriter:
    """Writes lines into files, one for each part: another one where a limit is reached, or where the model, the
    endpoint or the headers are other ones.
    """

    def __init__(self, codec: BatchCodec, folder: Path, name: str, title: str) -> None:
        self._codec = codec
        self._folder = folder
        self._name = name
        self._title = title
        self._open: dict[tuple[Any, ...], int] = {}
        self._files: dict[int, IO[bytes]] = {}
        self.parts: list[PartFile] = []

    def write(self, id: str, request: WireRequest, model: str, target: str) -> int:
        """The number of the part that the line went to. Raises `ValidationError`."""
        codec, limits = self._codec, self._codec.limits
        line = codec.build_line(id, request, target)
        before, between, after = codec.frame
        around = len(before) + len(after)
        if limits.bytes is not None and len(line) + around > limits.bytes:
            raise ValidationError(f"it has {len(line)} bytes, and {self._title} takes at most {limits.bytes}")
        headers = codec.shared_headers(request)
        key = (model if limits.one_model else "", target, *sorted(headers.items()))
        number = self._open.get(key)
        if number is not None:
            part = self.parts[number]
            size = part.size + len(between) + len(line)
            if part.count >= (limits.requests or part.count + 1) or size > (limits.bytes or size):
                self._close(number)
                number = None
        if number is None:
            number = self._open[key] = len(self.parts)
            self._files[number] = open(self.path(number), "wb")  # noqa: SIM115 - closed by `finish` or `discard`
            self._files[number].write(before + line)
            self.parts.append(PartFile(model=model, target=target, headers=headers, count=1, size=around + len(line)))
        else:
            self._files[number].write(between + line)
            part = self.parts[number]
            self.parts[number] = msgspec.structs.replace(
                part, count=part.count + 1, size=part.size + len(between) + len(line)
            )
        return number

    def path(self, number: int) -> Path:
        return self._folder / f"{self._name}-{number}.jsonl"

    def finish(self) -> None:
        for number in tuple(self._files):
            self._close(number)

    def _close(self, number: int) -> None:
        with self._files.pop(number) as file:
            file.write(self._codec.frame[2])

    def discard(self) -> None:
        """Nothing of it is to be submitted."""
        for file in self._files.values():
            file.close()
        self._files.clear()
        for number in range(len(self.parts)):
            with suppress(OSError):
                self.path(number).unlink()


STORED_AT_ONCE = 500

KeepLines = Callable[[list[tuple[str, int, bytes]]], None]


async def write_lines(
    requests: AsyncIterable[BatchRequest],
    model: str,
    planner: LinePlanner,
    writer: PartWriter,
    codec: BatchCodec,
    connection: Connection,
    keep: KeepLines,
) -> int:
    """Check all requests and write them into files; how many there are. Raises `ValidationError` naming the line."""
    title = connection.provider.title or connection.provider.name
    check, kept = LineCheck(codec.limits, title), []
    async for request in requests:
        check.check(request.id)
        with naming_line(request.id):
            stored, wire, id = await planner.plan(request, model)
            number = writer.write(request.id, wire, id, planner.target(stored))
            kept.append((request.id, number, msgspec.json.encode(stored)))
        if len(kept) >= STORED_AT_ONCE:
            await to_thread(keep, kept)
            kept = []
    total = check.finish()
    await to_thread(keep, kept)
    writer.finish()
    return total
