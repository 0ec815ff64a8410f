"""A voice service on loopback that speaks Gemini Live: made of our server half and a small script.

It hears sound that is not silence as speech, says back what it was told a word at a time, calls the first tool when it
is told of weather, and misbehaves where a test asks for it. Sessions that are named by a handle go on.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from ssl import SSLContext
from typing import Any

from aiohttp import WSMsgType, web

from betterai.core.exceptions import AuthenticationError, BetterAIError
from betterai.core.message import Message, ToolCall
from betterai.core.realtime import (
    InputTranscript,
    Interrupted,
    OutputAudio,
    OutputReasoning,
    OutputText,
    OutputTranscript,
    RealtimeOutput,
    ResponseDone,
    ResponseStarted,
    ResumptionOffered,
    SessionEnding,
    SessionInfo,
    SessionOpened,
    SpeechStarted,
    SpeechStopped,
    ToolCalled,
    ToolsCancelled,
)
from betterai.core.realtime_input import (
    AddMessages,
    AddToolResults,
    AppendAudio,
    CommitAudio,
    RealtimeInput,
    Respond,
    StartSpeech,
    UpdateSession,
)
from betterai.core.realtime_settings import RealtimeSettings, read_turn_detection
from betterai.core.tools import Tool
from betterai.core.usage import Usage
from betterai.core.wire import WireRequest
from betterai.wire.gemini_live import GeminiLiveSurface

WORD_MS = 100
WORD_BYTES = WORD_MS * 24000 * 2 // 1000
HEARD = "Hello there."
USAGE = Usage(text_in=10, audio_in=20, text_out=5, audio_out=15, reasoning=2)
TOKEN = "auth_tokens/secret-1234"


class LiveService:
    """One service; `sessions` are all that were opened, the last one last, `turns` what was said in each by handle."""

    def __init__(self, key: str = "test-key") -> None:
        self.key = key
        self.surface = GeminiLiveSurface()
        self.sessions: list[LiveVoice] = []
        self.requests: list[web.Request] = []
        self.frames: list[Any] = []
        self.asked: list[dict[str, Any]] = []
        self.word_bytes = WORD_BYTES
        self.hold = asyncio.Event()
        """Answers stop behind their first word until this is set."""
        self.hold.set()

    def _knows(self, request: web.Request) -> bool:
        given = request.headers.get("x-goog-api-key") or request.headers.get("Authorization", "").removeprefix(
            "Bearer "
        )
        if request.path.endswith("Constrained"):
            return "v1alpha" in request.path and request.headers.get("Authorization") == f"Token {TOKEN}"
        return given == self.key

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(request)
        try:
            if not self._knows(request):
                raise AuthenticationError("API key not valid.", status=400, code="INVALID_ARGUMENT")
            if request.path.endswith("/auth_tokens"):
                self.asked.append(await request.json())
                return web.json_response({"name": TOKEN})
            call = self.surface.accept(WireRequest(url=str(request.rel_url), headers=dict(request.headers)))
        except BetterAIError as error:
            refused = self.surface.build_error(error)
            assert isinstance(refused.body, bytes)
            return web.Response(status=refused.status, body=refused.body, content_type="application/json")
        socket = web.WebSocketResponse(autoping=True)
        await socket.prepare(request)
        session = LiveVoice(self, socket, self.surface.open(call))
        self.sessions.append(session)
        await session.run()
        return socket


class LiveVoice:
    def __init__(self, service: LiveService, socket: web.WebSocketResponse, state: Any) -> None:
        self.service, self.socket, self.state = service, socket, state
        self.inputs: list[RealtimeInput] = []
        self.settings = RealtimeSettings()
        self.turns: list[Message] = []
        self.answering: asyncio.Task[None] | None = None
        self.calls: list[str] = []
        self.heard_bytes = 0
        self.speaking = False

    async def say(self, *events: RealtimeOutput) -> None:
        for event in events:
            for frame in self.state.send(event):
                await self.send_frame(frame)

    async def send_frame(self, frame: bytes) -> None:
        with suppress(ConnectionError):
            await self.socket.send_bytes(frame)

    async def run(self) -> None:
        try:
            async for message in self.socket:
                if message.type not in (WSMsgType.TEXT, WSMsgType.BINARY):
                    break
                self.service.frames.append(message.data)
                inputs, _ = self.state.receive(message.data)
                if self.state.closing is not None:
                    code, reason = self.state.closing
                    await self.socket.close(code=code, message=reason.encode())
                for event in inputs:
                    self.inputs.append(event)
                    await self.take(event)
        finally:
            await self.stop()

    async def go_away(self, seconds: float) -> None:
        """The session's limit: it is told, and then the connection closes."""
        await self.say(SessionEnding(seconds_left=seconds))
        await asyncio.sleep(seconds)
        await self.socket.close(code=1008, message=b"The session exceeded its limit.")

    def abort(self) -> None:
        """Gone without a word."""
        assert self.socket._req is not None
        assert self.socket._req.transport is not None
        self.socket._req.transport.abort()

    async def stop(self) -> None:
        if self.answering is not None:
            self.answering.cancel()
            with suppress(asyncio.CancelledError):
                await self.answering

    async def take(self, event: RealtimeInput) -> None:
        match event:
            case UpdateSession(settings=settings) if not self.state_stands:
                self.settings = settings
                place = len(self.service.sessions)
                if isinstance(settings.resumption, str):
                    self.turns = self.service.sessions[int(settings.resumption[7:]) - 1].turns
                await self.say(SessionOpened(session=SessionInfo(id=f"session-{place}")))
                if settings.resumption:
                    await self.say(ResumptionOffered(resumable=False), ResumptionOffered(handle=f"handle-{place}"))
            case AppendAudio(audio=audio):
                await self.hear(audio)
            case StartSpeech():
                self.speaking = True
                await self.interrupt()
            case CommitAudio():
                await self.finish_speech()
            case AddMessages(messages=messages, respond=respond):
                await self.interrupt()
                self.turns.extend(messages)
                if respond:
                    self.respond()
            case AddToolResults(results=results):
                self.turns.append(Message(role="tool", parts=results))
                self.calls = [id for id in self.calls if id not in {result.id for result in results}]
                if not self.calls:
                    self.respond()
            case Respond():
                self.respond()

    @property
    def state_stands(self) -> bool:
        return len(self.inputs) > 1

    @property
    def finds_turns(self) -> bool:
        turns = read_turn_detection(self.settings.turn_detection)
        return turns is None or turns.mode != "none"

    async def hear(self, audio: bytes) -> None:
        self.heard_bytes += len(audio)
        if not self.finds_turns:
            return
        at, loud = self.heard_bytes // 32, any(audio)
        if loud and not self.speaking:
            self.speaking = True
            await self.say(SpeechStarted(at_ms=at))
            await self.interrupt()
        elif self.speaking and not loud:
            await self.say(SpeechStopped(at_ms=at))
            await self.finish_speech()

    async def finish_speech(self) -> None:
        if not self.speaking:
            return
        self.speaking = False
        if self.settings.transcription:
            await self.say(InputTranscript(delta="Hello "), InputTranscript(delta="there."))
        self.turns.append(Message.user(HEARD))
        self.respond()

    async def interrupt(self) -> None:
        """Speech, and what is written, stop an answer; the tools that it called are not wanted any more."""
        busy = self.answering is not None and not self.answering.done()
        await self.stop()
        if not busy and not self.calls:
            return
        if self.calls:
            await self.say(ToolsCancelled(ids=tuple(self.calls)))
            self.calls = []
        await self.say(Interrupted(), ResponseDone(finish_reason="interrupted", usage=USAGE))

    def respond(self) -> None:
        self.answering = asyncio.create_task(self.answer())

    async def answer(self) -> None:
        last = self.turns[-1]
        tools = [tool for tool in self.settings.tools or () if isinstance(tool, Tool)]
        said = " ".join(part.text for part in last.parts if hasattr(part, "text"))
        await self.say(ResponseStarted(), OutputReasoning(delta="Hm."))
        if last.role == "user" and "weather" in said and tools:
            call = ToolCall(id=f"call-{len(self.turns)}", name=tools[0].name, arguments='{"city":"London"}')
            self.calls.append(call.id)
            await self.word("Let", 0)
            await self.say(ToolCalled(call=call))
            return
        for place, word in enumerate(f"You said {said}".split()):
            await self.word(word if place == 0 else f" {word}", place)
            await self.service.hold.wait()
            await asyncio.sleep(0)
        await self.say(OutputAudio(final=True), ResponseDone(usage=USAGE))

    async def word(self, delta: str, place: int) -> None:
        if list(self.settings.modalities or ()) == ["text"]:
            await self.say(OutputText(delta=delta))
            return
        if self.settings.output_transcription:
            await self.say(OutputTranscript(delta=delta))
        await self.say(OutputAudio(audio=bytes([place + 1, 0]) * (self.service.word_bytes // 2)))


@asynccontextmanager
async def serve_live(service: LiveService, tls: SSLContext | None = None) -> AsyncIterator[str]:
    """The service's base URL."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", service.answer)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.2)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
    try:
        yield f"{'https' if tls else 'http'}://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()
