"""Speech in OpenAI's protocol and its vendors' deviations: formats, rates, and the times of words."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import pytest

import betterai
from betterai import CoreConfig
from betterai.core.exceptions import ProviderError
from betterai.core.results import Word
from runtime.upstream import Upstream, reply
from together import each

GROK, ORPHEUS, OPENAI = "xai/grok-voice-tts", "groq/canopylabs/orpheus-v1-english", "openai/gpt-4o-mini-tts"
TIMED = {
    "audio": b64encode(b"ID3 sound").decode(), "content_type": "audio/mpeg", "duration": 0.9,
    "audio_timestamps": {
        "graph_chars": ["H", "i", " ", "y", "o", "u"],
        "graph_times": [[0.0, 0.1], [0.1, 0.2], [0.2, 0.3], [0.3, 0.4], [0.4, 0.5], [0.5, 0.9]],
    },
}  # fmt: skip
WORDS = (Word(text="Hi", start=0.0, end=0.2), Word(text="you", start=0.3, end=0.9))


def at(upstream: Upstream) -> CoreConfig:
    return CoreConfig(base_url=upstream.url, api_key="k", retries=0)


@each(
    ("model", "settings", "sent", "rate", "kind"),
    [
        (GROK, {"format": "ulaw", "sample_rate": 8000}, {"output_format": {"codec": "mulaw", "sample_rate": 8000}},
         8000, "audio/pcmu"),
        (GROK, {"format": "pcm", "sample_rate": 16000}, {"output_format": {"codec": "pcm", "sample_rate": 16000}},
         16000, "audio/pcm"),
        (GROK, {"options": {"xai": {"bit_rate": 64000}}}, {"output_format": {"bit_rate": 64000}}, None, "audio/mpeg"),
        (ORPHEUS, {"sample_rate": 16000}, {"sample_rate": 16000}, 16000, "audio/wav"),
        (ORPHEUS, {"format": "ulaw"}, {"response_format": "mulaw"}, None, "audio/pcmu"),
        (OPENAI, {"format": "pcm", "sample_rate": 16000}, {"response_format": "pcm"}, 24000, "audio/pcm"),
    ],
)  # fmt: skip
async def test_t1_formats_and_rates_in_the_words_of_the_vendor(
    model: str, settings: Any, sent: Any, rate: int | None, kind: str
) -> None:
    with Upstream(reply(200, b"\x01\x02\x03\x04", content_type="application/octet-stream")) as upstream:
        speech = await betterai.speak(model, "Hi you", config=at(upstream), **settings)
        body = upstream.requests[0].body
    assert sent.items() <= body.items()
    assert (speech.sample_rate, speech.audio.mime_type) == (rate, kind)


async def test_grok_tells_when_each_word_is_said_in_a_whole_reply_also_of_a_stream() -> None:
    with Upstream(reply(200, TIMED)) as upstream:
        speech = await betterai.speak(GROK, "Hi you", alignment=True, config=at(upstream))
        pieces = [piece async for piece in betterai.stream_speech(GROK, "Hi you", alignment=True, config=at(upstream))]
        assert [request.body["with_timestamps"] for request in upstream.requests] == [True, True]
    assert (speech.audio.to_bytes(), speech.words) == (b"ID3 sound", WORDS)
    assert pieces[-1].response.words == WORDS
    assert b"".join(piece.audio for piece in pieces) == b"ID3 sound"


@pytest.mark.parametrize("body", [{}, {"audio": "*"}, {"audio": ""}])
async def test_a_reply_without_sound_is_no_answer(body: Any) -> None:
    with Upstream(reply(200, body)) as upstream, pytest.raises(ProviderError) as caught:
        await betterai.speak(GROK, "Hi you", alignment=True, config=at(upstream))
    assert caught.value.code == "unreadable_reply"
