"""The lines of a batch, made ready: each as a plain call is sent, in files of the size that the provider takes."""

from __future__ import annotations

from asyncio import to_thread
from collections.abc import AsyncIterable, Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, TypeVar

import msgspec

from betterai.config.providers import ALL_MODELS
from betterai.core.batches import BatchRequest
from betterai.core.codec import BatchCodec
from betterai.core.config import CoreConfig
from betterai.core.data import Data
from betterai.core.exceptions import BetterAIError, ConfigurationError, UnsupportedParam, ValidationError
from betterai.core.model import Category, ModelConfig
from betterai.core.provider import Provider
from betterai.core.response import CallWarning
from betterai.core.settings import CallSettings
from betterai.core.wire import WireRequest
from betterai.runtime.batch_requests import SETTINGS, LineCheck
from betterai.runtime.connection import Connection, TransportSource
from betterai.runtime.factory import find_provider
from betterai.runtime.packing import pack_settings, unpack_settings
from betterai.runtime.registry import choose_protocol, provider_names, resolve_model

E = TypeVar("E", bound=BetterAIError)


class StoredLine(Data, frozen=True, kw_only=True):
    """What is kept of a line, to read its answer by: its model, protocol and settings, and how many inputs it had."""

    model: str
    protocol: str
    settings: Mapping[str, Any]
    inputs: int = 1
    warnings: tuple[CallWarning, ...] = ()

    def read_settings(self, category: Category) -> CallSettings:
        return SETTINGS[category](**unpack_settings(self.settings))


class PartFile(Data, frozen=True, kw_only=True):
    """One part of a batch in a file, ready to be submitted."""

    model: str
    target: str
    headers: Mapping[str, str]
    count: int
    size: int


class LinePlanner:
    """Makes a request into the one that a plain call would send. Each model may be asked over a protocol of its own."""

    def __init__(
        self,
        provider: Provider,
        codec: BatchCodec,
        config: CoreConfig,
        category: Category,
        transport: TransportSource | None,
    ) -> None:
        self._provider = provider
        self._codec = codec
        self._config = config
        self._category = category
        self._transport = transport
        self._runners: dict[str, tuple[Any, ModelConfig]] = {}
        self.parsers: dict[bytes, Callable[[str], Any]] = {}
        """How to read answers as the types that they were asked for, by schema."""

    async def plan(self, request: BatchRequest, model: str) -> tuple[StoredLine, WireRequest, str]:
        """What to keep of the line, its request, and the model's id. Raises `ValidationError`."""
        runner, found = self.find(request.model or model)
        settings: Any = request.settings if request.settings is not None else SETTINGS[self._category]()
        given = request.input
        if self._category in ("embeddings", "moderation"):
            given = (given,) if isinstance(given, str) else tuple(given)
        plan = await runner.plan(given, found.id, settings)
        if plan.request is None or plan.codec.protocol not in self._codec.carries[self._category]:
            raise UnsupportedParam(f"the batches of {self._provider.title} do not carry {plan.codec.protocol}")
        parse = getattr(plan, "parse", None)
        if parse is not None:
            self.parsers[schema_key(plan.call.settings)] = parse
        kept = StoredLine(
            model=found.id,
            protocol=plan.codec.protocol,
            settings=pack_settings(plan.call.settings),
            inputs=len(plan.call.input) if self._category != "text" and not isinstance(plan.call.input, str) else 1,
            warnings=plan.request.warnings,
        )
        return kept, plan.request, found.id

    def find(self, name: str) -> tuple[Any, ModelConfig]:
        """The runner and the model behind a name. Raises `ValidationError` for a model of another provider."""
        known = self._runners.get(name)
        if known is not None:
            return known
        own = f"{self._provider.name}/"
        key = name if name.startswith(own) else f"{own}{name}"
        whose = name.partition("/")[0]
        if ALL_MODELS.find(key) is None and whose != self._provider.name and whose in provider_names():
            raise ValidationError(
                f"{name} is a model of another provider than the batch's", hint="make a batch for each provider"
            )
        model = resolve_model(key, self._category)
        config = msgspec.structs.replace(self._config, model=model.key, protocol=self._choose(model))
        runner, found, _ = find_provider(self._category, config, transport=self._transport)
        self._runners[name] = runner, found
        return runner, found

    def target(self, line: StoredLine) -> str:
        """The endpoint that a line is for."""
        return self._codec.carries[self._category][line.protocol]

    def _choose(self, model: ModelConfig) -> str:
        """The protocol to force: "" where the model's own one is carried."""
        carried = self._codec.carries.get(self._category)
        if not carried:
            raise ConfigurationError(
                f"the batches of {self._provider.title} carry no {self._category}",
                hint=f"they carry {', '.join(self._codec.carries)}",
                provider=self._provider.name,
            )
        wanted = self._config.protocol if self._config.protocol in carried else ""
        own = choose_protocol(self._provider, self._category, model, wanted)
        if own.protocol in carried:
            return wanted
        return next(name for name in carried if name in self._provider.protocols[self._category])


def schema_key(settings: CallSettings) -> bytes:
    """What tells two response formats apart."""
    try:
        return msgspec.json.encode(settings.given().get("response_format"))
    except (TypeError, ValueError):
        return b""


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
        try:
            stored, wire, id = await planner.plan(request, model)
            number = writer.write(request.id, wire, id, planner.target(stored))
            kept.append((request.id, number, msgspec.json.encode(stored)))
        except BetterAIError as error:
            raise name_line(error, request.id) from error.__cause__
        if len(kept) >= STORED_AT_ONCE:
            await to_thread(keep, kept)
            kept = []
    total = check.finish()
    await to_thread(keep, kept)
    writer.finish()
    return total


def name_line(error: E, id: str) -> E:
    """The error with the line that it is about."""
    error.message = f"line {id!r}: {error.message}"
    return error
