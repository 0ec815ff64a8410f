"""The interface of batches, shown by a provider that is a class: what a runner behind it has to do, and no more."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Iterator, Set
from decimal import Decimal
from pathlib import Path
from typing import ClassVar

import pytest

import betterai
from betterai import (
    BaseBatchProvider,
    BatchCounts,
    BatchLine,
    BatchRequest,
    BatchStatus,
    Cost,
    GenerationSettings,
    JobHandle,
    ProviderResponse,
    Usage,
    ValidationError,
)
from betterai.core.batches import make_line_error
from betterai.core.model import Category
from betterai.runtime.batches.requests import LineCheck, dump_request, load_request
from betterai.runtime.registry import _registered


class EchoBatches(BaseBatchProvider):
    """Answers each line with what it was asked, while somebody waits. Its memory stands for a database."""

    kept: ClassVar[dict[str, dict[str, BatchRequest]]] = {}
    done: ClassVar[dict[str, dict[str, BatchLine]]] = {}
    resumed: ClassVar[list[bool]] = []

    def __init__(self, api_key: str = "") -> None:
        self.key = api_key

    async def submit(self, requests: AsyncIterable[BatchRequest], model: str, category: Category = "text") -> JobHandle:
        check, lines = LineCheck(self.limits, "Echo"), {}
        async for request in requests:
            check.check(request.id)
            lines[request.id] = request
        check.finish()
        id = f"batch-{len(self.kept)}"
        self.kept[id], self.done[id] = lines, {}
        return JobHandle(id=id, provider="echo", model=model, category="batch", protocol="class", account="")

    async def resume(self, handle: JobHandle, *, retry_in_doubt: bool = False) -> JobHandle:
        self.resumed.append(retry_in_doubt)
        return handle

    async def work(self, handle: JobHandle) -> None:
        for id, request in self.kept[handle.id].items():
            await asyncio.sleep(0)
            if request.input == "break":
                raise ConnectionError("the database is gone")
            self.done[handle.id][id] = self._answer(request)

    def _answer(self, request: BatchRequest) -> BatchLine:
        if request.input == "fail":
            return BatchLine(id=request.id, state="failed", error=make_line_error("failed", "no"))
        assert isinstance(request.settings, GenerationSettings)
        text = f"{request.input} {request.settings.temperature} {request.settings.max_tokens}"
        response = ProviderResponse(
            content=text, usage=Usage(text_in=2, text_out=3), cost=Cost(amount=Decimal(1), status="exact")
        )
        return BatchLine(id=request.id, state="succeeded", response=response)

    async def status(self, handle: JobHandle) -> BatchStatus:
        done, total = self.done[handle.id], len(self.kept[handle.id])
        counts = BatchCounts(total=total, succeeded=len(done))
        state = "done" if len(done) == total else "running"
        return BatchStatus(id=handle.id, provider="echo", state=state, counts=counts, look_again=0.001)

    async def results(self, handle: JobHandle, seen: Set[str] = frozenset()) -> AsyncGenerator[BatchLine, None]:
        for line in list(self.done[handle.id].values()):
            yield line

    async def cancel(self, handle: JobHandle) -> BatchStatus:
        self.kept[handle.id] = {id: self.kept[handle.id][id] for id in self.done[handle.id]}
        return await self.status(handle)


@pytest.fixture
def echo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("BETTERAI_STATE", str(tmp_path))
    betterai.register_batch_provider("echo", EchoBatches)
    yield
    _registered.pop("echo", None)


async def ten() -> AsyncIterator[BatchRequest]:
    for number in range(10):
        own = GenerationSettings(max_tokens=number) if number % 2 else None
        yield BatchRequest(id=str(number), input="fail" if number == 3 else f"line {number}", settings=own)


@pytest.mark.usefixtures("echo")
async def test_j2_lines_come_with_the_callers_ids_and_totals_are_their_sum() -> None:
    batch = await betterai.batches.submit("echo/parrot", ten(), temperature=0.5, max_tokens=7)
    seen: list[float] = []
    lines = {line.id: line async for line in batch.results(on_progress=lambda status: seen.append(status.progress))}
    assert sorted(lines) == sorted(map(str, range(10)))
    assert lines["1"].unwrap().content == "line 1 0.5 1"
    assert lines["2"].unwrap().content == "line 2 0.5 7"
    with pytest.raises(betterai.ProviderError, match="no – submit it again"):
        lines["3"].unwrap()
    assert batch.totals.counts == BatchCounts(total=10, succeeded=9, failed=1)
    assert batch.totals.usage == Usage(text_in=18, text_out=27)
    assert batch.totals.cost.amount == 9
    assert seen[-1] == 1.0
    assert batch.last_status is not None
    assert batch.last_status.over


@pytest.mark.usefixtures("echo")
async def test_j1_a_handle_goes_on_in_another_process() -> None:
    batch = await betterai.batches.submit("echo/parrot", {"a": "one", "b": "two"})
    again = betterai.batches.resume(batch.handle, retry_in_doubt=True)
    assert again.id == batch.id
    assert again.model == "parrot"
    assert set(await again.collect()) == {"a", "b"}
    assert EchoBatches.resumed[-1] is True
    with pytest.raises(ValidationError, match="is no handle, nor an id"):
        betterai.batches.resume("nonsense")


@pytest.mark.usefixtures("echo")
async def test_what_breaks_here_ends_the_waiting_and_cancelling_it_ends_the_work() -> None:
    batch = await betterai.batches.submit("echo/parrot", {"a": "one", "b": "break"})
    with pytest.raises(ConnectionError):
        await batch.wait()
    assert [line.id async for line in batch.results(wait=False)] == ["a"]
    with pytest.raises(ConnectionError):
        await batch.collect()
    assert (await batch.cancel()).state == "done"
    assert (await batch.wait()).state == "done"


@pytest.mark.usefixtures("echo")
async def test_what_is_wrong_with_requests_is_said_before_anything_is_sent() -> None:
    submit = betterai.batches.submit
    with pytest.raises(ValidationError, match="empty"):
        await submit("echo/parrot", {})
    with pytest.raises(ValidationError, match="'a' occurs twice"):
        await submit("echo/parrot", [BatchRequest(id="a", input="x"), BatchRequest(id="a", input="y")])
    with pytest.raises(ValidationError, match="must be a mapping or an iterable"):
        await submit("echo/parrot", "Hello")  # type: ignore[arg-type]
    with pytest.raises(ValidationError, match="a request has no 'temperature'"):
        await submit("echo/parrot", [{"id": "a", "input": "x", "temperature": 0}])  # type: ignore[list-item]
    with pytest.raises(ValidationError, match="settings must be GenerationSettings"):
        await submit("echo/parrot", [BatchRequest(id="a", input="x", settings=betterai.EmbeddingSettings())])


@pytest.mark.usefixtures("echo")
def test_the_sync_face() -> None:
    batch = betterai.sync.batches.submit("echo/parrot", {"a": "one", "b": "two"})
    assert {line.id for line in batch.results()} == {"a", "b"}
    assert batch.totals.counts.succeeded == 2
    again = betterai.sync.batches.resume(batch.handle)
    assert again.wait().state == "done"
    assert again.status().counts.total == 2


def test_a_request_is_stored_and_read_again_without_what_may_be_secret() -> None:
    tools = [
        betterai.Tool(name="look", parameters={"type": "object", "properties": {"$media": {"$ref": "#/x"}}}),
        betterai.ServerTool(type="web", config={"$media": 1}),
    ]
    settings = GenerationSettings(
        tools=tools, reasoning=betterai.ReasoningControl(effort="low"), extra_headers={"X": "key"}, stop=["a"],
        response_format=betterai.JsonSchema(schema={"type": "object"}), options={"echo": {"$media": 1}}, seed=None,
    )  # fmt: skip
    picture = betterai.Media(kind="image", data=b"\0\1", mime_type="image/png")
    history = [betterai.Message.user("see"), betterai.Message(role="user", parts=(betterai.MediaPart(media=picture),))]
    request = BatchRequest(id="a", input=history, model="m", settings=settings)
    stored = dump_request(request)
    assert b"key" not in stored
    read = load_request(stored, "text")
    expected = settings.replace(extra_headers=betterai.core.settings.UNSET)
    assert (read.id, read.model, read.input, read.settings) == ("a", "m", history, expected)
