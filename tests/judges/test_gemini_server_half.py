"""The official SDK reads all that our server half says, whole and streamed."""

from __future__ import annotations

import base64
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
from google import genai
from google.genai import errors, types
from msgspec import Raw
from pydantic import BaseModel

import betterai
from betterai.core.base import BaseTextProvider
from betterai.core.media import Media
from betterai.core.message import Citation, MediaPart, Message, Opaque, Reasoning, Text, ToolCall
from betterai.core.response import ProviderResponse, TextChunk, TokenLogprob, ToolCallDelta
from betterai.core.usage import Usage
from judges.app import serve

pytestmark = pytest.mark.filterwarnings("ignore:Inheritance class:DeprecationWarning")
SIGNED = Opaque(
    protocol="gemini", provider="google", data=Raw(b'{"thoughtSignature":"' + base64.b64encode(b"sig") + b'"}')
)
USAGE = Usage(
    text_in=10, image_in=258, cached={"text": 4}, text_out=5, reasoning=7, image_out=100, units={"search": 1.0}
)
SAID = "Größe: it is 3 m."
CITED = Text(text=SAID, citations=(Citation(url="https://a.example", title="A", start=7, end=len(SAID)),))
CALL = ToolCall(id="call-1", name="weather", arguments='{"city":"Zürich"}', opaque=SIGNED)
PICTURE = MediaPart(media=Media(kind="image", mime_type="image/png", data=b"\x89PNG"))
PARTS = (Reasoning(text="Hm."), CITED, PICTURE, CALL)


class Scripted(BaseTextProvider):
    """Says what it is told."""

    def __init__(self, response: ProviderResponse, chunks: Sequence[TextChunk | Exception] = ()) -> None:
        self.response = response
        self.chunks = chunks

    async def generate(self, messages: Any, model: str = "", settings: Any = None) -> ProviderResponse:
        return self.response

    async def generate_stream(
        self, messages: Any, model: str = "", settings: Any = None
    ) -> AsyncGenerator[TextChunk, None]:
        for chunk in self.chunks:
            if isinstance(chunk, Exception):
                raise chunk
            yield chunk


WHOLE = ProviderResponse(
    content=SAID,
    model="m-1",
    id="r-1",
    message=Message(role="assistant", parts=PARTS),
    usage=USAGE,
    finish_reason="tool_calls",
    raw_finish_reason="tool_calls",
    logprobs=(TokenLogprob(token="G", logprob=-0.5, top_logprobs=(TokenLogprob(token="H", logprob=-1.5),)),),
)
CHUNKS: list[TextChunk] = [
    TextChunk(reasoning="Hm.", model="m-1", id="r-1"),
    TextChunk(content=SAID[:6]),
    TextChunk(content=SAID[6:]),
    TextChunk(tool_call=ToolCallDelta(index=0, id="call-1", name="weather", arguments='{"city"')),
    TextChunk(tool_call=ToolCallDelta(index=0, arguments=':"Zürich"}')),
    *(TextChunk(part=part) for part in PARTS),
    TextChunk(finish_reason="tool_calls", raw_finish_reason="tool_calls", logprobs=WHOLE.logprobs),
    TextChunk(usage=USAGE),
]


@asynccontextmanager
async def judge(provider: BaseTextProvider | None = None) -> AsyncIterator[Any]:
    async with serve(provider) as (url, _):
        client = genai.Client(api_key="key", http_options=types.HttpOptions(base_url=url))
        try:
            yield client.aio.models
        finally:
            await client.aio.aclose()


async def collect(models: Any, **config: Any) -> list[types.GenerateContentResponse]:
    given = types.GenerateContentConfig(**config) if config else None
    reply = await models.generate_content_stream(model="any-model", contents="Hello", config=given)
    return [event async for event in reply]


def usage_of(reply: types.GenerateContentResponse) -> types.GenerateContentResponseUsageMetadata:
    assert reply.usage_metadata is not None
    return reply.usage_metadata


def check_usage(reply: types.GenerateContentResponse) -> None:
    usage = usage_of(reply)
    assert (usage.prompt_token_count, usage.cached_content_token_count) == (272, 4)
    assert (usage.candidates_token_count, usage.thoughts_token_count, usage.total_token_count) == (105, 7, 384)
    assert {item.modality: item.token_count for item in usage.prompt_tokens_details or ()} == {
        types.MediaModality.TEXT: 14, types.MediaModality.IMAGE: 258,
    }  # fmt: skip


def check_end(candidate: types.Candidate, text: str) -> None:
    assert candidate.finish_reason == types.FinishReason.STOP
    grounding = candidate.grounding_metadata
    assert grounding is not None
    assert grounding.grounding_chunks[0].web.uri == "https://a.example"  # type: ignore[index, union-attr]
    segment = grounding.grounding_supports[0].segment  # type: ignore[index]
    assert text.encode()[segment.start_index : segment.end_index].decode() == segment.text == "it is 3 m."  # type: ignore[union-attr]
    logprobs = candidate.logprobs_result
    assert logprobs is not None
    assert logprobs.chosen_candidates[0].log_probability == -0.5  # type: ignore[index]
    assert logprobs.top_candidates[0].candidates[0].token == "H"  # type: ignore[index]


async def test_a_whole_answer_is_read_with_all_its_parts() -> None:
    async with judge(Scripted(WHOLE)) as models:
        reply = await models.generate_content(model="any-model", contents="Hello")
    (candidate,) = reply.candidates
    thought, text, picture, call = candidate.content.parts
    assert (thought.text, thought.thought, text.text) == ("Hm.", True, SAID)
    assert (picture.inline_data.data, picture.inline_data.mime_type) == (b"\x89PNG", "image/png")
    assert (call.function_call.id, call.function_call.name) == ("call-1", "weather")
    assert (call.function_call.args, call.thought_signature) == ({"city": "Zürich"}, b"sig")
    assert (reply.model_version, reply.response_id) == ("m-1", "r-1")
    check_end(candidate, SAID)
    check_usage(reply)


async def test_a_stream_amounts_to_the_same() -> None:
    async with judge(Scripted(WHOLE, CHUNKS)) as models:
        replies = await collect(models)
    parts = [part for reply in replies for part in reply.candidates[0].content.parts]
    assert "".join(part.text for part in parts if part.text and part.thought) == "Hm."
    assert "".join(part.text for part in parts if part.text and not part.thought) == SAID
    (call,) = [part for part in parts if part.function_call]
    assert (call.function_call.id, call.function_call.args) == ("call-1", {"city": "Zürich"})
    assert call.thought_signature == b"sig"
    (picture,) = [part for part in parts if part.inline_data]
    assert picture.inline_data.data == b"\x89PNG"
    assert [reply.candidates[0].finish_reason for reply in replies[:-1]] == [None] * (len(replies) - 1)
    check_end(replies[-1].candidates[0], SAID)
    check_usage(replies[-1])


async def test_the_signature_of_a_streamed_text_comes_with_an_empty_one() -> None:
    chunks = [TextChunk(content="Hi"), TextChunk(part=Text(text="Hi", opaque=SIGNED)), TextChunk(finish_reason="stop")]
    async with judge(Scripted(WHOLE, chunks)) as models:
        replies = await collect(models)
    parts = [part for reply in replies for part in reply.candidates[0].content.parts]
    assert [(part.text, part.thought_signature) for part in parts if part.text or part.thought_signature] == [
        ("Hi", None), ("", b"sig"),
    ]  # fmt: skip


async def test_calls_of_which_only_pieces_came_are_whole_at_the_end() -> None:
    chunks = [chunk for chunk in CHUNKS if chunk.part is None]
    async with judge(Scripted(WHOLE, chunks)) as models:
        replies = await collect(models)
    (call,) = replies[-1].function_calls
    assert (call.id, call.name, call.args) == ("call-1", "weather", {"city": "Zürich"})


@pytest.mark.parametrize("streaming", [False, True])
async def test_a_refused_request_is_an_error_of_its_status(streaming: bool) -> None:
    async with judge() as models:
        options = types.HttpOptions(extra_body={"contents": 5})
        config = types.GenerateContentConfig(http_options=options)
        asked = (
            collect(models, http_options=options)
            if streaming
            else models.generate_content(model="any-model", contents="Hello", config=config)
        )
        with pytest.raises(errors.ClientError) as caught:
            await asked
    assert (caught.value.code, caught.value.status) == (400, "INVALID_ARGUMENT")
    assert "contents" in str(caught.value.message)


async def test_an_error_amid_a_stream_reaches_the_client() -> None:
    failure = betterai.OverloadedError("busy", status=503, provider_message="busy")
    async with judge(Scripted(WHOLE, [CHUNKS[1], failure])) as models:
        with pytest.raises(errors.ServerError) as caught:
            await collect(models)
    assert (caught.value.code, caught.value.message) == (503, "busy")


@pytest.mark.parametrize(
    ("reason", "word", "read"),
    [
        ("length", "length", "MAX_TOKENS"), ("content_filter", "content_filter", "SAFETY"),
        ("content_filter", "RECITATION", "RECITATION"), ("refusal", "refusal", "STOP"), ("other", "odd", "OTHER"),
        ("error", "error", "OTHER"), ("stop", "end_turn", "STOP"), (None, "", "STOP"),
    ],
)  # fmt: skip
async def test_how_an_answer_ended_is_a_word_of_the_protocol(reason: Any, word: str, read: str) -> None:
    response = ProviderResponse(content="Hi", finish_reason=reason, raw_finish_reason=word)
    async with judge(Scripted(response)) as models:
        reply = await models.generate_content(model="any-model", contents="Hello")
    assert reply.candidates[0].finish_reason == types.FinishReason(read)
    assert reply.text == "Hi"


def read_strictly(reply: bytes, *, stream: bool) -> list[types.GenerateContentResponse]:
    """The bytes, by types that forbid every field they do not know: the client itself looks past those."""
    assert types.GenerateContentResponse.model_config["extra"] == "forbid"
    events = [line.removeprefix(b"data: ") for line in reply.split(b"\r\n\r\n") if line] if stream else [reply]
    return [types.GenerateContentResponse.model_validate_json(event) for event in events]


@pytest.mark.parametrize("stream", [False, True])
async def test_the_types_of_the_client_know_every_field(stream: bool) -> None:
    async with serve(Scripted(WHOLE, CHUNKS)) as (url, app):
        client = genai.Client(api_key="key", http_options=types.HttpOptions(base_url=url))
        if stream:
            await collect(client.aio.models)
        else:
            await client.aio.models.generate_content(model="any-model", contents="Hello")
        await client.aio.aclose()
    replies = read_strictly(app.replies[0], stream=stream)
    assert "".join(reply.text or "" for reply in replies) == SAID
    assert replies[-1].usage_metadata is not None


class City(BaseModel):
    name: str
    people: int | None


@pytest.mark.parametrize("field", ["response_schema", "response_json_schema"])
@pytest.mark.parametrize("stream", [False, True])
async def test_structured_output_through_the_clients_parser(field: str, stream: bool) -> None:
    shape = City if field == "response_schema" else City.model_json_schema()
    config: dict[str, Any] = {"response_mime_type": "application/json", field: shape}
    async with judge() as models:
        if stream:
            text = "".join([event.text or "" for event in await collect(models, **config)])
            parsed = City.model_validate_json(text)
        else:
            given = types.GenerateContentConfig(**config)
            parsed = (await models.generate_content(model="any-model", contents="Hello", config=given)).parsed
    assert City.model_validate(parsed).name
