"""Settings as the object of `session.start`, and of `session.update`, which takes what is delegated only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import msgspec

from betterai.core.exceptions import UnsupportedParam
from betterai.core.message import Message
from betterai.core.realtime_codec import RealtimeCall
from betterai.core.realtime_settings import (
    AudioFormat,
    RealtimeSettings,
    read_format,
    read_transcription,
    read_turn_detection,
)
from betterai.core.tools import AnyTool, Tool
from betterai.wire.exchanges import SettingsBody
from betterai.wire.functions import pick_given
from betterai.wire.openai_realtime.sessions import TRANSCRIPTION, build_choice, build_tool, find_effort, place
from betterai.wire.reasoning import read_reasoning_control
from betterai.wire.report import Report
from betterai.wire.residue import merge_extra

PROTOCOL = "openai_live"
DELEGATE = "gpt-6-luna"
"""Who runs tools where the caller names no model: the session's own has none."""
FORMATS = (
    AudioFormat(),
    AudioFormat(rate=16000),
    AudioFormat(mime_type="audio/pcmu", rate=8000),
    AudioFormat(mime_type="audio/pcma", rate=8000),
)
MOST_HISTORY = 128
LATER = frozenset({"tools", "tool_choice", "parallel_tool_calls", "reasoning", "options", "extra_body"})
"""What may change in an open session."""
_ROLES = {"system": "developer", "developer": "developer", "user": "user", "assistant": "assistant"}


def find_format(settings: RealtimeSettings) -> AudioFormat:
    """The one format of a session's sound: as it comes in, else as it goes out, where it is one of the provider's."""
    for given in (settings.input_format, settings.output_format):
        if given is not None and read_format(given) in FORMATS:
            return read_format(given)
    return FORMATS[0]


class LiveSessions(SettingsBody[RealtimeCall]):
    """Tools, and what belongs to them, are for the model that the session delegates to."""

    protocol: ClassVar[str] = PROTOCOL
    path: ClassVar[str] = "/live/sessions"
    unsupported: ClassVar[Mapping[str, str]] = {
        **dict.fromkeys(
            ("speed", "language", "temperature", "top_p", "top_k", "seed", "noise_reduction", "truncation"),
            "there is no such setting of these sessions",
        ),
        "max_tokens": "nothing limits what is spoken",
    }
    vendor_options: ClassVar[frozenset[str]] = frozenset({"delegation", "store", "safety_identifier", "triggers"})

    def begin_body(self, call: RealtimeCall, report: Report) -> dict[str, Any]:
        format = find_format(call.settings)
        return {"model": call.model.id, "audio": {"format": {"type": format.mime_type, "rate": format.rate}}}

    def start(self, call: RealtimeCall, report: Report) -> dict[str, Any]:
        """The session with all that was set. Raises `UnsupportedParam` for what would be another one without it."""
        body = self.begin_body(call, report)
        self.write_settings(body, call, report)
        if call.settings.extra_body:
            merge_extra(body, dict(call.settings.extra_body))
        responses = body.get("delegation", {}).get("responses")
        if isinstance(responses, dict) and "model" not in responses:
            responses["model"] = DELEGATE
            hint = "options={'openai': {'delegation': {'responses': {'model': …}}}} names another"
            report.translate("tools", f"these sessions have others run tools: {DELEGATE} was asked to; {hint}")
        return body

    def change(self, settings: RealtimeSettings, call: RealtimeCall, report: Report) -> dict[str, Any]:
        given = settings.given()
        for name in given.keys() - LATER:
            report.warn(name, "a session keeps the settings that it was opened with: open another one")
        own = RealtimeSettings(**{name: value for name, value in given.items() if name in LATER})
        body: dict[str, Any] = {}
        self.write_settings(body, msgspec.structs.replace(call, settings=own), report)
        merge_extra(body, dict(own.extra_body or {}))
        return body

    def write_instructions(self, body: dict[str, Any], value: Any, call: RealtimeCall, report: Report) -> None:
        if value is not None:
            body["instructions"] = value

    def write_voice(self, body: dict[str, Any], value: Any, call: RealtimeCall, report: Report) -> None:
        if value is not None:
            place(body, value, "audio", "output", "voice")

    def write_modalities(self, body: dict[str, Any], value: Any, call: RealtimeCall, report: Report) -> None:
        if value is not None and "audio" not in value:
            report.drop("modalities", "it always speaks", hint="the words come with the sound")

    def write_input_format(self, body: dict[str, Any], value: Any, call: RealtimeCall, report: Report) -> None:
        self._check_format("input_format", value, call, report)

    def write_output_format(self, body: dict[str, Any], value: Any, call: RealtimeCall, report: Report) -> None:
        self._check_format("output_format", value, call, report)

    def _check_format(self, name: str, value: Any, call: RealtimeCall, report: Report) -> None:
        found = find_format(call.settings)
        if value is not None and read_format(value) != found:
            report.translate(name, f"sound has one format both ways: {found}")

    def write_turn_detection(self, body: dict[str, Any], value: Any, call: RealtimeCall, report: Report) -> None:
        """It hears while it speaks, and there are no turns to be found."""
        turns = read_turn_detection(value)
        if turns is None:
            return
        if turns.mode == "none":
            raise UnsupportedParam(
                "turn_detection: the model itself hears when to speak, and cannot be told", param="turn_detection",
                hint="send the sound as it comes, silence too", provider=call.model.provider, model=call.model.id,
            )  # fmt: skip
        report.drop("turn_detection", "the model itself hears when to speak")

    def write_transcription(self, body: dict[str, Any], value: Any, call: RealtimeCall, report: Report) -> None:
        found = read_transcription(value)
        if value is False:
            report.drop("transcription", "the user's words are always written down")
        for name in TRANSCRIPTION if found is not None else ():
            if getattr(found, name) is not None:
                report.drop(f"transcription.{name}", "the session's model writes it down, and is not told how")

    def write_output_transcription(self, body: dict[str, Any], value: Any, call: RealtimeCall, report: Report) -> None:
        if value is False:
            report.drop("output_transcription", "the words of sound come with it always")

    def write_history(
        self, body: dict[str, Any], value: Sequence[Message] | None, call: RealtimeCall, report: Report
    ) -> None:
        turns = [message for message in value or () if message.role in _ROLES and message.text]
        if len(turns) < len(value or ()) or any(len(message.parts) > 1 for message in turns):
            report.drop("messages", "the history of these sessions is of texts: calls and media were left out")
        for message in turns[-MOST_HISTORY:]:
            kind = "output_text" if message.role == "assistant" else "input_text"
            item = {"type": "message", "role": _ROLES[message.role], "content": [{"type": kind, "text": message.text}]}
            body.setdefault("input", []).append(item)
        if len(turns) > MOST_HISTORY:
            report.drop("history", f"the provider takes {MOST_HISTORY} turns: earlier ones were left out")

    def write_resumption(self, body: dict[str, Any], value: Any, call: RealtimeCall, report: Report) -> None:
        if isinstance(value, str):
            report.drop("resumption", "this provider cannot resume a session", hint="pass the conversation as history")

    # ── for who works in its name ──

    def write_tools(self, body: dict[str, Any], value: Any, call: RealtimeCall, report: Report) -> None:
        if value:
            _delegate(body, "tools", [_build_tool(tool, report) for tool in value])

    def write_tool_choice(self, body: dict[str, Any], value: Any, call: RealtimeCall, report: Report) -> None:
        if value is not None:
            _delegate(body, "tool_choice", build_choice(value, report))

    def write_parallel_tool_calls(self, body: dict[str, Any], value: Any, call: RealtimeCall, report: Report) -> None:
        if value is not None:
            _delegate(body, "parallel_tool_calls", value)

    def write_reasoning(self, body: dict[str, Any], value: Any, call: RealtimeCall, report: Report) -> None:
        if value is not None and (effort := find_effort(read_reasoning_control(value), call, report)):
            _delegate(body, "reasoning", {"effort": effort})


def _delegate(body: dict[str, Any], name: str, value: Any) -> None:
    body.setdefault("delegation", {"type": "responses"})
    place(body, value, "delegation", "responses", name)


def _build_tool(tool: AnyTool, report: Report) -> dict[str, Any]:
    if not isinstance(tool, Tool):
        return build_tool(tool, report)
    return {"type": "function", **pick_given(tool, "name", "description", "parameters", "strict")}
