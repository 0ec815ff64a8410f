"""The vendors' own SDKs at the doubles of their batches: they read them, and ask in the same words as we do."""

from __future__ import annotations

import json
from typing import Any

import pytest

from doubles.batches import KEY
from runtime.batches.services import serving

WORDS = {"a": "Hello", "b": "fail", "c": "Bye"}


def asked(service: Any) -> set[str]:
    """Each request once, without the ids that are counted on."""
    return {request.replace("_2", "_1").replace("-2", "-1").replace("b2", "b1") for request in service.requests}


@pytest.mark.parametrize("name", ["openai-chat", "groq"])
async def test_openais_and_groqs_sdks_ask_for_a_batch_as_we_do(name: str) -> None:
    module = pytest.importorskip(name.partition("-")[0], reason="needs betterai[dev]")
    async with serving(name) as (client, service, model, _):
        url = client.config.base_url or client.config.settings["host"]
        make = module.AsyncGroq if name == "groq" else module.AsyncOpenAI
        async with make(api_key=KEY, base_url=url, max_retries=0) as sdk:
            bare = model.partition("/")[2]
            lines = [
                {"custom_id": id, "method": "POST", "url": "/v1/chat/completions",
                 "body": {"model": bare, "messages": [{"role": "user", "content": text}]}}
                for id, text in WORDS.items()
            ]  # fmt: skip
            data = "\n".join(map(json.dumps, lines)).encode()
            file = await sdk.files.create(file=("a.jsonl", data), purpose="batch")
            batch = await sdk.batches.create(
                input_file_id=file.id, endpoint="/v1/chat/completions", completion_window="24h", metadata={"x": "y"}
            )
            assert batch.status == "validating"
            listed = await sdk.batches.list()
            assert [found.id for found in listed.data] == [batch.id]
            service.words = ["cancelling"]
            assert (await sdk.batches.cancel(batch.id)).status == "cancelling"
            service.end = "done"
            batch = await sdk.batches.retrieve(batch.id)
            assert (batch.status, batch.request_counts.completed, batch.request_counts.failed) == ("completed", 2, 1)
            for file_id, ids in ((batch.output_file_id, ["c", "a"]), (batch.error_file_id, ["b"])):
                content = await sdk.files.content(file_id)
                found = await content.read() if hasattr(content, "aread") is False else content.content
                assert [json.loads(line)["custom_id"] for line in found.splitlines()] == ids
        theirs, service.requests = asked(service), []
        ours = await client.batches.submit(model, WORDS, store=None)
        assert len(await ours.collect()) == 3
        first, second = (service.batches[id]["lines"] for id in ("batch_1", "batch_2"))
        assert [set(line) for line in first] == [set(line) for line in second]
        assert first == [{**line, "body": first[place]["body"]} for place, line in enumerate(second)]
        assert [line["body"]["model"] for line in first] == [line["body"]["model"] for line in second]
        assert asked(service) <= theirs


async def test_anthropics_sdk_asks_for_a_batch_as_we_do() -> None:
    anthropic = pytest.importorskip("anthropic", reason="needs betterai[dev]")
    async with serving("anthropic") as (client, service, model, _):
        url = client.config.base_url
        bare = model.partition("/")[2]
        async with anthropic.AsyncAnthropic(api_key=KEY, base_url=url, max_retries=0) as sdk:
            requests: Any = [
                {"custom_id": id, "params": {
                    "model": bare, "max_tokens": 50, "messages": [{"role": "user", "content": text}],
                }}
                for id, text in WORDS.items()
            ]  # fmt: skip
            batch = await sdk.messages.batches.create(requests=requests)
            assert (batch.processing_status, batch.request_counts.processing) == ("in_progress", 3)
            service.words = ["canceling"]
            assert (await sdk.messages.batches.cancel(batch.id)).processing_status == "canceling"
            batch = await sdk.messages.batches.retrieve(batch.id)
            assert (batch.processing_status, batch.request_counts.succeeded) == ("ended", 2)
            results = [result async for result in await sdk.messages.batches.results(batch.id)]
            assert [result.custom_id for result in results] == ["c", "a", "b"]
            assert [result.result.type for result in results] == ["succeeded", "succeeded", "errored"]
            assert results[0].result.message.content[0].text == "re: Bye"
            assert results[2].result.error.error.message == "that is wrong"
            listed = await sdk.messages.batches.list()
            assert [found.id for found in listed.data] == [batch.id]
        theirs, service.requests = asked(service), []
        ours = await client.batches.submit(model, WORDS, store=None, max_tokens=50)
        assert len(await ours.collect()) == 3
        first, second = (service.batches[id]["lines"] for id in ("msgbatch_1", "msgbatch_2"))
        assert [line["custom_id"] for line in first] == [line["custom_id"] for line in second]
        for line in second:
            assert line["params"].pop("stream", False) is False
        assert first == second
        assert asked(service) <= theirs


@pytest.mark.filterwarnings("ignore:Inheritance class:DeprecationWarning")
@pytest.mark.parametrize("name", ["google", "google-inline"])
async def test_googles_sdk_asks_for_a_batch_as_we_do(name: str) -> None:
    genai = pytest.importorskip("google.genai", reason="needs betterai[dev]")
    async with serving(name) as (client, service, model, _):
        url, types = client.config.base_url, genai.types
        bare = model.partition("/")[2]
        sdk = genai.Client(api_key=KEY, http_options=types.HttpOptions(base_url=url, api_version="v1beta"))
        given = [
            {"contents": [{"parts": [{"text": text}], "role": "user"}], "metadata": {"key": id}}
            for id, text in WORDS.items()
        ]
        batch = await sdk.aio.batches.create(model=bare, src=given, config={"display_name": "a name"})
        assert batch.state.name == "JOB_STATE_PENDING"
        await sdk.aio.batches.cancel(name=batch.name)
        service.end = "done"
        batch = await sdk.aio.batches.get(name=batch.name)
        assert batch.state.name == "JOB_STATE_SUCCEEDED"
        if name == "google-inline":
            answers = batch.dest.inlined_responses
            assert [answer.response.text for answer in answers if answer.response] == ["re: Bye", "re: Hello"]
            assert answers[2].error.message == "that is wrong"
        else:
            content = await sdk.aio.files.download(file=batch.dest.file_name)
            assert [json.loads(line)["key"] for line in content.splitlines()] == ["c", "a", "b"]
        listed = [found.name async for found in await sdk.aio.batches.list()]
        await sdk.aio.aclose()
        assert listed == [batch.name]
        theirs, service.requests = asked(service), []
        ours = await client.batches.submit(model, WORDS, store=None)
        assert {line.state for line in (await ours.collect()).values()} == {"succeeded", "failed"}
        first, second = (service.batches[id]["lines"] for id in ("batches/b1", "batches/b2"))
        assert [line["key"] for line in first] == [line["key"] for line in second]
        assert [line["request"]["contents"] for line in first] == [line["request"]["contents"] for line in second]
        uploads = {request for request in asked(service) if "/upload/" in request}
        assert asked(service) - uploads <= theirs
