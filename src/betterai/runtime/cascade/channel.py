"""The bare channel of a cascade: the user's sound in, the answers' words and sound out."""

from __future__ import annotations

from collections.abc import AsyncIterator

from msgspec import Raw, json
from msgspec.structs import replace

from betterai.core.exceptions import APIConnectionError, BetterAIError, ProviderError
from betterai.core.media import Media
from betterai.core.message import MediaPart, Message, Opaque
from betterai.core.model import ModelConfig
from betterai.core.realtime import (
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
from betterai.core.routing import CASCADE
from betterai.core.usage import Cost, Usage
from betterai.runtime.cascade.answer import Answer
from betterai.runtime.cascade.conversation import Conversation
from betterai.runtime.cascade.detection import SOUND
from betterai.runtime.cascade.listening import Listening
from betterai.runtime.cascade.settings import list_dropped, read_turns
from betterai.runtime.cascade.stages import Stage, Stages
from betterai.runtime.cascade.tasks import Tasks
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
        self._answers: dict[str, Answer] = {}
        self._tasks = Tasks()
        self._listening = Listening(
            stages, settings, self._conversation, self._out, self._tasks, self._bill,
            interrupt=self._interrupt, settle=self._with_images, over=self._answer_turn,
        )  # fmt: skip
        self._asked: Respond | None = None
        """An answer that is to begin once the turn has been written down."""
        self._images: list[Media] = []
        self._count = 0
        self._closed = False
        self.models: dict[str, ModelConfig] = {}
        """Whose usage was stated, by name."""
        self._out.add(SessionOpened(session=self._describe()))

    def take_warnings(self) -> list[CallWarning]:
        found, self._warnings = self._warnings, []
        return found

    def _describe(self) -> SessionInfo:
        parts = {stage.category: stage.name for stage in (self._stages.audio, self._stages.text, self._stages.tts)}
        raw = Opaque(protocol=CASCADE, data=Raw(json.encode({**parts, "voice_activity": self._listening.detector})))
        return SessionInfo(id=f"{CASCADE}_{id(self):x}", model=self._name, settings=self._settings, raw=raw)

    async def __aiter__(self) -> AsyncIterator[RealtimeOutput]:
        async for event in self._out:
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
                await self._listening.feed(audio)
            case UpdateSession(settings=settings):
                self._update(settings)
            case StartSpeech():
                self._listening.start()
            case CommitAudio():
                if not self._listening.commit():
                    self._complain("there is no sound to commit", event.event_id)
            case ClearAudio():
                self._listening.clear()
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
        self._listening.update(self._settings, turns="turn_detection" in settings.given())
        self._out.add(SessionUpdated(session=self._describe()))

    def _add(self, event: AddMessages) -> None:
        for place, message in enumerate(event.messages):
            if message.role == "user":
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
        """What the user shows goes into what is said next."""
        if not self._images:
            return message
        images, self._images = self._images, []
        return replace(message, parts=(*message.parts, *(MediaPart(media=image) for image in images)))

    def _truncate(self, event: TruncateItem) -> None:
        item = self._conversation.find(event.item_id)
        if item is None:
            self._complain(f"there is no item {event.item_id!r}", event.event_id)
            return
        self._conversation.truncate(item, event.audio_end_ms)
        self._out.add(ItemTruncated(item_id=item.id, audio_end_ms=event.audio_end_ms))

    # ── answering ──

    def _ask(self, event: Respond) -> None:
        if event.keep and self._is_busy():
            error = ProviderError("an answer is under way", provider=CASCADE)
            self._out.add(SessionError(error=error, about=event.event_id, busy=True))
        elif event.keep and self._listening.writes:
            self._asked = event
        else:
            self._answer(event)

    def _answer_turn(self, failure: BetterAIError | None = None) -> None:
        """After a turn, and after an answer: what is owed now. Who goes on speaking is heard out first."""
        if self._listening.writes or self._is_busy():
            return
        asked, self._asked = self._asked, None
        turns = read_turns(self._settings)
        if asked is not None and not self._listening.owed:
            nothing = ProviderError("nothing was understood of what was said", provider=CASCADE)
            self._refuse(asked, failure or nothing)
        elif asked is not None:
            self._answer(asked)
        elif self._listening.owed and not self._listening.hears and turns.mode != "none" and turns.respond is not False:
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
        id = self._name_response()
        answer = Answer(id, self._stages, self._conversation, self._settings, asked, self._out, self._bill)
        if asked.keep:
            heard = self._listening
            answer.turn_ended, answer.unbilled = heard.turn_ended, heard.unbilled
            heard.turn_ended, heard.unbilled, heard.owed = None, 0, False
        self._answers[id] = answer
        answer.begin()
        self._tasks.start(self._run(answer), id)

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
                self._tasks.cancel(answer.id)

    def _bill(self, stage: Stage, usage: Usage, cost: Cost | None, provider: str, model: str) -> UsageStated:
        usage, config = stage.bill(usage, cost, provider, model)
        name = config.key if config.provider else config.id
        self.models[name] = config
        return UsageStated(usage=usage, model=name)

    # ── its end ──

    async def aclose(self) -> None:
        self._closed = True
        await self._tasks.aclose()
        self._out.end()
