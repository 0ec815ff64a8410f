"""OpenAI's Live API on loopback, scripted: each frame of a client is judged by the official client's types."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

from aiohttp import WSMsgType, web
from openai.types.live import ClientEvent
from pydantic import TypeAdapter

CLIENT: TypeAdapter[Any] = TypeAdapter(ClientEvent)
RESOURCE = {"id": "sess_1", "model": "gpt-live-1", "expires_at": 1900000000, "status": "active"}


class OpenAILiveService:
    """Says words and sound once it heard something, has a function called where there is one, and closes as it is asked."""

    def __init__(self) -> None:
        self.frames: list[dict[str, Any]] = []
        self.socket: Any = None
        self.client_delegation = False

    async def say(self, kind: str, **fields: Any) -> None:
        with suppress(ConnectionError):
            await self.socket.send_str(json.dumps({"type": kind, "event_id": "event_1", **fields}))

    async def answer(self, request: web.Request) -> web.WebSocketResponse:
        assert (request.path, dict(request.query)) == ("/v1/live/sessions", {})
        self.socket = web.WebSocketResponse()
        await self.socket.prepare(request)
        async for message in self.socket:
            if message.type is not WSMsgType.TEXT:
                break
            frame = json.loads(message.data)
            CLIENT.validate_python(frame)
            self.frames.append(frame)
            await self.take(frame)
        return self.socket  # type: ignore[no-any-return]

    async def take(self, frame: dict[str, Any]) -> None:
        match frame["type"]:
            case "session.start":
                await self.say("session.started", session=RESOURCE)
            case "session.input_audio.append":
                await self.say("session.input_transcript.delta", delta="Weather?", start_ms=0, end_ms=400)
                await self.say("session.output_transcript.delta", delta="Let me look.", start_ms=500, end_ms=900)
                await self.say("session.output_audio.delta", delta="AQIDBA==")
                await self.say("session.usage.updated", usage={"seconds": 3.0})
                if self.client_delegation:
                    work = {"id": "del_1", "target": "client", "type": "delegation"}
                    await self.say("session.delegation.created", delegation=work, offset_ms=900)
                    return
                for number in (1, 2):
                    call = {"type": "function_call", "call_id": f"call_{number}", "name": "weather",
                            "arguments": '{"city":"London"}'}  # fmt: skip
                    await self.say("response.event", event={"type": "response.output_item.done", "item": call})
                usage = {"input_tokens": 10, "output_tokens": 5, "total_tokens": 15}
                done = {"type": "response.completed", "response": {"model": "gpt-6-luna", "usage": usage}}
                await self.say("response.event", event=done)
            case "response.create" | "session.commentary.append":
                await self.say("session.output_transcript.delta", delta="It is foggy.", start_ms=2000, end_ms=3000)
                await self.say("session.usage.updated", usage={"seconds": 5.0})
