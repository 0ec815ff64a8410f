"""The face of an open realtime session, and the base of all of them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from types import TracebackType
from typing import Self, Unpack

from betterai.core.media import Media
from betterai.core.message import Message, Text, ToolResult
from betterai.core.options import RealtimeOptions
from betterai.core.realtime import RealtimeOutput, SessionInfo
from betterai.core.realtime_input import (
    AddMessages,
    AddToolResults,
    AppendAudio,
    ClearAudio,
    CommitAudio,
    RealtimeInput,
    Respond,
    ShowImage,
    UpdateSession,
)
from betterai.core.realtime_settings import RealtimeSettings
from betterai.core.response import CallWarning
from betterai.core.usage import NOTHING, Cost, Usage


class RealtimeSession:
    """An open session: iterate over what it says, and meanwhile send what is said to it. `async with` closes it.

    `usage` and `cost` are those of all answers so far, None where the provider states none; `warnings` are what of the
    settings and events was not sent. What is not iterated over waits, up to a limit; then the provider has to wait.
    """

    info = SessionInfo()
    usage: Usage | None = None
    cost: Cost | None = NOTHING
    warnings: tuple[CallWarning, ...] = ()

    async def send(self, event: RealtimeInput) -> None:
        """Any event of `core/realtime.py` that goes in. All other methods are made of it."""
        raise NotImplementedError(f"{type(self).__name__} does not implement send()")

    def __aiter__(self) -> AsyncIterator[RealtimeOutput]:
        """What the session says, to its end. Raises a `ProviderError` where it broke."""
        raise NotImplementedError(f"{type(self).__name__} does not implement __aiter__()")

    async def send_audio(self, audio: bytes) -> None:
        """Sound of the user in the session's `input_format`, of any length."""
        if audio:
            await self.send(AppendAudio(audio=audio))

    async def send_text(self, text: str, *, respond: bool = True) -> None:
        """What the user writes; an answer is asked for at once unless `respond` is False."""
        await self.send(AddMessages(messages=(Message.user(text),), respond=respond))

    async def send_messages(self, *messages: Message, respond: bool = False) -> None:
        """Turns for the conversation: history, pictures, recorded sound."""
        await self.send(AddMessages(messages=messages, respond=respond))

    async def show(self, image: Media) -> None:
        """What the user's camera or screen shows now."""
        await self.send(ShowImage(image=image))

    async def send_tool_result(
        self, id: str, result: str | ToolResult, *, name: str = "", is_error: bool = False, respond: bool = True
    ) -> None:
        """What the tool that was called by `id` gave. With several calls open, `respond=True` for the last one only."""
        if isinstance(result, str):
            result = ToolResult(id=id, name=name, parts=(Text(text=result),), is_error=is_error)
        await self.send(AddToolResults(results=(result,), respond=respond))

    async def commit(self, *, respond: bool = True) -> None:
        """The user's turn is over: where the caller finds the turns (`turn_detection="none"`)."""
        await self.send(CommitAudio())
        if respond:
            await self.send(Respond())

    async def clear(self) -> None:
        """Forget the sound that was sent and is no turn yet."""
        await self.send(ClearAudio())

    async def respond(
        self,
        *,
        messages: tuple[Message, ...] | None = None,
        keep: bool = True,
        metadata: Mapping[str, str] | None = None,
        **settings: Unpack[RealtimeOptions],
    ) -> None:
        """Ask for an answer; settings hold for it alone, `messages` take the conversation's place."""
        own = RealtimeSettings(**settings) if settings else None
        await self.send(Respond(settings=own, messages=messages, keep=keep, metadata=metadata or {}))

    async def interrupt(self, heard_ms: int | None = None) -> None:
        """Stop the answer. `heard_ms` is how much of its sound was played; None takes what `played` was told. The model
        forgets what was not heard.
        """
        raise NotImplementedError(f"{type(self).__name__} does not implement interrupt()")

    def played(self, milliseconds: float) -> None:
        """So much more of the session's sound was played. Told of it, the session truncates by itself what the user
        spoke into; never told, it takes all sound as heard.
        """
        raise NotImplementedError(f"{type(self).__name__} does not implement played()")

    async def update(self, **settings: Unpack[RealtimeOptions]) -> None:
        """Change settings of the session; all else stays."""
        await self.send(UpdateSession(settings=RealtimeSettings(**settings)))

    async def aclose(self) -> None:
        """End the session. Does nothing by default."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()
