"""Takes uploads and forgets them, gives films and pictures of any size: a process of its own, with little memory."""

from __future__ import annotations

import asyncio
import json
import sys
from base64 import b64encode

from aiohttp import web

BLOCK = bytes(1024 * 1024)
PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(20 * 1024 * 1024)


async def take(request: web.Request) -> int:
    """Read a body to its end, and keep nothing of it."""
    size = 0
    async for piece in request.content.iter_any():
        size += len(piece)
    return size


async def transcribe(request: web.Request) -> web.Response:
    return web.json_response({"text": f"{await take(request)} bytes"})


async def announce(request: web.Request) -> web.Response:
    place = f"{request.url.origin()}/{request.match_info['size']}/sent"
    return web.json_response({}, headers={"X-Goog-Upload-URL": place})


async def keep_file(request: web.Request) -> web.Response:
    size = await take(request)
    return web.json_response({"file": {"name": "files/a", "sizeBytes": str(size), "state": "ACTIVE"}})


async def submit(request: web.Request) -> web.Response:
    await take(request)
    return web.json_response({"id": "video_1", "status": "queued"})


async def look(request: web.Request) -> web.Response:
    return web.json_response({"id": "video_1", "status": "completed", "progress": 100})


async def send_film(request: web.Request) -> web.StreamResponse:
    size = int(request.match_info["size"])
    response = web.StreamResponse(headers={"Content-Type": "video/mp4", "Content-Length": str(size)})
    await response.prepare(request)
    for _ in range(size // len(BLOCK)):
        await response.write(BLOCK)
    return response


async def chat(request: web.Request) -> web.Response:
    size = await take(request)
    choice = {"index": 0, "message": {"role": "assistant", "content": f"{size}"}, "finish_reason": "stop"}
    usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
    return web.json_response(
        {"id": "c", "object": "chat.completion", "model": "m", "choices": [choice], "usage": usage}
    )


async def gemini(request: web.Request) -> web.Response:
    await take(request)
    part = {"inlineData": {"mimeType": "image/png", "data": "iVBORw0KGgo="}}
    return web.json_response({"candidates": [{"content": {"role": "model", "parts": [part]}, "finishReason": "STOP"}]})


async def draw(request: web.Request) -> web.Response:
    await take(request)
    return web.Response(body=DRAWN, content_type="application/json")


DRAWN = json.dumps({"created": 1, "data": [{"b64_json": b64encode(PICTURE).decode()}], "output_format": "png"}).encode()


async def main() -> None:
    app = web.Application(client_max_size=1 << 34)
    app.router.add_post("/{size}/audio/transcriptions", transcribe)
    app.router.add_post("/{size}/upload/v1beta/files", announce)
    app.router.add_post("/{size}/sent", keep_file)
    app.router.add_post("/{size}/videos", submit)
    app.router.add_get("/{size}/videos/video_1", look)
    app.router.add_get("/{size}/videos/video_1/content", send_film)
    app.router.add_post("/{size}/chat/completions", chat)
    app.router.add_post("/{size}/images/generations", draw)
    app.router.add_post("/{size}/v1beta/models/{rest:.*}", gemini)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.to_thread(sys.stdin.read)  # until who started it is gone


if __name__ == "__main__":
    asyncio.run(main())
