"""ElevenLabs' WebSockets, made from its documentation (elevenlabs 2.78.0, 2026-11-22) and of nothing of ours.

UNVERIFIED, as there are no recordings of them: what is said of a commit with nothing to commit, and with which code a
session of speech is closed after its last frame.
"""

from __future__ import annotations

import asyncio
import threading
from base64 import b64decode, b64encode
from typing import Any

from aiohttp import WSMsgType, web

Json = dict[str, Any]
BEGINNERS = {"eleven_flash_v2", "eleven_flash_v2_5", "eleven_turbo_v2", "eleven_turbo_v2_5", "eleven_multilingual_v2"}
SETTINGS = {
    "/stream-input": {
        "model_id", "output_format", "language_code", "enable_logging", "enable_ssml_parsing", "inactivity_timeout",
        "sync_alignment", "auto_mode", "apply_text_normalization", "seed", "authorization", "single_use_token",
    },
    "/realtime": {
        "model_id", "audio_format", "commit_strategy", "vad_silence_threshold_secs", "vad_threshold",
        "min_speech_duration_ms", "min_silence_duration_ms", "language_code", "secondary_languages",
        "include_timestamps", "include_language_detection", "keyterms", "no_verbatim", "filter_background_audio",
        "enable_logging", "token",
    },
}  # fmt: skip
"""What each address may hold."""


def sound_of(text: str) -> bytes:
    """What is heard of a text: its letters, so that it can be told what was spoken."""
    return f"<{text.strip()}>".encode()


def frame(text: str, *, timed: bool, snake: bool = False) -> Json:
    """Sound, with a tenth of a second for each letter, from the beginning of this sound on."""
    times: Json | None = None
    if timed:
        starts, durations = [100 * index for index in range(len(text))], [100] * len(text)
        names = ("char_start_times_ms", "char_durations_ms") if snake else ("charStartTimesMs", "charDurationsMs")
        times = {"chars": list(text), names[0]: starts, names[1]: durations}
    audio = b64encode(sound_of(text)).decode()
    if snake:
        return {"audio": audio, "alignment": times}
    return {"audio": audio, "isFinal": None, "alignment": times, "normalizedAlignment": times}


class Sockets:
    """`go_on` holds each session after its first sound or text; `breaks` tears it there, `refuses` says an error word
    there, `silent` says nothing more at all. `messages` are those of the last session.
    """

    def __init__(self) -> None:
        self.go_on = threading.Event()
        self.go_on.set()
        self.breaks = self.silent = False
        self.refuses = ""
        self.messages: list[Json] = []
        self.query: list[tuple[str, str]] = []
        self.taken = threading.Semaphore(0)
        """Released at each message of a session of speech."""
        self.left = threading.Event()
        """Set once a session is over, however it ended."""

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        self.messages, self.query = [], [(name, value) for name, value in request.query.items()]
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        kind = next((kind for kind in SETTINGS if request.path.endswith(kind)), "")
        unknown = {name for name, _ in self.query} - SETTINGS[kind] - {"unheard_of"}
        assert not unknown, unknown
        try:
            if kind == "/realtime":
                await Heard(self, request, socket).run()
            else:
                await Spoken(self, request, socket).run()
        finally:
            self.left.set()
        return socket

    async def pause(self, socket: web.WebSocketResponse, request: web.Request) -> bool:
        """What happens after the first piece; False where the session is over with that."""
        await asyncio.to_thread(self.go_on.wait, 10)
        if self.breaks:
            assert request.transport is not None
            request.transport.abort()
            return False
        if self.silent:
            async for _ in socket:
                pass
            return False
        return True

    async def say_error(self, socket: web.WebSocketResponse, body: Json, code: int) -> None:
        await socket.send_json(body)
        await socket.close(code=code, message=str(body.get("message", "")).encode())


class Spoken:
    """`…/stream-input`, of text-to-speech and of text-to-dialogue."""

    def __init__(self, sockets: Sockets, request: web.Request, socket: web.WebSocketResponse) -> None:
        self.sockets, self.request, self.socket = sockets, request, socket
        self.dialogue = "text-to-dialogue" in request.path
        self.timed = request.query.get("sync_alignment") == "true"
        self.text, self.spoken = "", 0

    async def run(self) -> None:
        async for message in self.socket:
            if message.type is not WSMsgType.TEXT:
                return None
            said = message.json()
            first = not self.sockets.messages
            self.sockets.messages.append(said)
            self.sockets.taken.release()
            if fault := self._fault(said, first):
                return await self.sockets.say_error(
                    self.socket, {"message": fault, "error": "invalid_request", "code": 1008}, 1008
                )
            if not await self._take(said, first):
                return None
        return None

    def _fault(self, said: Json, first: bool) -> str:
        model = self.request.query["model_id"]
        if self.dialogue != (model not in BEGINNERS):
            return f"model {model} is not supported here"
        if self.dialogue:
            return "voices are missing" if first and not said.get("voices") else ""
        if first and said["text"] != " ":
            return "the first message must be a blank space"
        return "the text must end with a space" if said["text"] and not said["text"].endswith(" ") else ""

    async def _take(self, said: Json, first: bool) -> bool:
        self.text += "".join(line["text"] for line in said.get("inputs", ())) if self.dialogue else said["text"]
        ended = said.get("close_socket") if self.dialogue else said["text"] == ""
        if (said.get("flush") or ended) and self.text.strip() and not await self._speak():
            return False
        if not ended:
            return True
        last = {"is_final": True} if self.dialogue else {"audio": None, "isFinal": True, "alignment": None}
        await self.socket.send_json(last)
        await self.socket.close()
        return False

    async def _speak(self) -> bool:
        text, self.text = self.text.lstrip(), ""
        await self.socket.send_json(frame(text, timed=self.timed, snake=self.dialogue))
        self.spoken += 1
        if self.spoken > 1:
            return True
        if self.sockets.refuses:
            body = {"message": "no more of it", "error": self.sockets.refuses, "code": 1008}
            await self.sockets.say_error(self.socket, body, 1008)
            return False
        return await self.sockets.pause(self.socket, self.request)


class Heard:
    """`…/speech-to-text/realtime`: each message of sound is a word, the sound itself being its letters. By itself it
    commits at sound that ends with a full stop, where it is to listen for pauses.
    """

    def __init__(self, sockets: Sockets, request: web.Request, socket: web.WebSocketResponse) -> None:
        self.sockets, self.request, self.socket = sockets, request, socket
        self.by_itself = request.query.get("commit_strategy") == "vad"
        self.timed = request.query.get("include_timestamps") == "true"
        self.words: list[str] = []
        self.clock, self.said = 0.0, 0

    async def run(self) -> None:
        await self.socket.send_json({"message_type": "session_started", "session_id": "s-1", "config": {}})
        async for message in self.socket:
            if message.type is not WSMsgType.TEXT:
                return
            said = message.json()
            assert said["message_type"] == "input_audio_chunk"
            self.sockets.messages.append(said)
            word = b64decode(said["audio_base_64"]).decode()
            if word:
                self.words.append(word)
                await self._say("partial_transcript", text=" ".join(self.words))
                if not await self._after_the_first():
                    return
            if said["commit"] or (self.by_itself and word.endswith(".")):
                await self._commit()

    async def _after_the_first(self) -> bool:
        self.said += 1
        if self.said > 1:
            return True
        if self.sockets.refuses:
            await self._say(self.sockets.refuses, error="no more of it")
            await self.socket.close(code=1008)
            return False
        return await self.sockets.pause(self.socket, self.request)

    async def _commit(self) -> None:
        if not self.words:
            return await self._say("commit_throttled", error="only 0.00 s of uncommitted audio")
        text, words = " ".join(self.words), []
        for word in self.words:
            words.append({"text": word, "start": self.clock, "end": self.clock + 0.5, "type": "word", "logprob": 0.0})
            words.append({"text": " ", "start": self.clock + 0.5, "end": self.clock + 0.5, "type": "spacing"})
            self.clock += 0.5
        self.words = []
        await self._say("committed_transcript", text=text)
        if self.timed:
            await self._say("committed_transcript_with_timestamps", text=text, language_code="en", words=words)
        return None

    async def _say(self, kind: str, **fields: Any) -> None:
        await self.socket.send_json({"message_type": kind, **fields})
