"""The user's side of a cascade: sound becomes turns, and turns are written down while they come."""

from __future__ import annotations

from asyncio import sleep
from collections.abc import Callable
from contextlib import aclosing
from time import monotonic

from betterai.core.exceptions import BetterAIError, ValidationError
from betterai.core.message import Message
from betterai.core.realtime import (
    AudioCleared,
    AudioCommitted,
    ItemAdded,
    SessionError,
    SessionWarned,
    SpeechStarted,
    SpeechStopped,
    StageMeasured,
    UsageStated,
)
from betterai.core.realtime_settings import RealtimeSettings
from betterai.core.results import Transcript
from betterai.core.usage import Cost, Usage
from betterai.runtime.cascade.conversation import Conversation, Item
from betterai.runtime.cascade.hearing import Turn, Words
from betterai.runtime.cascade.settings import for_transcription, read_turns
from betterai.runtime.cascade.stages import Stage, Stages, list_news, name_error
from betterai.runtime.cascade.tasks import Tasks
from betterai.runtime.cascade.turns import TurnFinder
from betterai.runtime.realtime.inbox import Inbox

MOST_TURN = 32 * 1024 * 1024
"""Bytes of one turn: eleven minutes."""
OTHERS_TURN = 10
"""Frames that are looked at before others may go on: a recording may come in one piece."""
Bill = Callable[[Stage, Usage, Cost | None, str, str], UsageStated]


class Listening:
    """`interrupt` is called when the user begins to speak, `settle` with what was written down for the conversation,
    `over` when a turn is, with what went wrong.
    """

    def __init__(
        self,
        stages: Stages,
        settings: RealtimeSettings,
        conversation: Conversation,
        out: Inbox,
        tasks: Tasks,
        bill: Bill,
        *,
        interrupt: Callable[[], None],
        settle: Callable[[Message], Message],
        over: Callable[[BetterAIError | None], None],
    ) -> None:
        self._stages, self._conversation, self._out, self._tasks, self._bill = stages, conversation, out, tasks, bill
        self._interrupt, self._settle, self._over = interrupt, settle, over
        self._settings = settings
        self._finder = self._make_finder()
        self._turn: Turn | None = None
        self._count = 0
        self._written: dict[Turn, Item] = {}
        self.owed = False
        """The user said something that was not answered yet."""
        self.turn_ended: float | None = None
        """When that was, in monotonic seconds."""
        self.unbilled = 0
        """Turns that were written down, and nobody said what that used."""

    @property
    def detector(self) -> str | None:
        """Whose word is taken for where speech is; None where the caller finds the turns."""
        return None if self._finder is None else self._finder.detector.name

    @property
    def hears(self) -> bool:
        """Whether a turn is under way."""
        return self._turn is not None

    @property
    def writes(self) -> bool:
        """Whether a turn that ended is still being written down."""
        return bool(self._written)

    def _make_finder(self) -> TurnFinder | None:
        turns = read_turns(self._settings)
        return None if turns.mode == "none" else TurnFinder(turns)

    def update(self, settings: RealtimeSettings, *, turns: bool) -> None:
        self._settings = settings
        if turns:
            if self._turn is not None:
                self._end(self._turn)
            self._finder = self._make_finder()

    # ── sound ──

    async def feed(self, audio: bytes) -> None:
        if self._finder is None:
            turn = self._turn or self._begin()
            if turn.size + len(audio) > MOST_TURN:
                raise ValidationError(f"a turn has at most {MOST_TURN} bytes of sound", hint="commit it earlier")
            await turn.add(audio)
            return
        for count, step in enumerate(self._finder.feed(audio)):
            if count % OTHERS_TURN == OTHERS_TURN - 1:
                await sleep(0)
            if step.kind == "started":
                turn = self._begin()
                self._out.add(SpeechStarted(item_id=turn.item_id, at_ms=step.at_ms))
                if read_turns(self._settings).interrupt is not False:
                    self._interrupt()
            if step.kind == "stopped":
                self._stop_speech(step.at_ms)
            elif self._turn is not None:
                await self._turn.add(step.sound)
                if self._turn is not None and self._turn.size >= MOST_TURN:
                    self._stop_speech(self._finder.stop().at_ms)

    def start(self) -> None:
        """The caller says that the user begins: nothing where that is found out here."""
        if self._finder is None and self._turn is None:
            self._begin()

    def commit(self) -> bool:
        """The turn is over. False where there is none, though the caller finds the turns."""
        if self._turn is None:
            return self._finder is not None
        if self._finder is not None:
            self._stop_speech(self._finder.stop().at_ms)
        else:
            self._end(self._turn)
        return True

    def clear(self) -> None:
        if self._turn is not None:
            if self._finder is not None:
                self._finder.stop()
            self._turn.stop_listening()
            self._tasks.cancel(self._turn.item_id)
            self._turn = None
        self._out.add(AudioCleared())

    def _begin(self) -> Turn:
        self._count += 1
        self._turn = turn = Turn(f"turn_{self._count}")
        self._tasks.start(self._hear(turn), turn.item_id)
        return turn

    def _stop_speech(self, at_ms: int) -> None:
        if self._turn is not None:
            self._out.add(SpeechStopped(item_id=self._turn.item_id, at_ms=at_ms))
            self._end(self._turn)

    def _end(self, turn: Turn) -> None:
        self._turn = None
        item, after = self._conversation.add(id=turn.item_id)
        self._written[turn] = item
        self._out.add(AudioCommitted(item_id=item.id, after=after))
        turn.end(monotonic())

    # ── words ──

    async def _hear(self, turn: Turn) -> None:
        """Write a turn down while it comes."""
        failure: BetterAIError | None = None
        words, result = Words(turn.item_id), None
        try:
            result = await self._write(turn, words)
        except Exception as error:
            failure = name_error(error, self._stages.audio)
        turn.stop_listening()
        await turn.ended.wait()
        item = self._written.pop(turn)
        self.turn_ended = turn.ended_at
        if failure is not None:
            self._conversation.delete(item.id)
            self._out.add(SessionError(error=failure, about=turn.item_id))
        else:
            self._out.add(StageMeasured(stage="audio", seconds=monotonic() - turn.ended_at))
            self._state(result)
            self._keep(item, words, result)
        self._over(failure)

    async def _write(self, turn: Turn, words: Words) -> Transcript | None:
        result = None
        async with aclosing(self._stages.transcribe(turn, for_transcription(self._settings))) as chunks:
            async for chunk in chunks:
                told = words.add(chunk)
                if told is not None and self._settings.transcription is not False:
                    self._out.add(told)
                result = chunk.response or result
        return result

    def _state(self, result: Transcript | None) -> None:
        if result is None or result.usage is None:
            self.unbilled += 1
        else:
            self._out.add(self._bill(self._stages.audio, result.usage, result.cost, result.provider, result.model))
        if result is not None and (found := list_news(result.warnings)):
            self._out.add(SessionWarned(warnings=found))

    def _keep(self, item: Item, words: Words, result: Transcript | None) -> None:
        """What the user said, into the conversation; a turn in which nothing was understood is none."""
        last = words.finish(result.text if result is not None else None, (result and result.language) or "")
        for told in last if self._settings.transcription is not False else ():
            self._out.add(told)
        if not (text := last[-1].text):
            self._conversation.delete(item.id)
            return
        self.owed = True
        message = self._settle(Message.user(text))
        self._conversation.fill(item, message)
        self._out.add(ItemAdded(item_id=item.id, message=message, done=True))
