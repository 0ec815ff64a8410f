"""One answer of a cascade: the text model's words, spoken while they come."""

from __future__ import annotations

from asyncio import CancelledError, Queue, Task, create_task, gather
from collections.abc import Callable
from contextlib import aclosing
from time import monotonic
from typing import Any

from msgspec.structs import replace

from betterai.core.exceptions import BetterAIError
from betterai.core.message import Message, Text, ToolCall
from betterai.core.realtime import (
    ItemAdded,
    OutputAudio,
    OutputReasoning,
    OutputText,
    OutputTranscript,
    RealtimeFinish,
    ResponseDone,
    ResponseStarted,
    SessionError,
    SessionWarned,
    StageMeasured,
    ToolCalled,
    ToolCallPiece,
    UsageStated,
)
from betterai.core.realtime_input import Respond
from betterai.core.realtime_settings import RealtimeSettings
from betterai.core.response import CallWarning, ProviderResponse, TextChunk
from betterai.core.results import Speech
from betterai.core.usage import Cost, Usage
from betterai.runtime.cascade.conversation import Conversation, Item, Spoken
from betterai.runtime.cascade.detection import SOUND
from betterai.runtime.cascade.settings import for_speech, for_text
from betterai.runtime.cascade.stages import Stage, Stages, list_news, name_error
from betterai.runtime.cascade.voice import VoiceReader
from betterai.runtime.realtime.inbox import Inbox


class Writing:
    """The words of an answer on their way to the voice, as they come."""

    def __init__(self) -> None:
        self._pieces: Queue[str | None] = Queue()

    def add(self, words: str) -> None:
        self._pieces.put_nowait(words)

    def end(self) -> None:
        self._pieces.put_nowait(None)

    def __aiter__(self) -> Writing:
        return self

    async def __anext__(self) -> str:
        if (words := await self._pieces.get()) is None:
            self.end()
            raise StopAsyncIteration
        return words


class Answer:
    """`asked` is what asked for it; `bill` is told whose usage it was. `turn_ended` is when the user's turn was over
    (monotonic seconds), None where it answers no turn of speech.
    """

    def __init__(
        self,
        id: str,
        stages: Stages,
        conversation: Conversation,
        settings: RealtimeSettings,
        asked: Respond,
        out: Inbox,
        bill: Callable[[Stage, Usage, Cost | None, str, str], UsageStated],
    ) -> None:
        self.id = id
        self.keeps = asked.keep
        self._stages, self._conversation, self._out, self._bill = stages, conversation, out, bill
        self._settings = settings.replace(**asked.settings.given()) if asked.settings is not None else settings
        self._asked = asked
        self.turn_ended: float | None = None
        self._speaks = "audio" in (self._settings.modalities or ("audio",))
        self.item = Item(f"{id}_item")
        self._after = ""
        if self.keeps:
            self.item, self._after = conversation.add(id=self.item.id)
        self._spoken = self.item.spoken = Spoken()
        self._words = Writing()
        self._voice: Task[None] | None = None
        self._left: list[Task[None]] = []
        self._stage = stages.text
        self._calls: dict[int, str] = {}
        self._called: list[ToolCall] = []
        self._thoughts: list[str] = []
        self.unbilled = 0
        """Stages that were asked and have not said what they used."""
        self._first = 0.0
        self.over = False

    def begin(self) -> None:
        self._tell(ResponseStarted, metadata=self._asked.metadata)
        self._out.add(ItemAdded(item_id=self.item.id, after=self._after))

    async def run(self) -> None:
        """To its end, whatever that is: what goes wrong is told of."""
        try:
            response = await self._think()
            self._words.end()
            if self._voice is not None:
                await self._voice
            await self._finish(response)
        except CancelledError:
            raise
        except Exception as error:
            self.fail(name_error(error, self._stage))
        finally:
            voices = [*self._left, *([] if self._voice is None else [self._voice])]
            for voice in voices:
                voice.cancel()
            await gather(*voices, return_exceptions=True)

    # ── text ──

    async def _think(self) -> ProviderResponse[Any]:
        given = self._asked.messages
        if given is None:
            messages = self._conversation.build(self._settings.instructions)
        else:
            start = [Message.system(self._settings.instructions)] if self._settings.instructions else []
            messages = [*start, *given]
        began = monotonic()
        self.unbilled += 1
        stream = self._stages.generate(messages, for_text(self._settings))
        async with aclosing(stream):
            async for chunk in stream:
                if chunk.content and not self._first:
                    self._first = monotonic()
                    self._measure("text", began)
                self._take(chunk)
                if self._voice is not None and self._voice.done():
                    await self._voice
            response = stream.response
        if response.usage is not None:
            self._state(self._stages.text, response)
        self._warn(response.warnings)
        self._announce(response)
        return response

    def _take(self, chunk: TextChunk) -> None:
        if chunk.reset:
            self._take_back()
        if chunk.choice:
            return
        if chunk.content:
            self._spoken.text += chunk.content
            self._say(delta=chunk.content)
            if self._speaks:
                self._words.add(chunk.content)
                if self._voice is None and self._spoken.text.strip():
                    self._voice = create_task(self._speak())
        if chunk.reasoning:
            self._thoughts.append(chunk.reasoning)
            self._tell(OutputReasoning, delta=chunk.reasoning, item_id=self.item.id)
        if (piece := chunk.tool_call) is not None:
            id = self._calls.setdefault(piece.index, piece.id)
            self._tell(ToolCallPiece, id=id, name=piece.name, delta=piece.arguments, item_id=self.item.id)
        if isinstance(chunk.part, ToolCall):
            self._call(chunk.part)

    def _take_back(self) -> None:
        """The stream begins anew: what was not handed out yet never will be."""
        if self._voice is not None:
            self._voice.cancel()
            self._left.append(self._voice)
            self._voice = None
        self._words = Writing()
        self._out.throw_away(None)
        given = self._spoken.given_ms
        self._spoken = self.item.spoken = Spoken()
        self._spoken.given_ms = self._spoken.made_ms = given
        self._calls.clear()
        self._say(reset=True)

    def _call(self, call: ToolCall) -> None:
        self._called.append(call)
        if self.keeps:
            self._conversation.expect(call)
        self._tell(ToolCalled, call=call, item_id=self.item.id)

    def _announce(self, response: ProviderResponse[Any]) -> None:
        """Calls that came with the end only."""
        known = {call.id for call in self._called}
        for call in response.tool_calls:
            if call.id not in known:
                self._call(call)

    # ── speech ──

    async def _speak(self) -> None:
        self.unbilled += 1
        wanted = for_speech(self._settings)
        spoken = self._spoken
        reader = VoiceReader(self._stages.rate)
        speech: Speech | None = None
        try:
            async with aclosing(self._stages.speak(self._words, wanted)) as chunks:
                async for chunk in chunks:
                    spoken.add_words(chunk.words or ())
                    if chunk.audio:
                        await self._sound(reader.feed(chunk.audio), spoken)
                    speech = chunk.response or speech
            if speech is not None:
                reader.check(speech)
            await self._sound(reader.finish(), spoken)
        except Exception:
            self._stage = self._stages.tts
            raise
        spoken.whole = True
        self._conversation.note_pace(spoken)
        if speech is not None:
            if speech.usage is not None:
                self._state(self._stages.tts, speech)
            self._warn(speech.warnings)

    async def _sound(self, audio: bytes, spoken: Spoken) -> None:
        if not audio:
            return
        if not spoken.made_ms:
            self._measure("tts", self._first)
            if self.turn_ended is not None:
                self._measure("answer", self.turn_ended)
        spoken.made_ms += SOUND.milliseconds(len(audio))
        await self._out.put(OutputAudio(audio=audio, response_id=self.id, item_id=self.item.id))

    # ── its end ──

    async def _finish(self, response: ProviderResponse[Any]) -> None:
        if self._spoken.made_ms:
            await self._out.put(OutputAudio(final=True, response_id=self.id, item_id=self.item.id))
        message = response.message or Message.assistant(response.content)
        if self._thoughts:
            self._tell(OutputReasoning, text="".join(self._thoughts), final=True, item_id=self.item.id)
        reason: RealtimeFinish = response.finish_reason or "stop"
        if reason == "stop" and any(not call.server for call in self._called):
            reason = "tool_calls"
        self._end(message, reason, response.raw_finish_reason)

    def stop(self, reason: str) -> None:
        """The user speaks into it, or the caller wants no more: what was not handed out is not part of it."""
        if self.over:
            return
        self._end(self._partial(), "interrupted", reason)

    def fail(self, error: BetterAIError) -> None:
        if self.over:
            return
        self._out.add(SessionError(error=error, about=self.id))
        self._end(self._partial(), "error", "", error)

    def _partial(self) -> Message:
        """What of it the user may have had: of words that are spoken, those whose sound was handed out."""
        text = self._spoken.text
        if self._speaks:
            text = self._spoken.cut(self._spoken.given_ms, self._conversation.pace)
        words = (Text(text=text),) if text else ()
        return Message(role="assistant", parts=(*words, *self._called))

    def _end(
        self, message: Message, reason: RealtimeFinish, raw_reason: str, error: BetterAIError | None = None
    ) -> None:
        self.over = True
        if self._spoken.text:
            self._say(text=self._spoken.text, final=True)
        if self.keeps and message.parts:
            self._conversation.fill(self.item, message)
        elif self.keeps:
            self._conversation.delete(self.item.id)
        self._out.add(ItemAdded(item_id=self.item.id, after=self._after, message=message, done=True))
        self._tell(
            ResponseDone,
            finish_reason=reason,
            raw_finish_reason=raw_reason,
            message=message,
            usage=None if self.unbilled else Usage(),
            error=error,
            metadata=self._asked.metadata,
        )

    # ── what is told ──

    def _tell(self, kind: Any, **fields: Any) -> None:
        self._out.add(kind(response_id=self.id, **fields))

    def _say(self, **fields: Any) -> None:
        self._tell(OutputTranscript if self._speaks else OutputText, item_id=self.item.id, **fields)

    def _measure(self, stage: str, since: float) -> None:
        self._tell(StageMeasured, stage=stage, seconds=monotonic() - since)

    def _state(self, stage: Stage, result: Any) -> None:
        self.unbilled -= 1
        stated = self._bill(stage, result.usage, result.cost, result.provider, result.model)
        self._out.add(replace(stated, response_id=self.id))

    def _warn(self, warnings: tuple[CallWarning, ...]) -> None:
        if found := list_news(warnings):
            self._out.add(SessionWarned(warnings=found))
