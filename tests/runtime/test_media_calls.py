"""Pictures and sound end to end: whole and streamed, forms, retries, and leaving early; over a real server."""

from __future__ import annotations

import asyncio
import io
import json
import re
from base64 import b64encode
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

import betterai
from betterai import CoreConfig, Media, sync
from betterai.core.exceptions import ProviderError, StreamInterrupted, UnsupportedParam, ValidationError
from betterai.core.settings import ImageSettings
from runtime.upstream import Upstream, hold, reply, stream

IMAGE, SPEECH, HEARING = "openai/gpt-image-2", "openai/gpt-4o-mini-tts", "openai/gpt-transcribe"
PNG = b"\x89PNG\r\n\x1a\n picture "
MP3 = b"ID3 sound "


def at(upstream: Upstream, **fields: Any) -> CoreConfig:
    retries = fields.pop("retries", betterai.Retries(base=0.001))
    return CoreConfig(base_url=upstream.url, api_key="sk-canary-5k3y-000", retries=retries, **fields)


def event(**fields: Any) -> bytes:
    return b"data: " + json.dumps(fields).encode() + b"\n\n"


def drawn(kind: str, data: bytes, **fields: Any) -> bytes:
    return event(type=f"image_generation.{kind}", b64_json=b64encode(data).decode(), output_format="png", **fields)


USAGE = {"input_tokens": 10, "input_tokens_details": {"text_tokens": 10, "image_tokens": 0}, "output_tokens": 272}
DRAWING = [
    drawn("partial_image", PNG + b"0", partial_image_index=0), drawn("partial_image", PNG + b"1", partial_image_index=1),
    drawn("completed", PNG, usage=USAGE),
]  # fmt: skip


async def read(pieces: Any) -> list[Any]:
    return [piece async for piece in pieces]


# ── pictures ──


async def test_unfinished_pictures_are_shown_on_the_way_and_the_last_piece_has_the_whole() -> None:
    with Upstream(stream(DRAWING, headers={"x-request-id": "r-1"})) as upstream:
        chunks = await read(
            betterai.stream_image(IMAGE, "a cat", config=at(upstream), partial_images=2, size="1024x1024")
        )
    assert [(chunk.index, chunk.final, chunk.image and chunk.image.to_bytes()) for chunk in chunks] == [
        (0, False, PNG + b"0"), (1, False, PNG + b"1"), (0, True, PNG), (0, True, None),
    ]  # fmt: skip
    response = chunks[-1].response
    assert [image.to_bytes() for image in response.images] == [PNG]
    assert (response.usage.text_in, response.usage.image_out) == (10, 272)
    assert (response.provider, response.request_id, response.cost.status) == ("openai", "r-1", "exact")
    assert response.timing.first_byte is not None
    assert upstream.requests[0].body == {
        "model": "gpt-image-2", "prompt": "a cat", "stream": True, "partial_images": 2, "size": "1024x1024",
    }  # fmt: skip


async def test_a_stream_is_the_same_however_the_network_cuts_it() -> None:
    body = b"".join(DRAWING)
    cuts = [[body[:point], body[point:]] for point in range(1, len(body), 97)]
    with Upstream(*(stream(pieces) for pieces in cuts)) as upstream:
        for _ in cuts:
            chunks = await read(betterai.stream_image(IMAGE, "a cat", config=at(upstream)))
            assert [chunk.final for chunk in chunks] == [False, False, True, True]


async def test_what_breaks_before_a_picture_is_tried_again_and_after_it_is_not() -> None:
    with Upstream(stream([], "abort"), reply(503), stream(DRAWING)) as upstream:
        chunks = await read(betterai.stream_image(IMAGE, "a cat", config=at(upstream)))
        assert [attempt.error for attempt in chunks[-1].response.timing.attempts][-1] == ""
        assert len(upstream.requests) == 3
    with Upstream(stream(DRAWING[:1], "abort"), stream(DRAWING)) as upstream:
        pieces = betterai.stream_image(IMAGE, "a cat", config=at(upstream))
        assert (await anext(pieces)).final is False
        with pytest.raises(StreamInterrupted) as caught:
            await anext(pieces)
        assert len(upstream.requests) == 1
        assert (caught.value.provider, caught.value.model) == ("openai", "gpt-image-2")


async def test_s4_a_stream_that_ends_without_a_picture_is_no_success() -> None:
    with Upstream(stream(DRAWING[:2])) as upstream, pytest.raises(StreamInterrupted, match="before a picture"):
        await read(betterai.stream_image(IMAGE, "a cat", config=at(upstream)))


async def test_an_error_inside_the_stream_is_raised_as_it_is() -> None:
    wrong = event(type="error", error={"message": "no cats", "code": "moderation_blocked"})
    with Upstream(stream([wrong])) as upstream, pytest.raises(ProviderError, match="no cats") as caught:
        await read(betterai.stream_image(IMAGE, "a cat", config=at(upstream, retries=0)))
    assert caught.value.code == "moderation_blocked"


async def test_a_whole_answer_to_a_stream_is_a_stream_of_one() -> None:
    whole = {"data": [{"b64_json": b64encode(PNG).decode()}], "output_format": "png", "usage": USAGE}
    with Upstream(reply(200, whole)) as upstream:
        chunks = await read(betterai.stream_image(IMAGE, "a cat", config=at(upstream)))
    assert [chunk.final for chunk in chunks] == [True, True]
    assert chunks[-1].response.usage.output_tokens == 272


async def test_a_codec_without_streams_gives_the_finished_pictures() -> None:
    with Upstream(reply(200, {"data": [{"url": "https://img.example/a.png"}]})) as upstream:
        chunks = await read(betterai.stream_image("xai/grok-imagine-image", "a cat", config=at(upstream)))
    [chunk] = chunks
    assert chunk.image.url == "https://img.example/a.png"
    assert chunk.response.provider == "xai"
    assert "stream" not in upstream.requests[0].body


def form_of(raw: bytes) -> list[tuple[str, str, bytes]]:
    """The name, file name and content of each field."""
    boundary = raw.split(b"\r\n", 1)[0]
    found = []
    for part in raw.split(boundary)[1:-1]:
        head, _, content = part.partition(b"\r\n\r\n")
        name, filename = (re.search(rb' %s="([^"]*)"' % word, head) for word in (b"name", b"filename"))
        assert name is not None
        found.append((name[1].decode(), filename[1].decode() if filename else "", content[:-2]))
    return found


async def test_pictures_and_a_mask_go_as_a_form_files_straight_from_the_disk(tmp_path: Path) -> None:
    path = tmp_path / "cat.png"
    path.write_bytes(PNG * 200_000)
    pictures = [Media(kind="image", path=str(path)), Media(kind="image", data=PNG, filename="b.png")]
    mask = Media(kind="image", data=PNG + b"mask", filename="m.png")
    with Upstream(reply(200, {"data": [{"b64_json": b64encode(PNG).decode()}]})) as upstream:
        await betterai.generate_image(
            IMAGE, "a dog", config=at(upstream), images=pictures, mask=mask, n=1, extra_body={"input_fidelity": "high"}
        )
    [request] = upstream.requests
    assert request.path == "/v1/images/edits"
    assert form_of(request.raw) == [
        ("model", "", b"gpt-image-2"), ("prompt", "", b"a dog"), ("image[]", "cat.png", PNG * 200_000), ("image[]", "b.png", PNG),
        ("mask", "m.png", PNG + b"mask"), ("n", "", b"1"), ("input_fidelity", "", b"high"),
    ]  # fmt: skip
    assert b"Content-Type: image/png" in request.raw


async def test_what_cannot_be_drawn_so_is_told_or_refused() -> None:
    with Upstream(reply(200, {"data": [{"b64_json": b64encode(PNG).decode()}]})) as upstream:
        response = await betterai.generate_image(
            IMAGE, "a cat", config=at(upstream), aspect="3:2", seed=5, partial_images=1
        )
        assert [(warning.code, warning.field) for warning in response.warnings] == [
            ("translated", "aspect"), ("dropped", "seed"), ("dropped", "partial_images"),
        ]  # fmt: skip
        assert upstream.requests[0].body["size"] == "1536x1024"
        with pytest.raises(UnsupportedParam, match="seed"):
            await betterai.generate_image(IMAGE, "a cat", config=at(upstream, unsupported="raise"), seed=5)
        with pytest.raises(UnsupportedParam, match="no picture to edit"):
            await betterai.generate_image(IMAGE, "a cat", config=at(upstream), mask=Media(kind="image", data=PNG))
        with pytest.raises(ValidationError, match="cannot read"):
            await betterai.generate_image(
                IMAGE, "a cat", config=at(upstream), images=[Media(kind="image", path="/no/where.png")]
            )
        theirs = Media(kind="image", file_id="f-1", owner="elsewhere#1")
        with pytest.raises(UnsupportedParam, match="belongs to"):
            await betterai.generate_image(IMAGE, "a cat", config=at(upstream), images=[theirs])
    assert len(upstream.requests) == 1


async def test_a_batch_of_prompts_comes_in_their_order() -> None:
    with Upstream(reply(200, {"data": [{"b64_json": b64encode(PNG).decode()}]})) as upstream:
        provider = betterai.get_image_provider(CoreConfig(model=IMAGE, base_url=upstream.url, api_key="k"))
        responses = await read(provider.generate_batch(["one", "two"], "", ImageSettings()))
    assert [request.body["prompt"] for request in upstream.requests] == ["one", "two"]
    assert len(responses) == 2


# ── speech ──


async def test_s10_sound_goes_out_as_it_comes_in() -> None:
    loop = asyncio.get_running_loop()
    heard = asyncio.Event()

    async def speak(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "audio/mpeg"})
        await response.prepare(request)
        await response.write(MP3)
        await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(heard.wait(), loop))
        await response.write(b"more")
        return response

    with Upstream(speak) as upstream:
        pieces = []
        async for piece in betterai.stream_speech(SPEECH, "Hello there", config=at(upstream), voice="coral"):
            pieces.append(piece)
            heard.set()
    assert [piece.audio for piece in pieces] == [MP3, b"more", b""]
    speech = pieces[-1].response
    assert (speech.audio.to_bytes(), speech.audio.mime_type) == (MP3 + b"more", "audio/mpeg")
    assert (speech.usage.units, speech.usage.source) == ({"character": 11.0}, "counted")
    assert upstream.requests[0].body == {"model": "gpt-4o-mini-tts", "input": "Hello there", "voice": "coral"}


async def test_sound_that_breaks_off_is_no_success() -> None:
    with (
        Upstream(stream([MP3], "abort", headers={"Content-Type": "audio/mpeg"})) as upstream,
        pytest.raises(StreamInterrupted),
    ):
        await read(betterai.stream_speech(SPEECH, "Hello", config=at(upstream)))


async def test_a_text_that_is_still_coming_is_spoken_sentence_by_sentence() -> None:
    async def words() -> AsyncIterator[str]:
        for word in ("One is ", "here. Two ", "follows. And three"):
            yield word

    with Upstream(reply(200, MP3, content_type="audio/mpeg")) as upstream:
        pieces = await read(betterai.stream_speech(SPEECH, words(), config=at(upstream), format="mp3"))
    assert [request.body["input"].strip() for request in upstream.requests] == [
        "One is here.",
        "Two follows.",
        "And three",
    ]
    assert b"".join(piece.audio for piece in pieces) == MP3 * 3
    speech = pieces[-1].response
    assert speech.audio.to_bytes() == MP3 * 3
    assert len(speech.timing.attempts) == 3
    assert sum(piece.response is not None for piece in pieces) == 1


async def test_s3_leaving_a_stream_of_sound_closes_the_socket() -> None:
    with Upstream(stream([MP3], "hold", headers={"Content-Type": "audio/mpeg"})) as upstream:
        pieces = betterai.stream_speech(SPEECH, "Hello", config=at(upstream))
        async for _ in pieces:
            break
        await pieces.aclose()
        await upstream.until(lambda: upstream.left == 1)


def test_sound_and_pictures_come_without_async_and_leaving_closes() -> None:
    with Upstream(reply(200, MP3, content_type="audio/mpeg")) as upstream:
        assert sync.speak(SPEECH, "Hello", config=at(upstream)).audio.to_bytes() == MP3
        with sync.stream_speech(SPEECH, "Hello", config=at(upstream)) as pieces:
            assert b"".join(piece.audio for piece in pieces) == MP3
    with Upstream(stream(DRAWING[:1], "hold")) as upstream:
        with sync.stream_image(IMAGE, "a cat", config=at(upstream)) as drawing:
            assert next(drawing).final is False
        upstream.wait_until(lambda: upstream.left == 1)


# ── transcription ──

TEXT = [
    event(type="transcript.text.delta", delta="Hello "), event(type="transcript.text.delta", delta="there."),
    event(type="transcript.text.done", text="Hello there.", usage={"type": "tokens", "input_tokens": 9, "output_tokens": 3,
          "input_token_details": {"audio_tokens": 9}, "total_tokens": 12}),
]  # fmt: skip


async def test_text_comes_in_pieces_of_sound_from_anywhere(tmp_path: Path) -> None:
    path = tmp_path / "talk.mp3"
    path.write_bytes(MP3)

    async def coming() -> AsyncIterator[bytes]:
        yield MP3[:3]
        yield MP3[3:]

    for source in (str(path), path, MP3, io.BytesIO(MP3), coming(), Media(kind="audio", data=MP3, filename="talk.mp3")):
        with Upstream(stream(TEXT)) as upstream:
            chunks = await read(betterai.stream_transcription(HEARING, source, config=at(upstream), language="en"))
        assert [chunk.text for chunk in chunks] == ["Hello ", "there.", ""]
        transcript = chunks[-1].response
        assert (transcript.text, transcript.usage.audio_in) == ("Hello there.", 9)
        form = form_of(upstream.requests[0].raw)
        assert next(filename for name, filename, _ in form if name == "file") in ("talk.mp3", "audio.mp3")
        fields = {name: content for name, _, content in form}
        assert fields == {"model": b"gpt-transcribe", "file": MP3, "stream": b"true", "language": b"en"}


async def test_times_and_speakers_are_asked_for_and_read() -> None:
    said = {
        "text": "Hi.", "language": "english", "duration": 0.5, "words": [{"word": "Hi", "start": 0.1, "end": 0.4}],
        "usage": {"type": "duration", "seconds": 1},
    }  # fmt: skip
    with Upstream(reply(200, said)) as upstream:
        transcript = await betterai.transcribe("openai/whisper-1", MP3, config=at(upstream), timestamps=["word"])
        assert transcript.words == (betterai.Word(text="Hi", start=0.1, end=0.4),)
        assert transcript.segments is None
        assert transcript.usage is not None
        assert transcript.usage.units == {"second": 1.0}
        await betterai.transcribe("openai/whisper-1", MP3, config=at(upstream), translate=True)
        await betterai.transcribe("openai/gpt-4o-transcribe-diarize", MP3, config=at(upstream), diarize=True)
    first, second, third = (
        {name: content for name, _, content in form_of(request.raw)} for request in upstream.requests
    )
    assert (first["response_format"], first["timestamp_granularities[]"]) == (b"verbose_json", b"word")
    assert upstream.requests[1].path == "/v1/audio/translations"
    assert "translate" not in second
    assert (third["response_format"], third["chunking_strategy"]) == (b"diarized_json", b"auto")


async def test_a_call_that_is_left_is_left_there_too() -> None:
    with Upstream(hold) as upstream:
        task = asyncio.create_task(betterai.transcribe(HEARING, MP3, config=at(upstream)))
        await upstream.until(lambda: len(upstream.requests) == 1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await upstream.until(lambda: upstream.left == 1)
