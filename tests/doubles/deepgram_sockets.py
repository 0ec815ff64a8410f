"""Deepgram's WebSockets of speech and of Flux, made from its documentation (deepgram-sdk 7.17.0) and of nothing of ours.

UNVERIFIED, as there are no recordings of them: whether speech is made before a flush; how Flux ends a turn that is
under way when the sound ends (here: not at all).
"""

from __future__ import annotations

import asyncio
import threading
from typing import Any

from aiohttp import WSMsgType, web

Json = dict[str, Any]
SPEAK = {"model", "encoding", "sample_rate", "speed", "mip_opt_out"}
FLUX = {
    "model", "encoding", "sample_rate", "eot_threshold", "eager_eot_threshold", "eot_timeout_ms", "keyterm",
    "language_hint", "profanity_filter", "numerals", "redact", "tag", "mip_opt_out",
}  # fmt: skip


def sound_of(text: str) -> bytes:
    return f"<{text.strip()}>".encode()


class Sockets:
    """`go_on` holds each session after its first sound. `says` is a message that comes with it, `closes` a code and a
    reason to leave with at that point. `messages` are those of the last session, sound as bytes.
    """

    def __init__(self, go_on: threading.Event) -> None:
        self.go_on = go_on
        self.says: Json | None = None
        self.closes: tuple[int, bytes] | None = None
        self.messages: list[Any] = []
        self.query: list[tuple[str, str]] = []

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        self.messages, self.query = [], [(name, value) for name, value in request.query.items()]
        flux = request.path == "/v2/listen"
        unknown = {name for name, _ in self.query} - (FLUX if flux else SPEAK) - {"unheard_of"}
        assert not unknown, unknown
        socket = web.WebSocketResponse()
        socket.headers["dg-request-id"] = "req-4"
        await socket.prepare(request)
        await (self._hear(request, socket) if flux else self._speak(request, socket))
        return socket

    async def after_the_first(self, socket: web.WebSocketResponse) -> bool:
        if self.says is not None:
            await socket.send_json(self.says)
        await asyncio.to_thread(self.go_on.wait, 10)
        if self.closes is not None:
            await socket.close(code=self.closes[0], message=self.closes[1])
            return False
        return True

    async def _speak(self, request: web.Request, socket: web.WebSocketResponse) -> None:
        """Says what it was told at each flush."""
        assert request.query["encoding"] in ("linear16", "mulaw", "alaw")
        named = {"model_name": request.query["model"], "model_version": "1", "model_uuid": "u"}
        await socket.send_json({"type": "Metadata", "request_id": "req-5", **named})
        text, flushes = "", 0
        async for message in socket:
            if message.type is not WSMsgType.TEXT:
                return
            said = message.json()
            self.messages.append(said)
            if said["type"] == "Close":
                await socket.close()
            elif said["type"] == "Clear":
                text = ""
                await socket.send_json({"type": "Cleared", "sequence_id": flushes})
            elif said["type"] == "Speak":
                text += said["text"]
            elif said["type"] == "Flush":
                if text.strip():
                    await socket.send_bytes(sound_of(text))
                text = ""
                if not flushes and not await self.after_the_first(socket):
                    return
                await socket.send_json({"type": "Flushed", "sequence_id": flushes})
                flushes += 1

    async def _hear(self, request: web.Request, socket: web.WebSocketResponse) -> None:
        """Hears a word in each frame of sound, half a second long; one that ends with a full stop ends the turn."""
        flux, eager = Flux(), "eager_eot_threshold" in request.query
        await socket.send_json({"type": "Connected", "request_id": "req-6", "sequence_id": 0})
        async for message in socket:
            if message.type is not WSMsgType.BINARY:
                said = message.json()
                self.messages.append(said)
                assert said == {"type": "CloseStream"}
                await socket.close()
                return
            self.messages.append(message.data)
            for info in flux.hear(message.data.decode(), eager):
                await socket.send_json(info)
            if len(self.messages) == 1 and not await self.after_the_first(socket):
                return


class Flux:
    """What is said of the words of a session."""

    def __init__(self) -> None:
        self.words: list[Json] = []
        self.turn, self.number, self.clock, self.begun = 0, 0, 0.0, 0.0
        self.eager = False

    def hear(self, word: str, eager: bool) -> list[Json]:
        events = ["Update" if self.words else "StartOfTurn"]
        if self.eager:
            events, self.eager = ["TurnResumed"], False
        self.words.append({"word": word, "confidence": 0.9, "start": self.clock, "end": self.clock + 0.5})
        self.clock += 0.5
        if word.endswith("?") and eager:
            self.eager = True
            events.append("EagerEndOfTurn")
        if word.endswith("."):
            events.append("EndOfTurn")
        said = [self._tell(event) for event in events]
        if word.endswith("."):
            self.turn, self.words, self.begun = self.turn + 1, [], self.clock
        return said

    def _tell(self, event: str) -> Json:
        self.number += 1
        return {
            "type": "TurnInfo", "request_id": "req-6", "sequence_id": self.number, "event": event,
            "turn_index": self.turn, "audio_window_start": self.begun, "audio_window_end": self.clock,
            "transcript": " ".join(word["word"] for word in self.words), "words": list(self.words),
            "end_of_turn_confidence": 0.5, **({"trigger": "model"} if event == "EndOfTurn" else {}),
        }  # fmt: skip
