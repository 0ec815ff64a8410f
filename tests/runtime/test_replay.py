"""Recorded exchanges of a vendor's own protocol: found by address or by the reply, and judged where there is a reader."""

from __future__ import annotations

import json
from typing import Any

import pytest

from betterai.core.provider import Provider
from betterai.providers import load_provider
from betterai.providers.ollama.chat import OllamaChat
from betterai.providers.ollama.native import OllamaNative
from betterai.runtime.registry import provider_within
from betterai.runtime.replay.exchanges import replay_exchange
from shapes.filming import studio

REPLY = {"model": "m", "message": {"role": "assistant", "content": "Hello"}, "done": True, "done_reason": "stop"}
REQUEST = {"url": "http://h/api/chat", "body": {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}}


class Odd(OllamaNative):
    """A protocol of its own."""

    protocol = "odd_chat"


class Unread(Odd):
    """Nobody reads its requests."""

    reader = None  # type: ignore[assignment]


def exchange(request: dict[str, Any] | None, body: Any = REPLY, kind: str = "chat") -> dict[str, Any]:
    return {"provider": "oddity", "kind": kind, "request": request, "response": {"status": 200, "body": body}}


def replay(found: dict[str, Any], **codecs: Any) -> Any:
    with provider_within("text", "oddity", Provider(name="oddity", protocols={"text": codecs})):
        return replay_exchange(found)


def test_the_address_says_which_codec_reads() -> None:
    report = replay(exchange(REQUEST), openai_chat=OllamaChat(), odd_chat=Odd())
    assert (report.verdict, report.content) == ("read", "Hello")
    assert report.round_trip.lost == ()
    elsewhere = replay(exchange({**REQUEST, "url": "http://h/api/generate"}), odd_chat=Odd())
    assert (elsewhere.verdict, elsewhere.detail) == ("unsupported", "no codec for /api/generate")


@pytest.mark.parametrize("codecs", [{"openai_chat": OllamaChat(), "odd_chat": Odd()}, {"odd_chat": Odd()}])
def test_without_an_address_the_reply_says_it(codecs: dict[str, Any]) -> None:
    report = replay(exchange(None), **codecs)
    assert (report.verdict, report.content, report.round_trip) == ("read", "Hello", None)
    spoken = {"choices": [{"index": 0, "message": {"content": "Hi"}, "finish_reason": "stop"}]}
    verdict = replay(exchange(None, spoken), **codecs).verdict
    assert verdict == ("read" if "openai_chat" in codecs else "failed")


def test_requests_that_nobody_reads_are_not_judged() -> None:
    report = replay(exchange(REQUEST), odd_chat=Unread())
    assert (report.verdict, report.content, report.round_trip) == ("read", "Hello", None)


def test_a_protocol_of_its_own_is_of_kind_chat_alone() -> None:
    report = replay(exchange(REQUEST, kind="messages"), odd_chat=Odd())
    assert report.verdict == "unsupported"


async def test_the_steps_of_a_job_are_read_one_by_one() -> None:
    """As the doubles of the vendors answer them, for hardly any were recorded."""
    for provider, protocol in (("openai", "openai_videos"), ("kling", "kling_tasks"), ("vertex", "vertex_veo")):
        keys = {"access_token": "t"} if provider == "vertex" else {"api_key": "k"}
        declared = load_provider(provider)
        assert declared is not None
        async with studio(declared, protocol, keys=keys) as made:
            await made.film(seconds=4)
            house = made.house
        asked = [item.split(" ", 1) for item in house.requests]
        looks = asked[1:3]
        house.host = "h"  # type: ignore[attr-defined]
        bodies = [house.submitted(house.bodies[0]), house.making(), house.made("https://films.example/a.mp4")]
        steps = []
        for (method, path), body in zip((asked[0], *looks), bodies, strict=True):
            query = "?task_ids=task-1" if provider == "kling" and method == "GET" else ""
            request = {"method": method, "url": f"https://h{path}{query}"}
            report = replay_exchange(
                {
                    "provider": provider,
                    "kind": "video",
                    "model": "neutral-model",
                    "request": request,
                    "response": {"status": 200, "body": body},
                }
            )
            assert report.verdict == "read", report.detail
            steps.append(report.job)
        progress = 0.5 if provider == "openai" else None
        assert steps[0] is not None
        assert (steps[0]["step"], bool(steps[0]["id"])) == ("submitted", True)
        assert steps[1:] == [{"step": "running", "progress": progress}, {"step": "made"}]


def test_a_step_that_failed_is_read_as_its_error_and_one_that_is_no_sense_is_not() -> None:
    look = {"method": "GET", "url": "https://api.openai.com/v1/videos/video_1"}
    failed = {"id": "video_1", "status": "failed", "error": {"code": "odd", "message": "it broke"}}
    for body, verdict in ((failed, "read"), ({"unheard_of": 1}, "failed")):
        said = {"provider": "openai", "kind": "video", "request": look, "response": {"status": 200, "body": body}}
        assert replay_exchange(said).verdict == verdict
    refused = {"status": 401, "body": {"error": {"message": "who are you"}}}
    report = replay_exchange({"provider": "openai", "kind": "video", "request": look, "response": refused})
    assert (report.verdict, report.error and report.error["class"]) == ("read", "AuthenticationError")
    elsewhere = {"method": "GET", "url": "https://a.example/other"}
    for provider, request in (("openai", elsewhere), ("openai", {}), ("nobody", look)):
        said = {"provider": provider, "kind": "video", "request": request, "response": refused}
        assert replay_exchange(said).verdict == "unsupported"


def test_a_picture_or_a_text_may_have_come_in_pieces() -> None:
    lines = [{"type": "transcript.text.delta", "delta": "Hel"}, {"type": "transcript.text.done", "text": "Hello"}]
    text = "retry: 3000\n\n" + "".join(f"data: {json.dumps(line)}\n\n" for line in lines)
    heard = {
        "provider": "openai",
        "kind": "transcription",
        "request": {"url": "https://api.openai.com/v1/audio/transcriptions"},
        "response": {"status": 200, "body_text": text},
    }
    report = replay_exchange(heard)
    assert (report.verdict, report.content) == ("read", "Hello")
