"""xAI's WebSocket of transcription, made from what its clients know of it and of nothing of ours.

UNVERIFIED, as there are no recordings: in what pieces texts come. Here each frame of sound is a word of half a second; a
comma ends a stretch, a full stop an utterance. `stitches` says whether the text of an utterance holds its stretches.
"""

from __future__ import annotations

import asyncio
import threading
from typing import Any

from aiohttp import WSMsgType, web

Json = dict[str, Any]
KNOWN = {
    "sample_rate", "encoding", "language", "interim_results", "endpointing", "diarize", "smart_turn",
    "smart_turn_timeout", "keyterm",
}  # fmt: skip


class XAISocket:
    """`go_on` holds the session after its first word. `says` is a message that comes then, `closes` whether it leaves."""

    def __init__(self) -> None:
        self.go_on = threading.Event()
        self.go_on.set()
        self.stitches = True
        self.says: Json | None = None
        self.closes = False
        self.messages: list[Any] = []
        self.query: list[tuple[str, str]] = []
        self.clock = self.begun = 0.0
        self.stretch: list[Json] = []
        self.utterance: list[Json] = []
        self.whole: list[Json] = []

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        self.query = list(request.query.items())
        assert request.path == "/stt", request.path
        assert {name for name, _ in self.query} <= KNOWN, self.query
        interim = request.query.get("interim_results") == "true"
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_json({"type": "transcript.created", "id": "s-1"})
        async for message in socket:
            if message.type is not WSMsgType.BINARY:
                self.messages.append(message.json())
                assert message.json() == {"type": "audio.done"}
                await self._end(socket)
                break
            self.messages.append(message.data)
            for said in self._hear(message.data.decode()):
                if interim or said["is_final"]:
                    await socket.send_json(said)
            if len(self.messages) == 1 and not await self._after_the_first(socket):
                break
        await socket.close()
        return socket

    async def _after_the_first(self, socket: web.WebSocketResponse) -> bool:
        if self.says is not None:
            await socket.send_json(self.says)
        await asyncio.to_thread(self.go_on.wait, 10)
        return not self.closes

    def _hear(self, word: str) -> list[Json]:
        self.stretch.append(
            {"text": word, "start": self.clock, "end": self.clock + 0.5, "speaker": 0, "confidence": 0.9}
        )
        self.clock += 0.5
        ends, over = word.endswith((",", ".")), word.endswith(".")
        said = self._tell(self.stretch, is_final=ends)
        if not ends:
            return [said]
        self.utterance.extend(self.stretch)
        last, self.stretch = self.stretch, []
        if not over:
            return [said]
        told = self._tell(self.utterance if self.stitches else last, is_final=True, speech_final=True)
        self.whole.extend(self.utterance)
        self.utterance = []
        return [told]

    def _tell(self, words: list[Json], *, is_final: bool = False, speech_final: bool = False) -> Json:
        return {
            "type": "transcript.partial", "text": " ".join(word["text"] for word in words), "is_final": is_final,
            "speech_final": speech_final, "start": words[0]["start"], "duration": self.clock - words[0]["start"],
            "channel_index": 0, "words": list(words),
        }  # fmt: skip

    async def _end(self, socket: web.WebSocketResponse) -> None:
        if self.stretch:
            await socket.send_json(self._tell(self.stretch, is_final=True))
            self.utterance.extend(self.stretch)
        text = " ".join(word["text"] for word in (*self.whole, *self.utterance))
        await socket.send_json({"type": "transcript.done", "text": text, "duration": self.clock})
