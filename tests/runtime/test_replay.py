"""Recorded exchanges of a vendor's own protocol: found by address or by the reply, and judged where there is a reader."""

from __future__ import annotations

from typing import Any

import pytest

from betterai.core.provider import Provider
from betterai.providers.ollama.chat import OllamaChat
from betterai.providers.ollama.native import OllamaNative
from betterai.runtime.registry import provider_within
from betterai.runtime.replay import replay_exchange

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
