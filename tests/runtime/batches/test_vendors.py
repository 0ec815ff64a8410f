"""Batches at vendors: what is sent, how it stands, and what comes of each line, over doubles of all of them."""

from __future__ import annotations

import asyncio
import os
import tracemalloc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

import betterai
from betterai import BatchLimits, BatchRequest, GenerationSettings, ProviderResponse
from betterai.runtime.batches.endpoint.provider import CodecBatchProvider
from betterai.runtime.registry import get_provider
from betterai.wire.batches import BatchSteps
from betterai.wire.openai_batches import OpenAIBatches
from doubles.batches import KEY
from runtime.batches.services import ALL, serving

EACH = pytest.mark.parametrize("name", ALL)
ONE_OF_EACH = ("openai", "azure", "groq", "mistral", "anthropic", "google", "xai")
VENDORS = pytest.mark.parametrize("name", ONE_OF_EACH)
ENDS = [
    (name, end)
    for name in ONE_OF_EACH
    for end in ("failed", "expired", "cancelled", "done")
    if name != "xai" or end in ("cancelled", "done")
]
"""How a batch ends as a whole: xAI has no word for two of them."""
WORDS = {"a": "Hello", "b": "fail", "c": "lose", "d": "expire", "e": "cancel", "f": "Bye"}


@EACH
async def test_j2_each_line_ends_as_it_ended_and_totals_are_their_sum(name: str, tmp_path: Path) -> None:
    async with serving(name, tmp_path) as (client, service, model, store):
        service.words = ["a word that nobody knows", "in_progress"]
        batch = await client.batches.submit(model, WORDS, store=store, max_tokens=50)
        looks: list[betterai.BatchStatus] = []
        lines = {line.id: line async for line in batch.results(on_progress=looks.append)}
        assert [look.state for look in looks[:2]] == ["running", "running"]
        assert looks[-1].over
        assert sorted(lines) == sorted(WORDS)
        response = lines["a"].unwrap()
        assert isinstance(response, ProviderResponse)
        assert response.content == "re: Hello"
        assert response.usage is not None
        assert (response.usage.input_tokens, response.usage.output_tokens) == (10, 5)
        assert lines["b"].state == "failed"
        assert isinstance(lines["b"].error, betterai.ProviderError)
        assert "that is wrong" in str(lines["b"].error)
        assert lines["c"].state in ("missing", looks[-1].state)
        expected = {"expire": "expired", "cancel": "cancelled"}
        for id, word in (("d", "expire"), ("e", "cancel")):
            if word in ALL[name].states:
                assert lines[id].state == expected[word]
            assert lines[id].error is not None
        answered = [line for line in lines.values() if line.response is not None]
        assert [line.id for line in answered] == ["f", "a"], "they come as they come"
        assert batch.totals.usage is not None
        assert batch.totals.usage.total_tokens == sum(line.response.usage.total_tokens for line in answered) == 30
        costs = [line.cost.amount for line in answered if line.cost is not None]
        assert batch.totals.cost.amount == sum(costs, Decimal(0)) > 0
        assert batch.totals.counts.total == 6
        assert looks[-1].counts.total == 6
        assert not left_in(tmp_path), "what was uploaded is not kept"


@pytest.mark.parametrize(("name", "end"), ENDS)
async def test_j2_a_batch_without_any_answer_is_no_crash(name: str, end: str, tmp_path: Path) -> None:
    words = {"failed": "lose", "expired": "expire", "cancelled": "cancel", "done": "fail"}
    async with serving(name, tmp_path) as (client, service, model, store):
        service.end = end
        batch = await client.batches.submit(model, dict.fromkeys("abc", words[end]), store=store)
        if end == "cancelled":
            service.words = ["in_progress"]
            assert (await batch.cancel()).over
        lines = await batch.collect()
        states = {line.state for line in lines.values()}
        assert len(lines) == 3
        assert all(line.error is not None and line.response is None for line in lines.values())
        if not (name == "anthropic" and end == "failed"):
            assert states == {{"done": "failed"}.get(end, end)}
        if end == "failed" and name != "anthropic":
            assert "line 1 is bad" in str(lines["a"].error)
        assert batch.totals.cost.amount == 0
        assert batch.totals.usage is None


@VENDORS
async def test_j1_a_handle_goes_on_elsewhere_and_belongs_to_its_account(name: str, tmp_path: Path) -> None:
    async with serving(name, tmp_path) as (client, _, model, store):
        batch = await client.batches.submit(model, {"a": "Hello", "b": "lose"}, store=store)
        assert "http" not in batch.handle
        again = client.batches.resume(batch.handle, store=None)
        results = again.results()
        line = await anext(results)
        assert (line.id, line.unwrap().content) == ("a", "re: Hello")
        with pytest.raises(betterai.ProviderError, match="nothing for 1 lines") as caught:
            await anext(results)
        assert caught.value.code == "line_missing"
        assert {line.id for line in (await client.batches.resume(batch.id, store=store).collect()).values()} == {
            "a",
            "b",
        }
        other = betterai.CoreConfig(api_key="another", base_url=client.config.base_url, settings=client.config.settings)
        with pytest.raises(betterai.ConfigurationError, match="another account"):
            await client.batches.resume(batch.handle, config=other, store=store).status()


@VENDORS
async def test_j2_a_submit_that_was_not_answered_is_found_again_or_in_doubt(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(BatchSteps, "settle_seconds", 0.01)
    async with serving(name, tmp_path) as (client, service, model, store):
        service.lose_submit = "after"
        batch = await client.batches.submit(model, {"a": "Hello"}, store=store)
        status = await batch.wait()
        if ALL[name].named:
            assert (status.state, (await batch.collect())["a"].state) == ("done", "succeeded")
        else:
            assert status.state == "in_doubt"
            line = (await batch.collect())["a"]
            assert line.state == "in_doubt"
            assert isinstance(line.error, betterai.JobInDoubt)
            assert len(service.batches) == 1, "nothing is sent twice"
            assert (await client.batches.resume(batch.id, store=store).wait()).state == "in_doubt"
            again = client.batches.resume(batch.handle, store=None, retry_in_doubt=True)
            assert (await again.wait()).state == "in_doubt", "its lines are not here: it cannot be sent once more"
            again = client.batches.resume(batch.id, store=store, retry_in_doubt=True)
            looks = await asyncio.gather(again.wait(), again.status(), again.wait())
            assert ({look.state for look in looks}, len(service.batches)) == ({"done"}, 2)
        service.lose_submit = "before"
        lost = await client.batches.submit(model, {"a": "Hello"}, store=store)
        assert (await lost.wait()).state == "in_doubt"
        assert (await lost.collect())["a"].state == "in_doubt"
        service.lose_submit = "cut"
        taken = await client.batches.submit(model, {"a": "Hello"}, store=store)
        assert (await taken.wait()).state == ("done" if ALL[name].named else "in_doubt")


def left_in(folder: Path) -> list[str]:
    return [name for name in os.listdir(folder) if name.endswith(".jsonl")]


class SmallBatches(OpenAIBatches):
    """So that eight lines are several batches."""

    limits = BatchLimits(requests=3, bytes=700, id_length=20, one_model=True)


@asynccontextmanager
async def small(folder: Path) -> AsyncIterator[tuple[CodecBatchProvider, Any, str]]:
    """A provider that takes little at once."""
    async with serving("openai", folder) as (client, service, model, store):
        declared = replace(get_provider("openai"), protocols={**get_provider("openai").protocols})
        config = replace(client.config, model=model)
        yield (
            CodecBatchProvider(declared, SmallBatches(), config, protocol="openai_batches", store=store),
            service,
            model,
        )


async def eight() -> AsyncIterator[BatchRequest]:
    for number in range(8):
        text = "x" * 200 if number in (3, 4) else f"line {number}"
        yield BatchRequest(id=str(number), input=text, model="gpt-4.1-mini" if number == 7 else "")


async def test_lines_are_split_by_what_a_vendor_takes_and_read_as_one(tmp_path: Path) -> None:
    async with small(tmp_path) as (provider, service, model):
        service.refuse = [0, 400, 0, 0]
        handle = await provider.submit(eight(), model)
        assert handle.state is not None
        assert [part["count"] for part in handle.state["parts"]] == [3, 2, 2, 1]
        assert service.batches["batch_3"]["lines"][0]["body"]["model"] == "gpt-4.1-mini"
        status = await provider.status(handle)
        assert (status.state, status.counts.total, status.counts.failed) == ("done", 8, 2)
        lines = {line.id: line async for line in provider.results(handle)}
        assert sorted(lines) == sorted(map(str, range(8)))
        assert {id for id, line in lines.items() if line.state == "failed"} == {"3", "4"}
        assert isinstance(lines["3"].error, betterai.ProviderError)
        assert lines["3"].error.code == "no"
        handle = await provider.resume(handle, retry_in_doubt=True)
        assert len(service.submitted) == 3, "what was refused is in no doubt"
        downloads = [request for request in service.requests if request.endswith("/content")]
        assert [line.id async for line in provider.results(handle, set(lines))] == []
        assert [request for request in service.requests if request.endswith("/content")] == downloads, "read once"


async def test_j2_a_part_in_doubt_leaves_the_others_alone_and_is_sent_again_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(BatchSteps, "settle_seconds", 0.01)
    async with small(tmp_path) as (provider, service, model):
        service.lose_submit = "before"
        handle = await provider.submit(eight(), model)
        status = await provider.status(handle)
        assert [part.state for part in status.parts] == ["in_doubt", "done", "done", "done"]
        assert status.state == "in_doubt"
        lines = {line.id: line async for line in provider.results(handle)}
        assert {id for id, line in lines.items() if line.state == "in_doubt"} == {"0", "1", "2"}
        assert isinstance(lines["0"].error, betterai.JobInDoubt)
        assert len(left_in(tmp_path)) == 1, "what is to be sent again is kept"
        handle = await provider.resume(handle, retry_in_doubt=True)
        assert {line.state async for line in provider.results(handle)} == {"succeeded"}
        assert (len(service.submitted), left_in(tmp_path)) == (4, [])


async def test_where_nothing_is_taken_the_submit_raises_and_nothing_stays(tmp_path: Path) -> None:
    async with small(tmp_path) as (provider, service, model):
        service.refuse = [401] * 8
        with pytest.raises(betterai.AuthenticationError):
            await provider.submit(eight(), model)
        assert (service.uploads, service.batches) == (4, {})
        assert not left_in(tmp_path)


async def test_what_is_wrong_is_said_before_anything_is_sent_and_names_the_line(tmp_path: Path) -> None:
    async with serving("openai", tmp_path) as (client, service, model, store):
        submit = client.batches.submit
        lost = betterai.MediaPart(media=betterai.Media(kind="image", path=str(tmp_path / "lost.png")))
        wrong: list[tuple[BatchRequest, str]] = [
            (BatchRequest(id="b", input=[]), "at least one"),
            (BatchRequest(id="b", input="x", model="anthropic/claude-haiku-4-5"), "another provider"),
            (BatchRequest(id="b", input="x", settings=GenerationSettings(extra_headers={"X-Y": "1"})), "has no X-Y"),
            (BatchRequest(id="b", input="x", settings=GenerationSettings(extra_query={"y": "1"})), "has no y"),
            (BatchRequest(id="b", input=betterai.Message(role="user", parts=(lost,))), "cannot read"),
        ]
        for request, said in wrong:
            with pytest.raises(betterai.ValidationError, match=f"line 'b'.*{said}"):
                await submit(model, [BatchRequest(id="a", input="x"), request], store=store)
        config = replace(client.config, unsupported="raise")
        with pytest.raises(betterai.UnsupportedParam, match="line 'a'"):
            await submit(model, {"a": "x"}, store=store, config=config, top_k=3)
        with pytest.raises(betterai.ConfigurationError, match="carry no"):
            await submit("groq/openai/gpt-oss-120b", {"a": ["x"]}, category="embeddings", store=store)
        assert service.requests == []
        assert not left_in(tmp_path)
        assert store is not None
        assert store.line_ids("") == []
    async with serving("anthropic", tmp_path) as (client, service, model, store):
        for id, said in (("x" * 65, "has 65 letters"), ("a/b", "must match"), ("", "not empty")):
            with pytest.raises(betterai.ValidationError, match=said):
                await client.batches.submit(model, {id: "x"}, store=store)
        assert service.requests == []


async def test_s4_a_lines_warnings_come_back_on_it_and_its_types_too(tmp_path: Path) -> None:
    async with serving("openai-chat", tmp_path) as (client, service, model, store):
        said = [
            BatchRequest(id="a", input="1", settings=GenerationSettings(response_format=Numbered)),
            BatchRequest(id="b", input="fail", settings=GenerationSettings(top_k=3)),
        ]
        batch = await client.batches.submit(model, said, store=store, metadata={"for": "all"})
        (body,) = [line["body"] for line in service.batches["batch_1"]["lines"] if line["custom_id"] == "a"]
        assert body["response_format"]["type"] == "json_schema"
        assert body["metadata"] == {"for": "all"}
        lines = await batch.collect()
        assert isinstance(lines["a"].error, betterai.OutputInvalidError)
        assert lines["a"].usage is not None, "it was answered, and it costs"
        assert "top_k" in [warning.field for warning in lines["b"].warnings]


class Numbered(msgspec.Struct):
    number: int


async def test_j2_answers_are_read_as_the_types_that_were_asked_for_in_another_process_too(tmp_path: Path) -> None:
    async with serving("anthropic", tmp_path) as (client, service, model, store):
        service.say = lambda text: '{"number": 7}'
        settings = GenerationSettings(response_format=Numbered)
        batch = await client.batches.submit(model, {"a": "which?"}, store=store, settings=settings)
        assert (await batch.collect())["a"].unwrap().parsed == Numbered(number=7)
        again = client.batches.resume(batch.id, store=store)
        assert (await again.collect())["a"].unwrap().parsed == {"number": 7}
        typed = client.batches.resume(batch.id, store=store, types=[Numbered])
        assert (await typed.collect())["a"].unwrap().parsed == Numbered(number=7)


@pytest.mark.parametrize("name", ["openai", "google", "azure", "mistral"])
async def test_embeddings_are_lines_too(name: str, tmp_path: Path) -> None:
    models = {
        "openai": "openai/text-embedding-3-small", "google": "google/gemini-embedding-001",
        "azure": "azure/text-embedding-3-small", "mistral": "mistral/mistral-embed",
    }  # fmt: skip
    async with serving(name, tmp_path) as (client, _, _, store):
        with pytest.raises(betterai.ValidationError, match="not bytes"):
            await client.batches.submit(models[name], {"a": b"Hello"}, store=store, category="embeddings")
        lines = await (
            await client.batches.submit(models[name], {"a": "Hello"}, store=store, category="embeddings")
        ).collect()
        response = lines["a"].unwrap()
        assert isinstance(response, betterai.EmbeddingResponse)
        assert response.vectors == ((0.5, 0.25),)
        assert response.usage is not None
        assert response.usage.input_tokens == 3


async def test_anthropics_headers_are_those_of_the_whole_batch(tmp_path: Path) -> None:
    """Sampling wants an older version of the protocol: such lines are another batch."""
    async with serving("anthropic", tmp_path) as (client, service, model, store):
        hot = GenerationSettings(temperature=0.5)
        requests = [BatchRequest(id="a", input="x"), BatchRequest(id="b", input="x", settings=hot)]
        batch = await client.batches.submit(model, requests, store=store)
        versions = [headers["anthropic-version"] for headers in service.headers]
        assert len(set(versions)) == len(versions) == 2
        assert {line.state for line in (await batch.collect()).values()} == {"succeeded"}


async def test_azure_looks_through_a_file_before_it_takes_it(tmp_path: Path) -> None:
    async with serving("azure-dated", tmp_path) as (client, service, model, store):
        service.file_words = ["uploaded", "pending", "processed"]
        batch = await client.batches.submit(model, {"a": "Hello"}, store=store)
        looks = [request for request in service.requests if request.startswith("GET /openai/files/")]
        assert len(looks) == 2
        assert (await batch.collect())["a"].state == "succeeded"
        service.file_words = ["uploaded", "error"]
        with pytest.raises(betterai.ProviderError, match="was not taken"):
            await client.batches.submit(model, {"a": "Hello"}, store=store)


async def test_j2_a_line_costs_what_batches_cost_and_stores_no_secret(tmp_path: Path) -> None:
    async with serving("openai", tmp_path) as (client, _, _, store):
        batch = await client.batches.submit("openai/gpt-5-nano", {"a": "Hello"}, store=store)
        line = (await batch.collect())["a"]
        price = betterai.ALL_MODELS["openai/gpt-5-nano"].price
        assert price is not None
        assert line.usage is not None
        cost, plain = betterai.price_usage(line.usage, price, "batch"), betterai.price_usage(line.usage, price)
        assert line.cost == cost
        assert cost.amount is not None
        assert plain.amount is not None
        assert (cost.status, cost.amount * 2) == ("exact", plain.amount)
        written = b"".join((tmp_path / name).read_bytes() for name in os.listdir(tmp_path))
        assert KEY.encode() not in written
        assert KEY not in repr((batch, line, batch.handle, batch.last_status))


async def test_results_are_read_from_disk_and_never_all_held(tmp_path: Path) -> None:
    """Of 6 MB of answers no more than a few portions are in memory."""
    async with serving("openai", tmp_path) as (client, service, model, store):
        service.say = lambda text: "x" * 8000
        batch = await client.batches.submit(model, {str(number): "Hello" for number in range(800)}, store=store)
        await batch.status()
        size, count = sum(map(len, service.files.values())), 0
        tracemalloc.start()
        try:
            async for line in batch.results():
                count += line.state == "succeeded"
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert count == 800
    assert size > 6_400_000
    assert peak < 3_000_000


async def test_who_waits_is_not_disturbed_by_looks_that_go_wrong_for_a_while(tmp_path: Path) -> None:
    async with serving("openai", tmp_path) as (client, service, model, store):
        batch = await client.batches.submit(model, {"a": "Hello"}, store=store)
        service.words = ["in_progress"] * 3
        assert (await batch.status()).state == "running"
        service.failing = 7  # two looks of three attempts each, and one attempt more
        assert (await batch.wait()).state == "done"
        service.batches["batch_1"]["status"] = "validating"
        again = client.batches.resume(batch.id, store=store)
        service.words = ["in_progress"] * 3
        assert (await again.status()).state == "running"
        service.failing = 1000
        with pytest.raises(betterai.OverloadedError):
            await again.wait()
        with pytest.raises(betterai.OverloadedError):
            await anext(again.results(wait=False))


async def test_j2_what_shows_up_later_is_found_and_not_sent_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(BatchSteps, "settle_seconds", 0.01)
    async with serving("openai", tmp_path) as (client, service, model, store):
        service.lose_submit, service.hides = "after", True
        batch = await client.batches.submit(model, {"a": "Hello"}, store=store)
        assert (await batch.status()).state == "in_doubt"
        service.hides = False
        again = client.batches.resume(batch.id, store=store, retry_in_doubt=True)
        assert (await again.collect())["a"].state == "succeeded"
        assert len(service.submitted) == 1
