"""The peer itself, asked with plain aiohttp: what a real llama.cpp server answers, for our own tests to build on."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from peers.llamacpp import CONTEXT, SLOTS, count_busy_slots, list_connections, poll, read_slots

StartServer = Callable[[], AbstractContextManager[str]]

HELLO = [{"role": "user", "content": "Hello"}]
OBJECT = {
    "type": "object",
    "properties": {
        "sunny": {"type": "boolean"},
        "colour": {"enum": ["red", "green"]},
        "count": {"type": "integer", "minimum": 0, "maximum": 9},
    },
    "required": ["sunny", "colour", "count"],
    "additionalProperties": False,
}
TOOLS = [{"type": "function", "function": {"name": "count", "description": "Counts.", "parameters": OBJECT}}]


@pytest.fixture
async def http(llama_server: str) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(llama_server) as session:
        yield session


async def chat(http: aiohttp.ClientSession, **body: Any) -> tuple[int, Any]:
    async with http.post("/v1/chat/completions", json={"max_tokens": 16, **body}) as reply:
        return reply.status, await reply.json()


async def stream_chat(http: aiohttp.ClientSession, **body: Any) -> list[Any]:
    """The events of a streamed chat, decoded; the last one, which is no JSON, as its text."""
    body = {"messages": HELLO, "max_tokens": 16, "stream": True, **body}
    async with http.post("/v1/chat/completions", json=body) as reply:
        assert reply.status == 200
        assert reply.content_type == "text/event-stream"
        events = [line.removeprefix(b"data: ").strip() async for line in reply.content if line.startswith(b"data: ")]
    return [*map(json.loads, events[:-1]), events[-1].decode()]


def test_the_model_is_small_and_the_same_each_time(tiny_gguf: Path, tmp_path: Path) -> None:
    from peers.tiny_gguf import write_tiny_gguf

    again = tmp_path / "again.gguf"
    write_tiny_gguf(again)

    assert tiny_gguf.stat().st_size < 1_000_000
    assert again.read_bytes() == tiny_gguf.read_bytes()


async def test_models(http: aiohttp.ClientSession) -> None:
    async with http.get("/v1/models") as reply:
        body = await reply.json()

    assert [model["id"] for model in body["data"]] == ["tiny"]
    assert body["data"][0]["meta"]["n_ctx"] == CONTEXT


async def test_chat(http: aiohttp.ClientSession) -> None:
    status, body = await chat(http, messages=HELLO, temperature=0)

    assert status == 200
    assert body["object"] == "chat.completion"
    [choice] = body["choices"]
    assert choice["finish_reason"] == "length"
    assert choice["message"]["role"] == "assistant"
    assert choice["message"]["content"].strip()
    usage = body["usage"]
    assert usage["completion_tokens"] == 16
    assert usage["total_tokens"] == usage["prompt_tokens"] + 16


async def test_the_same_prompt_is_read_from_the_cache(http: aiohttp.ClientSession) -> None:
    messages = [{"role": "user", "content": "a prompt that only this test sends"}]
    await chat(http, messages=messages)

    _, body = await chat(http, messages=messages)

    usage = body["usage"]
    assert usage["prompt_tokens_details"]["cached_tokens"] == usage["prompt_tokens"] - 1


@pytest.mark.parametrize("temperature", [0, 0.8])
async def test_a_stream_says_the_same_as_a_reply(http: aiohttp.ClientSession, temperature: float) -> None:
    _, body = await chat(http, messages=HELLO, temperature=temperature, seed=5)

    *events, end = await stream_chat(http, temperature=temperature, seed=5)

    assert end == "[DONE]"
    assert {event["object"] for event in events} == {"chat.completion.chunk"}
    deltas = [event["choices"][0]["delta"] for event in events]
    assert deltas[0] == {"role": "assistant", "content": None}
    assert "".join(delta.get("content") or "" for delta in deltas) == body["choices"][0]["message"]["content"]
    assert [event["choices"][0]["finish_reason"] for event in events] == [None] * (len(events) - 1) + ["length"]
    assert not any("usage" in event for event in events)


async def test_usage_of_a_stream_is_the_last_event_and_has_no_choice(http: aiohttp.ClientSession) -> None:
    *events, end = await stream_chat(http, stream_options={"include_usage": True})

    assert end == "[DONE]"
    assert [event for event in events if "usage" in event] == [events[-1]]
    assert events[-1]["choices"] == []
    assert events[-1]["usage"]["completion_tokens"] == 16


async def test_a_stream_of_two_answers_mixes_them_and_has_two_usages(http: aiohttp.ClientSession) -> None:
    *events, _ = await stream_chat(http, n=2, stream_options={"include_usage": True})

    assert {event["choices"][0]["index"] for event in events if event["choices"]} == {0, 1}
    assert [event["usage"]["completion_tokens"] for event in events if "usage" in event] == [16, 16]


async def test_stop(http: aiohttp.ClientSession) -> None:
    _, body = await chat(http, messages=HELLO, temperature=0)
    word = body["choices"][0]["message"]["content"].split()[2]

    _, body = await chat(http, messages=HELLO, temperature=0, stop=[word])

    assert body["choices"][0]["finish_reason"] == "stop"
    assert word not in body["choices"][0]["message"]["content"]


@pytest.mark.parametrize("seed", range(3))
async def test_json_schema(http: aiohttp.ClientSession, seed: int) -> None:
    response_format = {"type": "json_schema", "json_schema": {"name": "weather", "schema": OBJECT}}

    _, body = await chat(http, messages=HELLO, max_tokens=200, seed=seed, response_format=response_format)

    [choice] = body["choices"]
    assert choice["finish_reason"] == "stop"
    assert_fits(json.loads(choice["message"]["content"]))


@pytest.mark.parametrize("seed", range(3))
async def test_a_tool_is_called(http: aiohttp.ClientSession, seed: int) -> None:
    _, body = await chat(http, messages=HELLO, max_tokens=200, seed=seed, tools=TOOLS, tool_choice="required")

    [choice] = body["choices"]
    assert choice["finish_reason"] == "tool_calls"
    [call] = choice["message"]["tool_calls"]
    assert call["id"]
    assert call["function"]["name"] == "count"
    assert_fits(json.loads(call["function"]["arguments"]))


async def test_a_tool_is_called_in_a_stream(http: aiohttp.ClientSession) -> None:
    *events, _ = await stream_chat(http, max_tokens=200, tools=TOOLS, tool_choice="required")

    calls = [call for event in events for call in event["choices"][0]["delta"].get("tool_calls", [])]
    assert {call["index"] for call in calls} == {0}
    assert [call["function"]["name"] for call in calls if "name" in call["function"]] == ["count"]
    assert_fits(json.loads("".join(call["function"]["arguments"] for call in calls)))
    assert events[-1]["choices"][0]["finish_reason"] == "tool_calls"


async def test_a_tool_result_is_taken(http: aiohttp.ClientSession) -> None:
    _, body = await chat(http, messages=HELLO, max_tokens=200, tools=TOOLS, tool_choice="required")
    asked = body["choices"][0]["message"]
    answer = {"role": "tool", "tool_call_id": asked["tool_calls"][0]["id"], "content": "7"}

    status, body = await chat(http, messages=[*HELLO, asked, answer], tools=TOOLS, tool_choice="none")

    assert status == 200
    assert body["choices"][0]["message"]["content"].strip()


def assert_fits(value: dict[str, Any]) -> None:
    assert sorted(value) == ["colour", "count", "sunny"]
    assert value["colour"] in ("red", "green")
    assert value["count"] in range(10)
    assert isinstance(value["sunny"], bool)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "'messages' is required"),
        ({"messages": "Hello"}, "Expected 'messages' to be an array"),
        ({"messages": HELLO, "tools": TOOLS, "tool_choice": "perhaps"}, "Invalid tool_choice: perhaps"),
        ({"messages": HELLO, "n": SLOTS + 1}, "Field 'n': Value must be between 1 <= value <= 4, but got 5"),
    ],
)
async def test_a_bad_request(http: aiohttp.ClientSession, body: dict[str, Any], message: str) -> None:
    error = {"code": 400, "message": message, "type": "invalid_request_error"}

    assert await chat(http, **body) == (400, {"error": error})


@pytest.mark.parametrize("stream", [False, True])
async def test_too_long_a_prompt(http: aiohttp.ClientSession, stream: bool) -> None:
    status, body = await chat(http, messages=[{"role": "user", "content": "the " * CONTEXT * 2}], stream=stream)

    assert status == 400
    error = body["error"]
    assert error["type"] == "exceed_context_size_error"
    assert error["n_prompt_tokens"] > error["n_ctx"] == CONTEXT
    assert error["message"].endswith(f"exceeds the available context size ({CONTEXT} tokens), try increasing it")


async def test_a_picture_is_refused_as_if_the_server_had_failed(http: aiohttp.ClientSession) -> None:
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}

    status, body = await chat(http, messages=[{"role": "user", "content": [picture]}])

    assert (status, body["error"]["type"]) == (500, "server_error")
    assert body["error"]["message"].startswith("image input is not supported")


async def test_a_wrong_key(locked_llama_server: str) -> None:
    for key, expected in (("wrong-key", 401), ("right-key", 200)):
        async with aiohttp.ClientSession(locked_llama_server, headers={"Authorization": f"Bearer {key}"}) as http:
            status, body = await chat(http, messages=HELLO)
        assert status == expected
        if status == 401:
            assert body == {"error": {"message": "Invalid API Key", "type": "authentication_error", "code": 401}}


async def test_a_stream_that_nobody_reads_on_frees_its_slot(llama_server: str, http: aiohttp.ClientSession) -> None:
    assert [slot["n_ctx"] for slot in read_slots(llama_server)] == [CONTEXT] * SLOTS
    body = {"messages": HELLO, "stream": True, "max_tokens": 10**6}
    reply = await http.post("/v1/chat/completions", json=body)
    assert await reply.content.readline()
    assert count_busy_slots(llama_server) == 1

    reply.close()

    await asyncio.to_thread(poll, lambda: count_busy_slots(llama_server) == 0, "all slots are free")


async def test_a_cancelled_call_closes_its_connection(start_llama_server: StartServer) -> None:
    """And no more: seen from 2026.10, the server works on at a reply, unlike a stream, that nobody waits for."""
    async with aiohttp.ClientSession() as http:
        with start_llama_server() as url:
            body = {"messages": HELLO, "max_tokens": 10**6}
            call = asyncio.create_task(http.post(f"{url}/v1/chat/completions", json=body))
            await asyncio.to_thread(poll, lambda: count_busy_slots(url) == 1, "the server is at work")
            assert len(list_connections(url)) == 1

            call.cancel()

            with pytest.raises(asyncio.CancelledError):
                await call
            await asyncio.to_thread(poll, lambda: not list_connections(url), "the connection is closed")


async def test_a_server_that_ends_cuts_its_streams(start_llama_server: StartServer) -> None:
    async with aiohttp.ClientSession() as http:
        with start_llama_server() as url:
            body = {"messages": HELLO, "stream": True, "max_tokens": 10**6}
            reply = await http.post(f"{url}/v1/chat/completions", json=body)
            assert await reply.content.readline()

        with pytest.raises(aiohttp.ClientPayloadError):
            await reply.read()
