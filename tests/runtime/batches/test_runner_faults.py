"""What may go wrong while lines are asked one by one: no line is paid twice, none is lost, and every batch ends."""

from __future__ import annotations

import asyncio
import datetime
import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiohttp import web
from hypothesis import given, settings
from hypothesis import strategies as st

import betterai
from betterai import BatchRequest, BatchRunner, BatchStore, CoreConfig, GenerationSettings, ProviderResponse
from betterai.core.batches import BatchLine
from betterai.core.message import MediaPart, Opaque, Text
from betterai.core.response import TokenLogprob
from betterai.core.results import EmbeddingResponse, ImageResponse
from betterai.core.usage import Cost
from betterai.runtime.batches.line_by_line.outcomes import OutcomeReader, dump_error, dump_response
from betterai.runtime.batches.line_by_line.pace import Pace
from betterai.runtime.batches.line_by_line.table import Ended, Line, Outcome
from betterai.runtime.batches.line_by_line.worker import Worker
from doubles.bfl import PNG, FluxService
from runtime.batches.line_service import MODEL, LineService
from runtime.upstream import Upstream


@pytest.fixture
def service() -> Iterator[LineService]:
    with LineService() as made:
        yield made


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "lines.sqlite")


async def submit(url: str, path: str, *lines: str | BatchRequest, model: str = MODEL, **options: Any) -> betterai.Batch:
    requests = [item if isinstance(item, BatchRequest) else BatchRequest(id=item, input=item) for item in lines]
    runner, config = BatchRunner(**{"database": path, "concurrency": 4, **options}), CoreConfig(base_url=url)
    return await betterai.batches.submit(model, requests, runner=runner, config=config, store=None)


async def test_a_line_that_comes_back_into_a_cancelled_batch_is_not_asked_again(
    service: LineService, path: str
) -> None:
    service.hold()
    batch = await submit(service.url, path, "late 1", "late 2", "fine", concurrency=2)
    waiting = asyncio.create_task(batch.wait())
    await service.until(lambda: service.asked.total() == 2)
    await batch.cancel()
    service.release()
    status = await asyncio.wait_for(waiting, 20)
    assert (status.state, status.counts.cancelled, service.asked.total()) == ("cancelled", 3, 2)


async def test_j1_an_answer_that_was_cut_was_paid_for(service: LineService, path: str) -> None:
    found = await (await submit(service.url, path, "cut 1", "fine")).collect()
    assert (found["cut 1"].state, found["fine"].state, service.asked["cut 1"]) == ("in_doubt", "succeeded", 1)


async def draw(url: str, path: str, **options: Any) -> BatchLine:
    config, runner = CoreConfig(base_url=url, api_key="test-key", **options), BatchRunner(database=path)
    batch = await betterai.batches.submit(
        "bfl/flux-2-pro", {"a": "A cat"}, category="image", runner=runner, config=config, store=None
    )
    return (await batch.collect())["a"]


async def test_j1_a_job_of_pictures_is_submitted_once_and_looked_at_until_it_is_ready(path: str) -> None:
    flux, looks = FluxService("test-key", "Ready"), []

    async def answer(request: web.Request) -> web.StreamResponse:
        looks.extend([1] if request.path == "/v1/get_result" else [])
        return web.Response(status=500) if len(looks) == 1 and request.method == "GET" else await flux.handle(request)

    retries = betterai.Retries(base=0.01)
    with Upstream(answer) as upstream:
        line = await draw(upstream.url, path, retries=retries)
    assert line.unwrap().images[0].to_bytes() == PNG
    assert (len(flux.bodies), len(looks)) == (1, 2)


async def test_j1_a_job_that_may_have_been_submitted_is_in_doubt(path: str) -> None:
    async def cut(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    with Upstream(cut) as upstream:
        line = await draw(upstream.url, path)
    assert (line.state, len(upstream.requests)) == ("in_doubt", 1)


async def test_what_a_line_cannot_keep_is_refused(service: LineService, path: str) -> None:
    for name in ("extra_headers", "extra_query"):
        settings = GenerationSettings(**{name: {"x-key": "topsecret"}})
        with pytest.raises(betterai.UnsupportedParam, match=f"line 'a': {name}"):
            await submit(service.url, path, BatchRequest(id="a", input="fine", settings=settings))
    with pytest.raises(betterai.ValidationError, match="another provider"):
        await submit(service.url, path, BatchRequest(id="a", input="fine", model="anthropic/claude-haiku-4-5"))
    assert find_mode(path) & 0o077 == 0  # nobody else reads what is asked


def find_mode(path: str) -> int:
    return Path(path).stat().st_mode


async def test_a_line_may_name_its_provider_again(service: LineService, path: str) -> None:
    batch = await submit(service.url, path, BatchRequest(id="a", input="fine", model="vllm/m-2"))
    assert (await batch.collect())["a"].state == "succeeded"
    assert service.requests[0].body["model"] == "m-2"


async def test_a_line_that_waits_is_not_held_up_by_a_slow_one(service: LineService, path: str) -> None:
    service.hold()
    batch = await submit(service.url, path, "held 1", "broken 1", "lost 1", "fine")
    lines = batch.results()
    given_lines = [await asyncio.wait_for(anext(lines), 20) for _ in range(2)]
    assert {line.id for line in given_lines} == {"broken 1", "fine"}  # what is in doubt may still be answered
    service.release()
    given_lines += [line async for line in lines]
    assert sorted((line.id, line.state) for line in given_lines) == [
        ("broken 1", "succeeded"),
        ("fine", "succeeded"),
        ("held 1", "succeeded"),
        ("lost 1", "in_doubt"),
    ]


async def test_what_the_key_may_not_do_stops_the_work_unless_other_lines_were_answered(
    service: LineService, path: str
) -> None:
    batch = await submit(service.url, path, "fine", "forbidden 1", concurrency=1)
    assert {id: line.state for id, line in (await batch.collect()).items()} == {
        "fine": "succeeded",
        "forbidden 1": "failed",
    }
    batch = await submit(service.url, path, "forbidden 2", attempts=2)
    with pytest.raises(betterai.PermissionDeniedError):
        await batch.wait()
    assert (await batch.status()).counts.running == 1
    assert (await batch.wait()).counts.failed == 1  # and no line stops it for ever


async def test_a_line_that_is_too_large_fails_alone(service: LineService, path: str) -> None:
    found = await (await submit(service.url, path, "large 1", "fine")).collect()
    assert (found["large 1"].state, found["fine"].state) == ("failed", "succeeded")
    assert not any(name.lower() == "set-cookie" for name in found["fine"].unwrap().headers)


async def test_where_nobody_is_lines_stay_queued(path: str) -> None:
    batch = await submit("http://127.0.0.1:1/v1", path, "fine 1", "fine 2", attempts=1)
    with pytest.raises(betterai.APIConnectionError):
        await batch.wait()
    assert (await batch.status()).counts.running == 2


class Odd(betterai.BaseTextProvider):
    """A class whose answers cannot be stored, and whose errors hold half a letter."""

    def __init__(self, api_key: str = "") -> None:
        pass

    async def generate(self, messages: Any, model: str, settings: GenerationSettings) -> ProviderResponse:
        said = messages[-1]["content"]
        if said == "raise":
            raise RuntimeError("half \ud83d")
        return ProviderResponse(content="half \ud83d" if said == "odd" else said.removeprefix("say "))


async def test_lines_of_a_class_have_outcomes_whatever_it_does(path: str) -> None:
    betterai.register_text_provider("oddly", Odd)
    batch = await betterai.batches.submit(
        "oddly/m", {text: text for text in ("odd", "raise", "fine")}, runner=BatchRunner(database=path), store=None
    )
    found = await batch.collect()
    assert found["fine"].unwrap().content == "fine"
    assert (found["odd"].state, found["raise"].state) == ("failed", "failed")
    assert "cannot be stored" in str(found["odd"].error)


class Where(msgspec.Struct):
    """A type of the caller's."""

    place: str
    since: datetime.date


async def test_an_answer_is_the_type_that_it_was_asked_for_where_it_is_known(path: str) -> None:
    betterai.register_text_provider("oddly", Odd)
    said, runner = 'say {"place": "Rome", "since": "2026-01-02"}', BatchRunner(database=path)
    batch = await betterai.batches.submit("oddly/m", {"a": said}, runner=runner, store=None, response_format=Where)
    parsed = []
    for types in ((Where,), ()):
        again = betterai.batches.resume(batch.handle, runner=runner, types=types, store=None)
        parsed.append((await again.collect())["a"].unwrap().parsed)
    assert parsed == [Where("Rome", datetime.date(2026, 1, 2)), {"place": "Rome", "since": "2026-01-02"}]
    parsed = [line.unwrap().parsed async for line in batch.results()]  # as docs/batches.md says: who submitted knows it
    assert parsed == [Where("Rome", datetime.date(2026, 1, 2))]


def test_one_batch_in_two_loops_without_async(service: LineService, path: str) -> None:
    batch = asyncio.run(submit(service.url, path, *(f"fine {number}" for number in range(8))))
    for _ in range(2):
        assert asyncio.run(batch.wait()).state == "done"


class SlowTable:
    """A table that gives its line when it is told to, and keeps what is written."""

    def __init__(self) -> None:
        self.asked, self.told = asyncio.Event(), asyncio.Event()
        self.written: list[Ended] = []

    async def turn(self, batch: str, worker: str, ended: Sequence[Ended], want: int, *rest: Any) -> list[Line]:
        self.written += ended
        if not want:
            return []
        self.asked.set()
        await self.told.wait()
        return [Line(number=0, id="a", request=b"", claim=1, tries=0)]

    async def renew(self, *rest: Any) -> None:
        raise betterai.ConfigurationError("the database is gone")


async def test_a_lease_that_cannot_be_renewed_ends_the_work_and_its_calls() -> None:
    table, left = SlowTable(), asyncio.Event()
    table.told.set()

    async def ask(line: Line, pace: Pace) -> Ended:
        try:
            return await asyncio.Future()
        finally:
            left.set()

    options = BatchRunner(concurrency=1, lease_seconds=0.03)
    with pytest.raises(betterai.ConfigurationError, match="is gone"):
        await asyncio.wait_for(Worker(table, "b", ask, options).run(), 10)  # type: ignore[arg-type]
    assert left.is_set()


async def test_a_line_that_was_taken_while_the_end_was_asked_for_goes_back() -> None:
    table, begun = SlowTable(), []

    async def ask(line: Line, pace: Pace) -> Ended:
        begun.append(line)
        return await asyncio.Future()

    work = asyncio.create_task(Worker(table, "b", ask, BatchRunner(drain_seconds=0)).run())  # type: ignore[arg-type]
    await table.asked.wait()
    work.cancel()
    await asyncio.sleep(0)
    work.cancel()
    table.told.set()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(work, 5)
    assert not begun
    assert [item.state for item in table.written] == ["queued"]


class StuckTable(SlowTable):
    """A table whose second turn does not come back."""

    async def turn(self, batch: str, worker: str, ended: Sequence[Ended], want: int, *rest: Any) -> list[Line]:
        if want and not ended:
            return [Line(number=number, id="a", request=b"", claim=1, tries=0) for number in range(2)]
        if want:
            self.asked.set()
            await self.told.wait()
        self.written += ended
        return []


async def test_j1_an_answer_that_came_is_written_however_soon_somebody_leaves() -> None:
    table = StuckTable()

    async def ask(line: Line, pace: Pace) -> Ended:
        return Ended(line=line, state="succeeded") if line.number == 0 else await asyncio.Future()

    options = BatchRunner(concurrency=2, drain_seconds=0)
    work = asyncio.create_task(Worker(table, "b", ask, options).run())  # type: ignore[arg-type]
    await table.asked.wait()
    async with asyncio.timeout(5):
        while not work.done():
            work.cancel()
            await asyncio.sleep(0)
    assert [(item.line.number, item.state) for item in table.written] == [(0, "succeeded"), (1, "in_doubt")]


def test_a_forgotten_batch_leaves_nothing_in_its_store(tmp_path: Path) -> None:
    store = BatchStore(tmp_path / "batches.sqlite")
    batch = betterai.sync.batches.submit("local/echo", {"a": "a private word"}, runner=BatchRunner(), store=store)
    assert batch.wait().state == "done"
    store.forget(batch.id)
    with closing(sqlite3.connect(store.path)) as database:
        for table in ("betterai_lines", "betterai_batches", "jobs"):
            assert database.execute(f"SELECT COUNT(*) FROM {table}").fetchone() == (0,)


WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
FLOATS = st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(
    st.none() | st.booleans() | FLOATS | WORDS, lambda inner: st.lists(inner) | st.dictionaries(WORDS, inner)
)
OPAQUE = st.builds(
    lambda value, indent: Opaque(protocol="p", data=msgspec.Raw(json.dumps(value, indent=indent).encode())),
    JSON,
    st.sampled_from([None, 2]),  # as received: spaces too
)
PICTURES = st.builds(betterai.Media, kind=st.just("image"), mime_type=st.just("image/png"), data=st.binary(max_size=99))
PARTS = st.one_of(
    st.builds(Text, text=WORDS, opaque=st.none() | OPAQUE),
    st.builds(MediaPart, media=PICTURES),
    st.builds(betterai.ToolCall, id=WORDS, name=WORDS, arguments=WORDS),
)
ANSWERS = st.builds(
    ProviderResponse,
    content=WORDS,
    message=st.none()
    | st.builds(betterai.Message, role=st.just("assistant"), parts=st.lists(PARTS, max_size=4).map(tuple)),
    usage=st.none()
    | st.builds(betterai.Usage, text_in=st.integers(0, 2**40), cached=st.dictionaries(WORDS, st.integers(0))),
    cost=st.none() | st.builds(Cost, amount=st.decimals(0, 10, places=12)),
    logprobs=st.none() | st.lists(st.builds(TokenLogprob, token=WORDS, logprob=FLOATS)).map(tuple),
    headers=st.dictionaries(WORDS, WORDS),
    body=st.binary(max_size=99),
)
RESPONSES = {
    "text": st.builds(
        lambda first, more: msgspec.structs.replace(first, alternatives=more), ANSWERS, st.tuples(ANSWERS)
    ),
    "embeddings": st.builds(EmbeddingResponse, vectors=st.lists(st.lists(FLOATS).map(tuple)).map(tuple)),
    "image": st.builds(ImageResponse, images=st.lists(PICTURES).map(tuple), revised_prompt=WORDS),
}


@pytest.mark.parametrize("category", RESPONSES)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_response_is_stored_as_it_is(category: Any, data: st.DataObject) -> None:
    response = data.draw(RESPONSES[category])
    stored = Outcome(id="a", state="succeeded", outcome=dump_response(response), wanted=None)
    assert OutcomeReader(category).read(stored).response == response


def test_an_error_is_stored_with_what_it_says_and_one_of_another_version_is_still_a_line() -> None:
    error = betterai.UnsupportedParam("no", param="top_k", hint="leave it out", status=422)
    stored = Outcome(id="a", state="failed", outcome=dump_error(error), wanted=None)
    read = OutcomeReader("text").read(stored).error
    assert isinstance(read, betterai.UnsupportedParam)
    assert (read.param, read.hint, read.status) == ("top_k", "leave it out", 422)
    stranger = Outcome(id="a", state="succeeded", outcome=b'{"response": {"content": 1}}', wanted=None)
    assert OutcomeReader("text").read(stranger).state == "failed"


def test_pauses_grow_where_the_provider_does_not_say_how_long_and_end_with_a_success() -> None:
    now = [100.0]
    pace, waits = Pace(8, clock=lambda: now[0]), []
    for _ in range(60):
        pace.slow_down(None)
        waits.append(pace.seconds_left())
        now[0] += waits[-1]
    assert max(waits[:2]) <= 1.0
    assert 10 < max(waits) <= 60
    pace.succeed()
    pace.slow_down(None)
    assert pace.seconds_left() <= 0.5
    now[0] += 60
    pace.succeed(7.0)  # an answer that was the last one that a limit allowed
    assert (pace.room(0), pace.seconds_left()) == (0, 7.0)


@pytest.mark.parametrize(
    "options",
    [
        {"concurrency": 0}, {"concurrency": 1.5}, {"attempts": "5"}, {"lease_seconds": 0}, {"drain_seconds": -1},
        {"lease_seconds": float("inf")}, {"per_minute": float("nan")}, {"per_minute": 0},
    ],
    ids=str,
)  # fmt: skip
async def test_options_that_cannot_be_are_named(options: dict[str, Any], path: str) -> None:
    with pytest.raises(betterai.ValidationError, match=next(iter(options))):
        await submit("http://127.0.0.1:1/v1", path, "fine", **options)


async def test_where_the_lines_are_is_said_without_a_password() -> None:
    for url in ("postgresql://me:topsecret@h/db", "postgresql://h/db?user=me&password=topsecret&x=1"):
        assert "topsecret" not in repr(BatchRunner(database=url))
        assert "h/db" in repr(BatchRunner(database=url))
    with pytest.raises(betterai.ConfigurationError, match="mysql://…") as raised:
        await submit("http://127.0.0.1:1/v1", "mysql://me:topsecret@h/db", "fine")
    assert "topsecret" not in str(raised.value)
