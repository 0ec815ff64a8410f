"""Gemini models that speak and that transcribe, made from google-genai 3.6.1 (types.py) and of nothing of ours.

UNVERIFIED, as only an answer with sound was recorded: in what portions sound and transcriptions are streamed.
"""

from __future__ import annotations

import asyncio
import json
import re
import threading
from base64 import b64encode
from typing import Any

from aiohttp import web

Json = dict[str, Any]
SAMPLES = (b"\x01\x00\x02\x00", b"\x03\x00", b"\x04\x00\x05\x00")
"""What is said, in the portions of a stream."""
MIME = "audio/L16;codec=pcm;rate=24000"
USAGE = {
    "promptTokenCount": 9, "candidatesTokenCount": 5, "totalTokenCount": 14,
    "promptTokensDetails": [{"modality": "AUDIO", "tokenCount": 9}],
}  # fmt: skip


def camel(value: Any) -> Any:
    """The service takes names in both spellings, and the SDK writes some in each."""
    if isinstance(value, dict):
        return {re.sub("_(.)", lambda found: found[1].upper(), name): camel(item) for name, item in value.items()}
    return [camel(item) for item in value] if isinstance(value, list) else value


def heard(text: str, speaker: str, start: float, timed: bool = True) -> Json:
    """A transcription of words of half a second each."""
    said: Json = {"text": text, "speakerLabel": speaker, "languageCode": "en-US"}
    if timed:
        words = text.split()
        ends = [start + 0.5 * (index + 1) for index in range(len(words))]
        said["words"] = [
            {"word": word, "startOffset": f"{end - 0.5}s", "endOffset": f"{end}s"}
            for word, end in zip(words, ends, strict=True)
        ]
        said |= {"startOffset": f"{start}s", "endOffset": f"{ends[-1]}s"}
    return {"audioTranscription": said}


class SoundHouse:
    """`bodies` are those of all requests. `go_on` holds a stream after its first event. `finish` is how answers end."""

    def __init__(self) -> None:
        self.bodies: list[Json] = []
        self.requests: list[str] = []
        self.go_on = threading.Event()
        self.go_on.set()
        self.finish = "STOP"
        self.empty = False

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        body = camel(await request.json())
        self.bodies.append(body)
        self.requests.append(request.path.rpartition("/")[2])
        parts = [] if self.empty else self._answer(body.get("generationConfig", {}))
        if not request.path.endswith(":streamGenerateContent"):
            return web.json_response(self._reply(parts, last=True))
        response = web.StreamResponse(headers={"content-type": "text/event-stream"})
        await response.prepare(request)
        for index, part in enumerate(parts):
            event = self._reply([part], last=index == len(parts) - 1)
            await response.write(b"data: " + json.dumps(event).encode() + b"\r\n\r\n")
            await asyncio.to_thread(self.go_on.wait, 10)
        return response

    def _answer(self, config: Json) -> list[Json]:
        if config.get("responseModalities") == ["AUDIO"]:
            return [{"inlineData": {"mimeType": MIME, "data": b64encode(piece).decode()}} for piece in SAMPLES]
        if (asked := config.get("audioTranscriptionConfig")) is not None:
            timed = asked.get("wordTimestamp", False)
            return [heard("Good morning.", "spk_1", 0.25, timed), heard("Who is it?", "spk_2", 1.5, timed)]
        return [{"text": "Good morning. "}, {"text": "Who is it?\n"}]

    def _reply(self, parts: list[Json], *, last: bool) -> Json:
        candidate: Json = {"content": {"role": "model", "parts": parts}, "index": 0}
        if last:
            candidate["finishReason"] = self.finish
        return {"candidates": [candidate], "modelVersion": "m-1", "usageMetadata": USAGE}
