"""A voice service on loopback that speaks OpenAI's Realtime protocol: made of our server half and a small script.

It hears sound that is not silence as speech, says back what it was told a word at a time, calls the first tool when it
is told of weather, and misbehaves where a test asks for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from time import time
from typing import Any

from aiohttp import WSMsgType, web

from betterai.core.exceptions import AuthenticationError, BetterAIError, ProviderError
from betterai.core.message import Message, Text, ToolCall
from betterai.core.realtime import (
    AudioCleared,
    AudioCommitted,
    InputTranscript,
    ItemAdded,
    ItemTruncated,
    OutputAudio,
    OutputText,
    OutputTranscript,
    RealtimeOutput,
    ResponseDone,
    ResponseStarted,
    SessionError,
    SessionInfo,
    SessionOpened,
    SessionUpdated,
    SpeechStarted,
    SpeechStopped,
    ToolCalled,
)
from betterai.core.realtime_input import (
    AddMessages,
    AddToolResults,
    AppendAudio,
    CancelResponse,
    ClearAudio,
    CommitAudio,
    RealtimeInput,
    Respond,
    TruncateItem,
    UpdateSession,
)
from betterai.core.realtime_settings import RealtimeSettings, read_turn_detection
from betterai.core.usage import Usage
from betterai.core.wire import WireRequest
from betterai.wire.openai_realtime import OpenAIRealtimeSurface

WORD_MS = 100
WORD_BYTES = WORD_MS * 24000 * 2 // 1000
HEARD = "Hello there."


class VoiceService:
    """One service; `sessions` are all that were opened, the last one last."""

    def __init__(self, key: str = "test-key", limit_seconds: float | None = None) -> None:
        self.key = key
        self.limit_seconds = limit_seconds
        self.surface = OpenAIRealtimeSurface()
        self.sessions: list[VoiceSession] = []
        self.requests: list[web.Request] = []
        self.on_frame: Callable[[str], None] | None = None
        self.greeting: list[str] = []
        """Frames of a dialect, behind the first."""
        self.word_seconds = 0.0
        self.word_bytes = WORD_BYTES
        self.hold = asyncio.Event()
        """Answers stop behind their first word until this is set."""
        self.hold.set()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(request)
        if request.path.endswith("/client_secrets"):
            asked = await request.json()
            stands = {**asked["session"], "id": "sess_1", "object": "realtime.session"}
            return web.json_response({"value": "ek_secret_1234", "expires_at": 1900000000, "session": stands})
        try:
            if request.headers.get("Authorization") != f"Bearer {self.key}":
                raise AuthenticationError("Incorrect API key provided", status=401, code="invalid_api_key")
            call = self.surface.accept(WireRequest(url=str(request.rel_url), headers=dict(request.headers)))
        except BetterAIError as error:
            refused = self.surface.build_error(error)
            assert isinstance(refused.body, bytes)
            return web.Response(status=refused.status, body=refused.body, content_type="application/json")
        socket = web.WebSocketResponse(autoping=True)
        await socket.prepare(request)
        session = VoiceSession(self, socket, self.surface.open(call), call.model.id)
        self.sessions.append(session)
        await session.run()
        return socket


class VoiceSession:
    def __init__(self, service: VoiceService, socket: web.WebSocketResponse, state: Any, model: str) -> None:
        self.service, self.socket, self.state, self.model = service, socket, state, model
        self.inputs: list[RealtimeInput] = []
        self.settings = RealtimeSettings()
        self.turns: list[Message] = []
        self.truncated: list[TruncateItem] = []
        self.answering: asyncio.Task[None] | None = None
        self.heard_bytes = 0
        self.speaking = False
        self.count = 0

    def id(self, kind: str) -> str:
        self.count += 1
        return f"{kind}_{len(self.service.sessions)}_{self.count}"

    async def say(self, *events: RealtimeOutput) -> None:
        for event in events:
            for frame in self.state.send(event):
                await self.send_frame(frame)

    async def send_frame(self, frame: str) -> None:
        with suppress(ConnectionError):
            await self.socket.send_str(frame)

    def info(self) -> SessionInfo:
        limit = self.service.limit_seconds
        ends = None if limit is None else time() + limit
        return SessionInfo(id="sess_1", model=self.model, settings=self.settings, expires_at=ends)

    async def run(self) -> None:
        await self.say(SessionOpened(session=self.info()))
        for frame in self.service.greeting:
            await self.send_frame(frame)
        expiry = asyncio.create_task(self.expire())
        try:
            async for message in self.socket:
                if message.type is not WSMsgType.TEXT:
                    break
                if self.service.on_frame is not None:
                    self.service.on_frame(message.data)
                inputs, errors = self.state.receive(message.data)
                for frame in errors:
                    await self.send_frame(frame)
                for event in inputs:
                    self.inputs.append(event)
                    await self.take(event)
        finally:
            expiry.cancel()
            self.stop()

    async def expire(self) -> None:
        if self.service.limit_seconds is None:
            return
        await asyncio.sleep(self.service.limit_seconds)
        said = "Your session hit the maximum duration of 60 minutes."
        await self.say(SessionError(error=ProviderError(said, code="session_expired", provider_message=said)))
        await self.socket.close()

    def abort(self) -> None:
        """Gone without a word."""
        assert self.socket._req is not None
        assert self.socket._req.transport is not None
        self.socket._req.transport.abort()

    def stop(self) -> None:
        if self.answering is not None:
            self.answering.cancel()

    async def take(self, event: RealtimeInput) -> None:
        match event:
            case UpdateSession(settings=settings):
                self.settings = self.settings.replace(**settings.given())
                await self.say(SessionUpdated(session=self.info()))
            case AppendAudio(audio=audio):
                await self.hear(audio)
            case CommitAudio():
                await self.commit()
            case ClearAudio():
                await self.say(AudioCleared())
            case AddMessages(messages=messages):
                for message in messages:
                    await self.add(message)
            case AddToolResults(results=results):
                await self.add(Message(role="tool", parts=results))
            case Respond(event_id=id):
                await self.respond(id)
            case CancelResponse():
                await self.cancel("client_cancelled")
            case TruncateItem(item_id=id, audio_end_ms=end):
                self.truncated.append(event)
                await self.say(ItemTruncated(item_id=id, audio_end_ms=end))

    async def add(self, message: Message, id: str = "") -> None:
        self.turns.append(message)
        id = id or self.id("item")
        await self.say(*(ItemAdded(item_id=id, message=message, done=done) for done in (False, True)))

    async def hear(self, audio: bytes) -> None:
        self.heard_bytes += len(audio)
        turns = read_turn_detection(self.settings.turn_detection)
        if turns is not None and turns.mode == "none":
            return
        at, loud = self.heard_bytes // 48, any(audio)
        if loud and not self.speaking:
            self.speaking = True
            await self.say(SpeechStarted(item_id=self.id("item"), at_ms=at))
            if turns is None or turns.interrupt is not False:
                await self.cancel("turn_detected")
        elif self.speaking and not loud:
            self.speaking = False
            await self.say(SpeechStopped(item_id=f"item_{self.count}", at_ms=at))
            await self.commit()
            await self.respond()

    async def commit(self) -> None:
        id = self.id("item")
        await self.say(AudioCommitted(item_id=id))
        await self.add(Message(role="user", parts=(Text(text=HEARD),)), id)
        if self.settings.transcription:
            usage = Usage(units={"second": 1.0})
            await self.say(
                InputTranscript(item_id=id, delta="Hello"),
                InputTranscript(item_id=id, text=HEARD, final=True, usage=usage),
            )

    async def cancel(self, reason: str) -> None:
        if self.answering is None or self.answering.done():
            return
        self.answering.cancel()
        with suppress(asyncio.CancelledError):
            await self.answering
        await self.say(ResponseDone(finish_reason="interrupted", raw_finish_reason=reason, usage=USAGE))

    async def respond(self, about: str = "") -> None:
        if self.answering is not None and not self.answering.done():
            said = "Conversation already has an active response"
            code = "conversation_already_has_active_response"
            await self.say(SessionError(error=ProviderError(said, code=code, provider_message=said), about=about))
            return
        self.answering = asyncio.create_task(self.answer())

    async def answer(self) -> None:
        last = self.turns[-1] if self.turns else Message.user("nothing")
        await self.say(ResponseStarted(response_id=self.id("resp")))
        written = list(self.settings.modalities or ()) == ["text"]
        tools = self.settings.tools or ()
        said = " ".join(part.text for part in last.parts if hasattr(part, "text"))
        id, words = self.id("item"), f"You said {said}".split()
        wants_tool = last.role == "user" and "weather" in said and tools
        if wants_tool:
            words = ["Let", "me", "look."]
        for place, word in enumerate(words):
            delta = word if place == 0 else f" {word}"
            if written:
                await self.say(OutputText(item_id=id, delta=delta))
            else:
                sound = OutputAudio(item_id=id, audio=bytes([place + 1, 0]) * (self.service.word_bytes // 2))
                await self.say(OutputTranscript(item_id=id, delta=delta), sound)
            await self.service.hold.wait()
            await asyncio.sleep(self.service.word_seconds)
        text = " ".join(words)
        if written:
            await self.say(OutputText(item_id=id, text=text, final=True))
        else:
            await self.say(OutputAudio(item_id=id, final=True), OutputTranscript(item_id=id, text=text, final=True))
        if wants_tool:
            call = ToolCall(id=self.id("call"), name=getattr(tools[0], "name", ""), arguments='{"city":"London"}')
            self.turns.append(Message(role="assistant", parts=(call,)))
            await self.say(ToolCalled(call=call))
        await self.say(ResponseDone(finish_reason="tool_calls" if wants_tool else "stop", usage=USAGE))


USAGE = Usage(text_in=10, audio_in=20, text_out=5, audio_out=15, cached={"text": 2})


@asynccontextmanager
async def serve_voice(service: VoiceService) -> AsyncIterator[str]:
    """The service's base URL."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", service.answer)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.2)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    finally:
        await runner.cleanup()
