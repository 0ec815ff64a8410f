"""A stand-in for ElevenLabs, made from its documentation (elevenlabs 2.78.0, 2026-11-22) and of nothing of ours.

UNVERIFIED, as there are no recordings of it: the type that a stream with times calls itself, and whether the times in
each of its lines count from the beginning of the sound.
"""

from __future__ import annotations

import asyncio
import json
import threading
from base64 import b64encode
from email import message_from_bytes
from typing import Any

from aiohttp import web

from doubles.elevenlabs_sockets import Sockets

KEY = "xi-key"
VOICE = "voice-1"
PIECES = (b"ID3 the first piece;", b" the second;", b" and the last.")
TEXT = "Hello, dear world."
VOICES = [
    {"voice_id": f"id-{number}", "name": f"Voice {number}", "labels": {"gender": "female"}} for number in range(250)
]


def refuse(status: int, word: str, message: str) -> web.Response:
    return web.json_response({"detail": {"status": word, "message": message}}, status=status)


def alignment(text: str, begin: float = 0.0) -> dict[str, Any]:
    """A tenth of a second for each letter."""
    starts = [round(begin + index / 10, 3) for index in range(len(text))]
    ends = [round(start + 0.1, 3) for start in starts]
    return {"characters": list(text), "character_start_times_seconds": starts, "character_end_times_seconds": ends}


def timed(sound: bytes, text: str, begin: float = 0.0) -> dict[str, Any]:
    times = alignment(text, begin)
    return {"audio_base64": b64encode(sound).decode(), "alignment": times, "normalized_alignment": times}


def read_form(content_type: str, body: bytes) -> list[tuple[str, str]]:
    """The fields of a form, files by their name."""
    message = message_from_bytes(f"Content-Type: {content_type}\r\n\r\n".encode() + body)
    return [
        (str(part.get_param("name", header="content-disposition")), part.get_filename() or str(part.get_payload()))
        for part in message.walk()
        if not part.is_multipart()
    ]


class ElevenLabs:
    """Speaks every text as the same sound. A stream waits after its first piece until `go_on` is set.

    `cuts` says how the text of a timed stream is cut, `relative` that the times of each line begin at 0; `breaks` that
    the connection is torn after the first piece.
    """

    def __init__(self) -> None:
        self.go_on = threading.Event()
        self.go_on.set()
        self.cuts: tuple[str, ...] = ("Hello, de", "ar wor", "ld.")
        self.relative = False
        self.breaks = False
        self.sockets = Sockets()
        self.heard: list[tuple[str, str]] = []
        """The fields of the last form, files by their name."""

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        if request.headers.get("xi-api-key") != KEY:
            return refuse(401, "invalid_api_key", "Invalid API key")
        if request.headers.get("Upgrade", "").lower() == "websocket":
            return await self.sockets(request)
        _, version, place, *rest = request.path.split("/")
        if (version, place) == ("v2", "voices"):
            return self._list_voices(request)
        if (version, place) == ("v1", "speech-to-text"):
            return self._hear(read_form(request.headers["Content-Type"], await request.read()))
        if (version, place) != ("v1", "text-to-speech"):
            return web.json_response({"detail": "Not Found"}, status=404)
        body = await request.json()
        if rest[0] != VOICE:
            return refuse(404, "voice_not_found", f"A voice with the voice_id {rest[0]} was not found.")
        if not body.get("text"):
            fault = {"loc": ["body", "text"], "msg": "Field required", "type": "missing"}
            return web.json_response({"detail": [fault]}, status=422)
        if rest[1:] == ["with-timestamps"]:
            return web.json_response(timed(b"".join(PIECES), body["text"]))
        if rest[1:] == ["stream", "with-timestamps"]:
            return await self._stream(request, "application/json", self._lines())
        if rest[1:] == ["stream"]:
            return await self._stream(request, "audio/mpeg", list(PIECES))
        return web.Response(body=b"".join(PIECES), content_type="audio/mpeg", headers={"request-id": "r-1"})

    def _lines(self) -> list[bytes]:
        lines, begin = [], 0.0
        for sound, text in zip(PIECES, self.cuts, strict=True):
            lines.append(json.dumps(timed(sound, text, 0.0 if self.relative else begin)).encode() + b"\n\n")
            begin += len(text) / 10
        return lines

    async def _stream(self, request: web.Request, kind: str, pieces: list[bytes]) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": kind})
        await response.prepare(request)
        await response.write(pieces[0])
        await asyncio.to_thread(self.go_on.wait, 10)
        if self.breaks:
            assert request.transport is not None
            request.transport.abort()
            return response
        for piece in pieces[1:]:
            await response.write(piece)
        return response

    def _hear(self, fields: list[tuple[str, str]]) -> web.Response:
        """The same words of every recording, by two speakers where they are told apart."""
        self.heard, form = fields, dict(fields)
        if form.get("model_id") not in ("scribe_v1", "scribe_v2") or ("file" in form) == ("source_url" in form):
            return refuse(400, "invalid_parameters", "Exactly one of the file or source_url must be provided.")
        words = [
            {"text": text, "start": start, "end": start + 0.5, "type": kind, "logprob": -0.25, "speaker_id": None}
            for text, start, kind in (("Hello", 0.0, "word"), (" ", 0.5, "spacing"), ("(laughter)", 1.0, "audio_event"))
        ]
        if form.get("diarize") == "true":
            words = [{**word, "speaker_id": f"speaker_{index // 2}"} for index, word in enumerate(words)]
        said = {"language_code": "eng", "language_probability": 0.98, "text": "Hello (laughter)", "words": words}
        return web.json_response({**said, "transcription_id": "t-1", "audio_duration_secs": 1.5})

    def _list_voices(self, request: web.Request) -> web.Response:
        start = int(request.query.get("next_page_token", "0"))
        end = start + int(request.query["page_size"])
        more = end < len(VOICES)
        page = {"voices": VOICES[start:end], "has_more": more, "total_count": len(VOICES)}
        return web.json_response({**page, "next_page_token": str(end) if more else None})
