"""What goes out of a session: our events as frames."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from typing import Any

import msgspec

from betterai.core.exceptions import UnsupportedParam
from betterai.core.message import Message
from betterai.core.realtime_codec import RealtimeCall
from betterai.core.realtime_input import (
    AddMessages,
    AddToolResults,
    AppendAudio,
    RealtimeInput,
    Respond,
    SendVerbatim,
    UpdateSession,
)
from betterai.core.realtime_settings import RealtimeSettings
from betterai.core.response import CallWarning
from betterai.providers.openai.live.sessions import PROTOCOL, LiveSessions
from betterai.wire.openai_realtime.items import build_result
from betterai.wire.report import Report

PIECE_BYTES = 6 * 1024 * 1024
"""Sound in one frame."""
_APPEND = {"system": "session.instructions.append", "developer": "session.instructions.append",
           "assistant": "session.commentary.append"}  # fmt: skip


class SentFrames:
    """Nothing may follow `session.start` before the session stands: what is sent until then is held back."""

    def __init__(self, call: RealtimeCall, sessions: LiveSessions) -> None:
        self.done = False
        self.warnings: list[CallWarning] = []
        self.call = call
        self.stands = False
        self.open_calls: set[str] = set()
        """Calls of functions that have no result yet."""
        self.delegated: set[str] = set()
        """What the model asked the caller to do."""
        self._sessions = sessions
        self._said = self._responds = False
        self._held: list[str] = []
        self._history: tuple[Message, ...] = ()

    def send(self, item: RealtimeInput) -> Sequence[str]:
        first, self._said = not self._said, True
        report = Report(self.call.model)
        frames = self._append(item.audio) if isinstance(item, AppendAudio) else self._write(item, first, report)
        self.warnings.extend(warning for warning in report.warnings if warning not in self.warnings)
        if first or self.stands:
            return frames
        self._held.extend(frames)
        return ()

    def release(self) -> list[str]:
        """What was held back: the session stands."""
        self.stands = True
        held, self._held = self._held, []
        return held

    def _append(self, audio: bytes) -> list[str]:
        pieces = (audio[at : at + PIECE_BYTES] for at in range(0, len(audio), PIECE_BYTES))
        kind = '{"type":"session.input_audio.append","audio":"'
        return [f'{kind}{b64encode(piece).decode("ascii")}"}}' for piece in pieces]

    def _write(self, item: RealtimeInput, first: bool, report: Report) -> list[str]:
        bodies = self._build(item, first, report)
        if item.event_id and bodies:
            bodies[0] = {"event_id": item.event_id, **bodies[0]}
        return [msgspec.json.encode(body).decode() for body in bodies]

    def _build(self, item: RealtimeInput, first: bool, report: Report) -> list[dict[str, Any]]:
        match item:
            case UpdateSession(settings=settings):
                return self._update(settings, first, report)
            case AddMessages(messages=messages) if messages and messages == self._history:
                self._history = ()  # it went out with the start
                return []
            case AddMessages(messages=messages, respond=respond):
                asked = [self._build_message(message, report) for message in messages]
                return [*asked, *self._ask(respond, report)]
            case AddToolResults(results=results, respond=respond):
                built = [self._build_result(build_result(result, report)) for result in results]
                self.open_calls -= {result.id for result in results}
                ready = (
                    respond and not self.open_calls and any(frame["type"] == "response.item.create" for frame in built)
                )
                return [*built, *self._ask(ready, report)]
            case Respond(messages=None, settings=None, keep=True):
                return self._ask(True, report)
            case Respond():
                raise self._refuse("respond", "there are no answers outside of the conversation, nor settings for one")
            case SendVerbatim(frame=frame) if frame.protocol == PROTOCOL:
                return [frame.value]
        report.drop(item.type, "the model hears and speaks on, and takes nothing of the kind")
        return []

    def _refuse(self, param: str, why: str, hint: str = "") -> UnsupportedParam:
        model = self.call.model
        return UnsupportedParam(f"{param}: {why}", param=param, hint=hint, provider=model.provider, model=model.id)

    def _update(self, settings: RealtimeSettings, first: bool, report: Report) -> list[dict[str, Any]]:
        if not first:
            changed = self._sessions.change(settings, self.call, report)
            return [{"type": "session.update", "session": changed}] if changed else []
        self._history = tuple(settings.history or ())
        call = msgspec.structs.replace(self.call, settings=settings)
        session = self._sessions.start(call, report)
        self._responds = "responses" in session.get("delegation", {})
        return [{"type": "session.start", "session": session}]

    def _ask(self, wanted: bool, report: Report) -> list[dict[str, Any]]:
        """Only who works in the model's name can be asked."""
        if wanted and not self._responds:
            report.drop("respond", "the model itself hears when to speak")
        return [{"type": "response.create"}] if wanted and self._responds else []

    def _build_message(self, message: Message, report: Report) -> dict[str, Any]:
        if message.role in _APPEND and message.text:
            return {"type": _APPEND[message.role], "content": message.text, "delegation_id": None}
        if message.role != "user" or not self._responds or not message.text:
            raise self._refuse(
                "messages", f"these sessions take no such message of the {message.role}",
                "speak it, or send it as the system's; with tools, what the user writes is for who runs them",
            )  # fmt: skip
        if len(message.parts) > 1:
            report.drop("media", "texts are taken here")
        content = [{"type": "input_text", "text": message.text}]
        return {"type": "response.item.create", "item": {"type": "message", "role": "user", "content": content}}

    def _build_result(self, item: dict[str, Any]) -> dict[str, Any]:
        """What was delegated to the caller is answered with what the model is to say."""
        if item["call_id"] in self.delegated:
            return {"type": "session.commentary.append", "content": item["output"], "delegation_id": item["call_id"]}
        if not self._responds:
            raise self._refuse("tools", f"nothing was asked under the id {item['call_id']!r}")
        return {"type": "response.item.create", "item": item}

    def goodbye(self) -> Sequence[str]:
        """So that the provider finishes the session, and does not wait for it."""
        return ('{"type":"session.close"}',) if self.stands and not self.done else ()
