"""Sessions whose other side is gone without a word, and readers that are slow."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

import betterai
from betterai import CoreConfig
from betterai.core.exceptions import StreamInterrupted
from betterai.runtime.realtime import inbox
from betterai.transport.http import HTTPTransport
from betterai.transport.options import SessionOptions
from doubles.voices import VoiceService, serve_voice

HEARTBEAT = 0.1


def connect(url: str, transport: HTTPTransport, **settings: Any) -> Any:
    config = CoreConfig(model="openai/gpt-realtime-2.1", base_url=url, api_key="test-key", retries=0)
    provider = betterai.get_realtime_provider(config, transport=lambda: transport)
    return provider.connect("", betterai.RealtimeSettings(**settings))


async def test_j3_a_peer_that_says_nothing_any_more_is_found_by_its_missing_pong() -> None:
    """With the usual heartbeat of 5 s it takes 7.5 s: J3 wants it within 10."""
    assert SessionOptions().heartbeat * 1.5 < 10
    service = VoiceService()
    transport = HTTPTransport(SessionOptions(heartbeat=HEARTBEAT))
    async with serve_voice(service) as url, await connect(url, transport) as session:
        async for event in session:
            if isinstance(event, betterai.SessionUpdated):
                break
        peer = service.sessions[0].socket._req
        assert peer is not None
        assert peer.transport is not None
        peer.transport.pause_reading()
        began = asyncio.get_running_loop().time()
        with pytest.raises(StreamInterrupted, match="no answer to a ping"):
            async for _ in session:
                pass
        assert asyncio.get_running_loop().time() - began < HEARTBEAT * 10
        peer.transport.resume_reading()


async def test_a_slow_reader_slows_the_provider_and_is_not_taken_for_a_dead_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(inbox.Inbox.__init__, "__defaults__", (256 * 1024,))
    service = VoiceService()
    service.word_bytes = 1024 * 1024
    transport = HTTPTransport(SessionOptions(heartbeat=HEARTBEAT))
    words = " ".join(["word"] * 22)
    async with serve_voice(service) as url, await connect(url, transport) as session:
        await session.send_text(words)
        peer = service.sessions
        while not peer or peer[0].answering is None:  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0.01)
        await asyncio.sleep(HEARTBEAT * 4)
        assert not peer[0].answering.done()
        waiting = session._inbox._bytes
        assert waiting < 256 * 1024 + 2 * service.word_bytes
        sound = 0
        async for event in session:
            if isinstance(event, betterai.OutputAudio):
                sound += len(event.audio)
            if isinstance(event, betterai.ResponseDone):
                break
    assert sound == 24 * service.word_bytes
