"""The bare channel of a cascade: the user's sound in, the answers' words and sound out."""

from __future__ import annotations

from asyncio import Task, create_task, gather, sleep
from collections.abc import AsyncIterator, Coroutine
from contextlib import aclosing
from time import monotonic
from typing import Any

from msgspec import Raw, json
from msgspec.structs import replace

from betterai.core.exceptions import APIConnectionError, BetterAIError, ProviderError, ValidationError
from betterai.core.media import Media
from betterai.core.message import MediaPart, Message, Opaque
from betterai.core.model import ModelConfig
from betterai.core.realtime import (
    AudioCleared,
    AudioCommitted,
    Interrupted,
    ItemAdded,
    ItemDeleted,
    ItemTruncated,
    OutputAudio,
    RealtimeOutput,
    ResponseDone,
    ResponseStarted,
    SessionError,
    SessionInfo,
    SessionOpened,
    SessionUpdated,
    SessionWarned,
    SpeechStarted,
    SpeechStopped,
    StageMeasured,
    UsageStated,
)
from betterai.core.realtime_input import (
    AddMessages,
    AddToolResults,
    AppendAudio,
    CancelResponse,
    ClearAudio,
    CommitAudio,
    DeleteItem,
    RealtimeInput,
    Respond,
    SendVerbatim,
    ShowImage,
    StartSpeech,
    TruncateItem,
    UpdateSession,
)
from betterai.core.realtime_settings import RealtimeSettings
from betterai.core.response import CallWarning
from betterai.core.results import Transcript
from betterai.core.routing import CASCADE
from betterai.core.usage import Cost, Usage
from betterai.runtime.cascade.answer import Answer
from betterai.runtime.cascade.conversation import Conversation, Item
from betterai.runtime.cascade.detection import SOUND
from betterai.runtime.cascade.hearing import Turn, Words
from betterai.runtime.cascade.settings import for_transcription, list_dropped, read_turns
from betterai.runtime.cascade.stages import Stage, Stages, list_news, name_error
from betterai.runtime.cascade.turns import TurnFinder
from betterai.runtime.realtime.inbox import Inbox

MOST_SOUND = 1024 * 1024
"""Bytes of an answer's sound that wait to be taken, some twenty seconds: then the voice has to wait."""
MOST_TURN = 32 * 1024 * 1024
"""Bytes of one turn: eleven minutes."""

OTHERS_TURN = 10
"""Frames that are looked at before others may go on: a recording may come in one piece."""


class CascadeChannel:
    """Sound both ways is `SOUND`; the session around it converts."""

    def __init__(self, stages: Stages, name: str, settings: RealtimeSettings, *, strict: bool = False) -> None:
        self._stages, self._name, self._settings, self._strict = stages, name, settings, strict
        self._warnings = [*list_dropped(settings, strict=strict)]
        self._out = Inbox(MOST_SOUND)
        self._conversation = Conversation(settings.history or ())
        self._finder = self._make_finder()
        self._turn: Turn | None = None
        self._heard: dict[Turn, Item] = {}
        """Turns that ended and are still being written down."""
        self._answers: dict[str, Answer] = {}
        self._tasks: dict[Task[None], str] = {}
        self._asked: Respond | None = None
        self._owed = False
        """The user said something that was not answered yet."""
        self._images: list[Media] = []
        self._turn_ended: float | None = None
        self._count = 0
        self._closed = False
        self.models: dict[str, ModelConfig] = {}
        """Whose usage was stated, by name."""
        self._out.add(SessionOpened(session=self._describe()))

    def take_warnings(self) -> list[CallWarning]:
        found, self._warnings = self._warnings, []
        return found

    def _make_finder(self) -> TurnFinder | None:
        turns = read_turns(self._settings)
        return None if turns.mode == "none" else TurnFinder(turns)

    def _describe(self) -> SessionInfo:
        detector = None if self._finder is None else self._finder.detector.name
        parts = {stage.category: stage.name for stage in (self._stages.audio, self._stages.text, self._stages.tts)}
        raw = Opaque(protocol=CASCADE, data=Raw(json.encode({**parts, "voice_activity": detector})))
        return SessionInfo(id=f"{CASCADE}_{id(self):x}", model=self._name, settings=self._settings, raw=raw)

    async def __aiter__(self) -> AsyncIterator[RealtimeOutput]:
        async for event in self._out.read():
            if isinstance(event, OutputAudio) and event.audio:
                answer = self._answers.get(event.response_id)
                item = answer.item if answer is not None else self._conversation.find(event.item_id)
                if item is not None and item.spoken is not None:
                    item.spoken.given_ms += SOUND.milliseconds(len(event.audio))
            yield event

    # ── in ──

    async def send(self, event: RealtimeInput) -> None:
        if self._closed:
            raise APIConnectionError("the session is closed")
        match event:
            case AppendAudio(audio=audio):
                await self._listen(audio)
            case UpdateSession(settings=settings):
                self._update(settings)
            case StartSpeech():
                if self._finder is None and self._turn is None:
                    self._begin_turn()
            case CommitAudio():
                self._commit(event)
            case ClearAudio():
                self._clear()
            case ShowImage(image=image):
                self._images.append(image)
            case AddMessages():
                self._add(event)
            case AddToolResults(results=results):
                for result in results:
                    if not self._conversation.answer(result):
                        self._complain(f"there is no call {result.id!r}", event.event_id)
                if event.respond:
                    self._ask(Respond())
            case DeleteItem(item_id=id):
                if self._conversation.delete(id):
                    self._out.add(ItemDeleted(item_id=id))
                else:
                    self._complain(f"there is no item {id!r}", event.event_id)
            case Respond():
                self._ask(event)
            case CancelResponse(response_id=id):
                self._stop(id, "cancelled")
            case TruncateItem():
                self._truncate(event)
            case SendVerbatim():
                self._warnings.append(CallWarning(code="dropped", field="frame", message="a cascade has no frames"))

    def _complain(self, message: str, about: str) -> None:
        self._out.add(SessionError(error=ProviderError(message, provider=CASCADE), about=about))

    def _update(self, settings: RealtimeSettings) -> None:
        self._warnings += list_dropped(settings, strict=self._strict)
        self._settings = self._settings.replace(**settings.given())
        if "turn_detection" in settings.given():
            if self._turn is not None:
                self._end_turn()
            self._finder = self._make_finder()
        self._out.add(SessionUpdated(session=self._describe()))

    def _add(self, event: AddMessages) -> None:
        for place, message in enumerate(event.messages):
            if message.role == "user" and self._images:
                message = self._with_images(message)
            alone = len(event.messages) == 1
            try:
                item, after = self._conversation.add(
                    message, id=event.item_id if alone else "", after="" if place else event.after
                )
            except KeyError:
                self._complain(f"there is no item {event.after!r}", event.event_id)
                return
            self._out.add(ItemAdded(item_id=item.id, after=after, message=message, done=True))
        if event.respond:
            self._ask(Respond())

    def _with_images(self, message: Message) -> Message:
        images, self._images = self._images, []
        return replace(message, parts=(*message.parts, *(MediaPart(media=image) for image in images)))

    def _truncate(self, event: TruncateItem) -> None:
        item = self._conversation.find(event.item_id)
        if item is None:
            self._complain(f"there is no item {event.item_id!r}", event.event_id)
            return
        self._conversation.truncate(item, event.audio_end_ms)
        self._out.add(ItemTruncated(item_id=item.id, audio_end_ms=event.audio_end_ms))

    # ── hearing ──

    async def _listen(self, audio: bytes) -> None:
        if self._finder is None:
            turn = self._turn or self._begin_turn()
            if turn.size + len(audio) > MOST_TURN:
                raise ValidationError(f"a turn has at most {MOST_TURN} bytes of sound", hint="commit it earlier")
            await turn.add(audio)
            return
        for count, step in enumerate(self._finder.feed(audio)):
            if count % OTHERS_TURN == OTHERS_TURN - 1:
                await sleep(0)
            if step.kind == "started":
                turn = self._begin_turn()
                self._out.add(SpeechStarted(item_id=turn.item_id, at_ms=step.at_ms))
                if read_turns(self._settings).interrupt is not False:
                    self._interrupt()
            if step.kind == "stopped":
                self._stop_speech(step.at_ms)
            elif self._turn is not None:
                await self._turn.add(step.sound)
                if self._turn.size >= MOST_TURN:
                    self._stop_speech(self._finder.stop().at_ms)

    def _begin_turn(self) -> Turn:
        self._count += 1
        self._turn = turn = Turn(f"turn_{self._count}")
        self._start(self._hear(turn), turn.item_id)
        return turn

    def _stop_speech(self, at_ms: int) -> None:
        if self._turn is not None:
            self._out.add(SpeechStopped(item_id=self._turn.item_id, at_ms=at_ms))
            self._end_turn()

    def _commit(self, event: CommitAudio) -> None:
        if self._turn is None:
            if self._finder is None:
                self._complain("there is no sound to commit", event.event_id)
        elif self._finder is not None:
            self._stop_speech(self._finder.stop().at_ms)
        else:
            self._end_turn()

    def _end_turn(self) -> None:
        turn, self._turn = self._turn, None
        assert turn is not None, "a turn is under way"
        item, after = self._conversation.add(id=turn.item_id)
        self._heard[turn] = item
        self._out.add(AudioCommitted(item_id=item.id, after=after))
        turn.end(monotonic())

    def _clear(self) -> None:
        if self._turn is not None:
            if self._finder is not None and self._finder.speaking:
                self._finder.stop()
            self._cancel(self._turn.item_id)
            self._turn = None
        self._out.add(AudioCleared())

    async def _hear(self, turn: Turn) -> None:
        """Write a turn down while it comes, and answer it."""
        failure: BetterAIError | None = None
        words, result = Words(turn.item_id), None
        try:
            result = await self._write_down(turn, words)
        except Exception as error:
            failure = name_error(error, self._stages.audio)
        turn.stop_listening()
        await turn.ended.wait()
        item = self._heard.pop(turn)
        self._turn_ended = turn.ended_at
        if failure is not None:
            self._out.add(SessionError(error=failure, about=turn.item_id))
        else:
            self._out.add(StageMeasured(stage="audio", seconds=monotonic() - turn.ended_at))
            text = self._settle(item, words, result)
            self._owed = self._owed or bool(text)
        self._answer_turn(failure)

    async def _write_down(self, turn: Turn, words: Words) -> Transcript | None:
        result = None
        async with aclosing(self._stages.transcribe(turn.sound(), for_transcription(self._settings))) as chunks:
            async for chunk in chunks:
                told = words.add(chunk)
                if told is not None and self._settings.transcription is not False:
                    self._out.add(told)
                result = chunk.response or result
        return result

    def _settle(self, item: Item, words: Words, result: Transcript | None) -> str:
        """What the user said, into the conversation; a turn in which nothing was understood is none."""
        last = words.finish(result.text if result is not None else None, (result and result.language) or "")
        if self._settings.transcription is not False:
            for told in last:
                self._out.add(told)
        if result is not None:
            if result.usage is not None:
                asked = result.usage, result.cost, result.provider, result.model
                self._out.add(self._bill(self._stages.audio, *asked))
            if found := list_news(result.warnings):
                self._out.add(SessionWarned(warnings=found))
        text = last[-1].text
        if text:
            message = self._with_images(Message.user(text))
            self._conversation.fill(item, message)
            self._out.add(ItemAdded(item_id=item.id, message=message, done=True))
        else:
            self._conversation.delete(item.id)
        return text

    # ── answering ──

    def _ask(self, event: Respond) -> None:
        if event.keep and self._is_busy():
            error = ProviderError("an answer is under way", provider=CASCADE)
            self._out.add(SessionError(error=error, about=event.event_id, busy=True))
        elif event.keep and self._heard:
            self._asked = event
        else:
            self._answer(event)

    def _answer_turn(self, failure: BetterAIError | None = None) -> None:
        """After a turn, and after an answer: what is owed now. Who goes on speaking is heard out first."""
        if self._heard or self._is_busy():
            return
        asked, self._asked = self._asked, None
        turns = read_turns(self._settings)
        if asked is not None and not self._owed:
            nothing = ProviderError("nothing was understood of what was said", provider=CASCADE)
            self._refuse(asked, failure or nothing)
        elif asked is not None:
            self._answer(asked)
        elif self._owed and self._turn is None and turns.mode != "none" and turns.respond is not False:
            self._answer(Respond())

    def _is_busy(self) -> bool:
        return any(answer.keeps and not answer.over for answer in self._answers.values())

    def _refuse(self, asked: Respond, error: BetterAIError) -> None:
        id = self._name_response()
        self._out.add(ResponseStarted(response_id=id, metadata=asked.metadata))
        done = ResponseDone(response_id=id, finish_reason="error", error=error, usage=Usage(), metadata=asked.metadata)
        self._out.add(done)

    def _name_response(self) -> str:
        self._count += 1
        return f"response_{self._count}"

    def _answer(self, asked: Respond) -> None:
        since = None
        if asked.keep:
            since, self._turn_ended, self._owed = self._turn_ended, None, False
        id = self._name_response()
        answer = Answer(
            id, self._stages, self._conversation, self._settings, asked, self._out, self._bill, turn_ended=since
        )
        self._answers[id] = answer
        answer.begin()
        self._start(self._run(answer), id)

    async def _run(self, answer: Answer) -> None:
        try:
            await answer.run()
        finally:
            self._answers.pop(answer.id, None)
        if not self._closed:
            self._answer_turn()

    def _interrupt(self) -> None:
        """The user speaks: answers that are under way end here."""
        for answer in list(self._answers.values()):
            self._out.add(Interrupted(response_id=answer.id, item_id=answer.item.id))
        self._stop("", "turn_detected")

    def _stop(self, id: str, reason: str) -> None:
        """All stages at once: their sound that waits is thrown away, their tasks are cancelled, their sockets close."""
        for answer in list(self._answers.values()):
            if id in ("", answer.id):
                self._out.throw_away(answer.id)
                answer.stop(reason)
                self._answers.pop(answer.id, None)
                self._cancel(answer.id)

    def _bill(self, stage: Stage, usage: Usage, cost: Cost | None, provider: str, model: str) -> UsageStated:
        usage, config = stage.bill(usage, cost, provider, model)
        name = config.key if config.provider else config.id
        self.models[name] = config
        return UsageStated(usage=usage, model=name)

    # ── its end ──

    def _start(self, work: Coroutine[Any, Any, None], name: str) -> None:
        task = create_task(work)
        self._tasks[task] = name
        task.add_done_callback(lambda done: self._tasks.pop(done, None))

    def _cancel(self, name: str) -> None:
        for task, known in self._tasks.items():
            if known == name:
                task.cancel()

    async def aclose(self) -> None:
        self._closed = True
        if self._turn is not None:
            self._turn.stop_listening()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await gather(*tasks, return_exceptions=True)
        self._out.end()
