"""A stand-in for Deepgram, made from its documentation (deepgram-sdk 7.17.0, 2026-11-22) and of nothing of ours."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

from aiohttp import web

from doubles.deepgram_sockets import Sockets

KEY = "dg-key"
PIECES = (b"ID3 the first piece;", b" the second;", b" and the last.")
SAID = (("Hello", "Hello,", 0.1, 0.5, 0), ("world", "world.", 0.6, 1.0, 0), ("yes", "Yes.", 1.5, 2.0, 1))
SECONDS = 2.5
VOICES = [
    {"name": "thalia", "canonical_name": "aura-2-thalia-en", "architecture": "aura-2", "languages": ["en", "en-US"],
     "version": "1", "uuid": "u", "metadata": {"accent": "American", "age": "Adult", "sample": "https://a.example/t.wav",
                                              "tags": ["feminine", "clear"], "use_cases": ["IVR"]}},
    {"name": "zeus", "canonical_name": "aura-2-zeus-en"},
]  # fmt: skip


def refuse(status: int, code: str, message: str) -> web.Response:
    return web.json_response({"err_code": code, "err_msg": message, "request_id": "req-1"}, status=status)


def listened(query: Any, seconds: float = SECONDS) -> dict[str, Any]:
    """What is said of a recording, as far as the parameters ask for it."""
    smart, diarize = query.get("smart_format") == "true", query.get("diarize") == "true"

    def word(plain: str, smartly: str, start: float, end: float, speaker: int) -> dict[str, Any]:
        return {
            "word": plain, "start": start, "end": end, "confidence": 0.9,
            **({"punctuated_word": smartly} if smart else {}),
            **({"speaker": speaker, "speaker_confidence": 0.8} if diarize else {}),
        }  # fmt: skip

    words = [word(*said) for said in SAID]
    text = " ".join(item.get("punctuated_word", item["word"]) for item in words)
    alternative: dict[str, Any] = {"transcript": text, "confidence": 0.9, "words": words}
    if smart:
        sentences = [{"text": "Hello, world.", "start": 0.1, "end": 1.0}, {"text": "Yes.", "start": 1.5, "end": 2.0}]
        paragraph = {"sentences": sentences, "num_words": 3, "start": 0.1, "end": 2.0}
        alternative["paragraphs"] = {"transcript": f"\n{text}", "paragraphs": [paragraph]}
    channel: dict[str, Any] = {"alternatives": [alternative]}
    if query.get("detect_language") == "true":
        channel |= {"detected_language": "en", "language_confidence": 0.99}
    channels = [channel] * (2 if query.get("multichannel") == "true" else 1)
    results: dict[str, Any] = {"channels": channels}
    if query.get("utterances") == "true":
        groups = (words[:2], words[2:])
        results["utterances"] = [
            {
                "start": group[0]["start"], "end": group[-1]["end"], "confidence": 0.85, "channel": 0, "words": group,
                "transcript": " ".join(item.get("punctuated_word", item["word"]) for item in group), "id": "u",
                **({"speaker": group[0]["speaker"]} if diarize else {}),
            }
            for group in groups
        ]  # fmt: skip
    return {"metadata": {"request_id": "req-1", "duration": seconds, "channels": len(channels)}, "results": results}


class Deepgram:
    """Hears every sound as the same words, speaks every text as the same sound; it streams as `go_on` lets it."""

    def __init__(self) -> None:
        self.go_on = threading.Event()
        self.go_on.set()
        self.kept_alive = threading.Event()
        self.sockets = Sockets(self.go_on)
        self.asked: dict[str, list[str]] = {}
        """The parameters of the last request, each as often as it came."""

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        self.asked = {name: request.query.getall(name) for name in request.query}
        if request.headers.get("Authorization") != f"Token {KEY}":
            return refuse(401, "INVALID_AUTH", "Invalid credentials.")
        if request.query.get("model", "").startswith("unheard-of"):
            return refuse(400, "Bad Request", "Bad Request: No such model/language/tier combination found.")
        if request.headers.get("Upgrade", "").lower() == "websocket":
            return await (self._listen_live if request.path == "/v1/listen" else self.sockets)(request)
        if request.path == "/v1/listen":
            return web.json_response(listened(request.query), headers={"dg-request-id": "req-1"})
        if request.path == "/v1/models":
            return web.json_response({"stt": [], "tts": VOICES})
        if request.path != "/v1/speak":
            return web.Response(status=404, text="Not Found")
        text = (await request.json())["text"]
        headers = {"Content-Type": "audio/mpeg", "dg-char-count": str(len(text)), "dg-request-id": "req-2"}
        response = web.StreamResponse(headers=headers)
        await response.prepare(request)
        await response.write(PIECES[0])
        await asyncio.to_thread(self.go_on.wait, 10)
        for piece in PIECES[1:]:
            await response.write(piece)
        return response

    async def _listen_live(self, request: web.Request) -> web.StreamResponse:
        """Hears a word in each binary frame, first as a guess where that is asked for, and says at the end how much."""
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        count = 0
        async for message in socket:
            if message.data == '{"type":"KeepAlive"}':
                self.kept_alive.set()
                continue
            if message.type is not web.WSMsgType.BINARY:
                break
            plain, smart, start, end, _ = SAID[count]
            guesses = [False, True] if request.query.get("interim_results") == "true" else [True]
            for final in guesses:
                word = {"word": plain, "punctuated_word": smart, "start": start, "end": end, "confidence": 0.9}
                alternative = {"transcript": smart if final else plain, "confidence": 0.9, "words": [word]}
                await socket.send_json(
                    {"type": "Results", "channel_index": [0, 1], "duration": 1.0, "start": start, "is_final": final,
                     "speech_final": final, "channel": {"alternatives": [alternative]}}
                )  # fmt: skip
            count += 1
        if count == len(SAID):
            await socket.send_json({"type": "Metadata", "request_id": "req-3", "duration": SECONDS, "channels": 1})
        await socket.close()
        return socket
