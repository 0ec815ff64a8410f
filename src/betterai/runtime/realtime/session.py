"""An open realtime session: what goes on around a channel of events."""

from __future__ import annotations

from asyncio import CancelledError, Task, TimerHandle, create_task, gather, get_running_loop
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from functools import partial
from time import time
from typing import TYPE_CHECKING

from msgspec.structs import replace

from betterai.core.exceptions import APIConnectionError, BetterAIError, ProviderError, StreamInterrupted
from betterai.core.realtime import (
    Interrupted,
    OutputAudio,
    OutputText,
    OutputTranscript,
    RealtimeChannel,
    RealtimeOutput,
    Reconnected,
    ResponseDone,
    ResponseStarted,
    ResumptionOffered,
    SessionEnding,
    SessionError,
    SessionOpened,
    SessionUpdated,
    SessionWarned,
    SpeechStarted,
    ToolCalled,
    ToolsCancelled,
)
from betterai.core.realtime_input import (
    AddMessages,
    AddToolResults,
    AppendAudio,
    CancelResponse,
    RealtimeInput,
    Respond,
    TruncateItem,
    UpdateSession,
)
from betterai.core.realtime_session import RealtimeSession
from betterai.core.realtime_settings import RealtimeSettings, read_turn_detection
from betterai.core.response import CallWarning
from betterai.core.usage import Cost, Usage
from betterai.runtime.realtime.formats import SessionSound
from betterai.runtime.realtime.inbox import Inbox
from betterai.runtime.realtime.media import SessionMedia
from betterai.runtime.realtime.playback import Playback
from betterai.runtime.realtime.reopening import Reopening
from betterai.runtime.realtime.sums import SessionSums
from betterai.runtime.realtime.tools import SessionTools
from betterai.runtime.realtime.turns import Turns
from betterai.runtime.refusing import refuse_dropped

if TYPE_CHECKING:
    from betterai.runtime.observing.sessions import RunningSession

ENDING_SECONDS = 60.0
"""So long before its end a session says that it ends, where the provider states when that is."""
ASKED_SECONDS = 10.0
"""How long an answer that was asked for may take to begin before another one is asked for."""


class SessionEvents:
    """What a session says. One wait for an event may be cancelled, and the next goes on where it was."""

    def __init__(self, take: Callable[[], Awaitable[RealtimeOutput]]) -> None:
        self._take = take

    def __aiter__(self) -> SessionEvents:
        return self

    async def __anext__(self) -> RealtimeOutput:
        return await self._take()

    async def aclose(self) -> None:
        """Nothing to do: it is the session that is closed."""


class LiveSession(RealtimeSession):
    """The session around a channel. It reads from the beginning, so that tools run and pings are answered while nobody
    iterates. `answers_tools`: the provider goes on by itself once it has the results of tools.
    """

    def __init__(
        self,
        channel: RealtimeChannel,
        settings: RealtimeSettings,
        sums: SessionSums,
        sound: SessionSound,
        *,
        answers_tools: bool = False,
        reopening: Reopening | None = None,
        media: SessionMedia | None = None,
        warnings: Sequence[CallWarning] = (),
    ) -> None:
        self.warnings = tuple(warnings)
        self.unsupported = "warn"
        """Set for a class's session: what it does not carry raises as soon as it says so."""
        self.watch: RunningSession | None = None
        """Told of the first content and of the end, where somebody listens."""
        self._channel = channel
        self._settings = settings
        self._sums = sums
        self._sound = sound
        self._answers_tools = answers_tools
        self._reopening = reopening
        self._media = media
        self._inbox = Inbox()
        self._playback = Playback()
        self._turns = Turns()
        self._tools = SessionTools(settings, self._send_result, self._put, self._inbox.add)
        self._timers: dict[str, TimerHandle] = {}
        self._closed = False
        self._asked = 0
        self._reader: Task[None] = create_task(self._read())

    @property
    def usage(self) -> Usage | None:  # type: ignore[override]
        return self._sums.usage

    @property
    def cost(self) -> Cost:  # type: ignore[override]
        return self._sums.cost

    def __aiter__(self) -> SessionEvents:
        return SessionEvents(self._next)

    async def _next(self) -> RealtimeOutput:
        event = await anext(self._inbox)
        if isinstance(event, OutputAudio) and event.audio:
            lasts = self._sound.milliseconds(event.audio)
            self._playback.give(event.item_id, event.content_index, lasts)
        return event

    # ── out ──

    async def send(self, event: RealtimeInput) -> None:
        match event:
            case AppendAudio(audio=audio):
                if audio := self._sound.write(audio):
                    await self._put(event if audio is event.audio else replace(event, audio=audio))
                return
            case UpdateSession(settings=settings):
                await self._put(UpdateSession(event_id=event.event_id, settings=self._sound.update(settings)))
                self._settings = self._settings.replace(**settings.given())
                self._tools.update(self._settings)
            case AddMessages(respond=True) if not self._answers_tools:
                await self._put(replace(event, respond=False))
                await self._ask(Respond())
            case AddToolResults(results=results, respond=respond) if not self._answers_tools:
                await self._put(replace(event, respond=False))
                if self._turns.answered(tuple(result.id for result in results), respond=respond):
                    await self._ask(Respond())
            case Respond(keep=True):
                await self._ask(event)
            case _:
                await self._put(event)

    async def _ask(self, event: Respond) -> None:
        """Ask for an answer now, or when the one that is under way has ended."""
        if self._turns.busy and not self._answers_tools:
            self._turns.waiting = event
            return
        if not self._answers_tools:
            self._asked += 1
            event = replace(event, event_id=event.event_id or f"ask_{self._asked}")
            self._turns.asked = event
            self._set_timer("asked", ASKED_SECONDS, self._give_up_waiting)
        await self._put(event)

    def _give_up_waiting(self) -> None:
        self._turns.asked = None
        if self._turns.waiting is not None:
            self._tools.beside(self._go_on)

    async def _go_on(self) -> None:
        """What was asked for while an answer was under way."""
        waiting, self._turns.waiting = self._turns.waiting, None
        if waiting is not None:
            await self._ask(waiting)

    async def _put(self, event: RealtimeInput) -> None:
        """Over the connection that stands; where it breaks and another one takes its place, over that."""
        if self._media is not None and not isinstance(event, AppendAudio):
            event = await self._media.load(event)
        while True:
            channel = self._channel
            try:
                await channel.send(event)
            except APIConnectionError:
                if self._reopening is None:
                    raise
                if self._channel is channel and not await self._reopening.wait():
                    raise
                continue
            break
        if self._reopening is not None:
            self._reopening.log.sent(event)
        self._warn(channel)

    def _warn(self, channel: RealtimeChannel) -> None:
        take = getattr(channel, "take_warnings", None)
        if take is not None and (found := tuple(warning for warning in take() if warning not in self.warnings)):
            self.warnings += found
            self._inbox.add(SessionWarned(warnings=found))
            refuse_dropped(found, self.unsupported)

    async def _send_result(self, event: AddToolResults) -> None:
        """What a tool gave that the session ran."""
        if self._answers_tools:
            await self._put(event)
            return
        await self._put(replace(event, respond=False))
        if self._turns.answered(tuple(result.id for result in event.results), respond=True, ours=True):
            await self._ask(Respond())

    # ── in ──

    async def _read(self) -> None:
        """To the end of the session, over as many connections as it takes."""
        try:
            while True:
                try:
                    async for event in self._channel:
                        await self._take(event)
                    break
                except ProviderError as error:
                    if not await self._reconnect(error):
                        raise
        except CancelledError:
            self._inbox.end()
            raise
        except BaseException as error:
            self._tell_over(None if self._closed else error)
            self._inbox.end(None if self._closed else error)
        else:
            self._inbox.end()
        finally:
            if self._reopening is not None:
                self._reopening.stop()

    async def _take(self, event: RealtimeOutput) -> None:
        self._sums.add(event)
        if self.watch is not None and isinstance(event, OutputAudio | OutputText | OutputTranscript):
            self.watch.note_content()
        if self._reopening is not None:
            self._reopening.log.came(event)
        match event:
            case OutputAudio():
                await self._inbox.wait_for_room()
                if event.response_id not in self._turns.cut:
                    self._inbox.add(self._sound.read(event))
                return
            case SpeechStarted():
                await self._inbox.put(event)
                self._barge_in()
                return
            case Interrupted(response_id=id):
                if id not in self._turns.cut:
                    self._inbox.throw_away()
                    self._inbox.add(self._cut(id, event.item_id)[0])
                return
            case ToolCalled(call=call) if not call.server:
                self._turns.call(call.id, event.response_id)
                event = self._tools.take(event)
            case ToolsCancelled(ids=ids):
                self._tools.cancel(ids)
            case ResponseStarted(response_id=id):
                if self._turns.begin(id):
                    self._turns.cut.add(id)
                    self._tools.beside(partial(self._put, CancelResponse(response_id=id)))
            case ResponseDone():
                await self._inbox.put(event)
                self._turns.end(event.response_id, interrupted=event.finish_reason == "interrupted")
                if self._turns.waiting is not None and not self._turns.busy:
                    self._tools.beside(self._go_on)
                return
            case SessionOpened(session=info) | SessionUpdated(session=info):
                ends, self.info = self.info.expires_at, info
                if info.expires_at is not None and info.expires_at != ends:
                    self._set_timer("ending", info.expires_at - time() - ENDING_SECONDS, self._tell_end)
            case ResumptionOffered(handle=handle, resumable=True) if self._reopening is not None:
                self._reopening.handle = handle
            case SessionError() if self._turns.ask_again(event):
                return
            case SessionWarned(warnings=found):
                self.warnings += tuple(warning for warning in found if warning not in self.warnings)
        await self._inbox.put(event)

    def _barge_in(self) -> None:
        """The user speaks: what was not heard of an answer never will be."""
        turns = read_turn_detection(self._settings.turn_detection)
        allowed = turns is None or turns.interrupt is not False
        if not allowed or not (self._turns.active or self._inbox.holds_sound() or self._playback.unheard):
            return
        unread = self._inbox.holds_sound()
        self._inbox.throw_away()
        told, truncate = self._cut(self._turns.active[-1] if self._turns.active else "", "", unread=unread)
        self._inbox.add(told)
        if truncate is not None:
            self._tools.beside(partial(self._put, truncate))

    def _cut(
        self, response_id: str, item_id: str, *, unread: bool = False, heard_ms: int | None = None
    ) -> tuple[Interrupted, TruncateItem | None]:
        """What to tell of an interruption, to the caller and to the provider. Sound that nobody had read was not heard;
        of what was read, the caller says what was played.
        """
        self._turns.cut.update(self._turns.active)
        self._sound.cut()
        heard = self._playback.cut(item_id)
        if heard is None:
            return Interrupted(response_id=response_id, item_id=item_id), None
        known = self._playback.told or heard_ms is not None
        length = heard.milliseconds if heard_ms is None else min(heard_ms, heard.given)
        told = Interrupted(response_id=response_id, item_id=heard.item_id, heard_ms=length if known else None)
        if not heard.item_id or not (unread or (known and length < heard.given)):
            return told, None
        return told, TruncateItem(item_id=heard.item_id, audio_end_ms=length, content_index=heard.content_index)

    async def interrupt(self, heard_ms: int | None = None) -> None:
        active = list(self._turns.active)
        unread = self._inbox.holds_sound()
        self._inbox.throw_away()
        self._turns.recall()
        _, truncate = self._cut(active[-1] if active else "", "", unread=unread, heard_ms=heard_ms)
        if active:
            await self._put(CancelResponse())
        if truncate is not None:
            await self._put(truncate)

    def played(self, milliseconds: float) -> None:
        self._playback.play(milliseconds)

    # ── its end ──

    def _tell_over(self, error: BaseException | None = None) -> None:
        if self.watch is not None:
            self.watch.close(error)

    def _set_timer(self, name: str, seconds: float, call: object) -> None:
        if self._closed:
            return
        if (timer := self._timers.pop(name, None)) is not None:
            timer.cancel()
        self._timers[name] = get_running_loop().call_later(max(0.0, seconds), call)  # type: ignore[arg-type]

    def _tell_end(self) -> None:
        left = max(0.0, (self.info.expires_at or time()) - time())
        self._inbox.add(SessionEnding(seconds_left=left, reason="the provider's limit"))

    async def _reconnect(self, error: ProviderError) -> bool:
        """Whether another connection took the place of the one that broke: only where that was asked for."""
        lost = isinstance(error, StreamInterrupted | APIConnectionError) or error.retryable
        if self._reopening is None or self._closed or not lost:
            return False
        self._cut_off(self._channel)
        self._tools.cancel_all()
        self._turns.forget()
        self._playback.cut()
        channel, resumed = await self._reopening.open(self._settings, error)
        self._channel = channel
        self._reopening.stand()
        self._inbox.add(Reconnected(reason=error.message, resumed=resumed))
        return True

    async def aclose(self) -> None:
        """Says goodbye to the provider, and waits shortly for its answer; where that is cancelled, ends at once."""
        self._closed = True
        for timer in self._timers.values():
            timer.cancel()
        try:
            await self._tools.aclose()
            with suppress(BetterAIError):
                await self._channel.aclose()
        except BaseException:
            self._cut_off(self._channel)
            raise
        finally:
            self._reader.cancel()
            self._inbox.end()
            self._tell_over()
        await gather(self._reader, return_exceptions=True)

    def _cut_off(self, channel: RealtimeChannel) -> None:
        """At once; the channel of a class may have no way to."""
        cut = getattr(channel, "cut", None)
        if cut is not None:
            cut()
