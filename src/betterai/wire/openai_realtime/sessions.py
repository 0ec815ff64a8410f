"""Settings as the protocol's session object, for the client half."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import msgspec

from betterai.core.realtime_codec import RealtimeCall
from betterai.core.realtime_settings import (
    AudioFormat,
    RealtimeSettings,
    TurnDetection,
    read_format,
    read_transcription,
    read_turn_detection,
)
from betterai.core.settings import ReasoningControl
from betterai.core.tools import AnyTool, ServerTool, Tool, ToolChoice
from betterai.wire.calls import report_thoughts
from betterai.wire.exchanges import SettingsBody
from betterai.wire.functions import pick_given
from betterai.wire.openai_realtime.protocol import PROTOCOL
from betterai.wire.reasoning import effort_for, fit_effort, read_reasoning_control
from betterai.wire.report import Report
from betterai.wire.residue import merge_extra

_TURNS = {
    "threshold": "threshold", "prefix_ms": "prefix_padding_ms", "silence_ms": "silence_duration_ms",
    "idle_timeout_ms": "idle_timeout_ms", "eagerness": "eagerness", "respond": "create_response",
    "interrupt": "interrupt_response",
}  # fmt: skip
_OF_SEMANTIC = frozenset({"eagerness", "respond", "interrupt"})
TRANSCRIPTION = ("model", "language", "languages", "prompt", "keywords", "delay")
OWN = frozenset({"history"})
"""Settings that the runner sends by itself."""


class OpenAISessions(SettingsBody[RealtimeCall]):
    """The session object of `session.update`. A vendor states its deviations."""

    protocol: ClassVar[str] = PROTOCOL
    path: ClassVar[str] = "/realtime"
    default_transcriber: ClassVar[str] = "gpt-realtime-whisper"
    """What writes down the user's words where the caller names no model: the vendor wants one."""
    fields: ClassVar[Mapping[str, str]] = {"parallel_tool_calls": "parallel_tool_calls"}
    unsupported: ClassVar[Mapping[str, str]] = {
        "language": "the voice speaks what the instructions say",
        "temperature": "sessions are not sampled so any more",
        "top_p": "there is no such setting of sessions",
        "top_k": "there is no such setting of sessions",
        "seed": "a session cannot be repeated",
    }
    vendor_options: ClassVar[frozenset[str]] = frozenset({"include", "prompt", "tracing"})

    def begin_body(self, call: RealtimeCall, report: Report) -> dict[str, Any]:
        return {"type": "realtime"}

    def build(self, settings: RealtimeSettings, call: RealtimeCall, report: Report) -> dict[str, Any]:
        """The object, with all that was set. Raises `UnsupportedParam` for what would be another session without it."""
        own = RealtimeSettings(**{name: value for name, value in settings.given().items() if name not in OWN})
        call = msgspec.structs.replace(call, settings=own)
        body = self.begin_body(call, report)
        self.write_settings(body, call, report)
        if settings.extra_body:
            merge_extra(body, dict(settings.extra_body))
        return body

    def write_instructions(self, body: dict[str, Any], value: Any, call: RealtimeCall, report: Report) -> None:
        if value is not None:
            body["instructions"] = value

    def write_voice(self, body: dict[str, Any], value: Any, call: RealtimeCall, report: Report) -> None:
        if value is not None:
            place(body, value, "audio", "output", "voice")

    def write_speed(self, body: dict[str, Any], value: Any, call: RealtimeCall, report: Report) -> None:
        if value is not None:
            place(body, value, "audio", "output", "speed")

    def write_modalities(self, body: dict[str, Any], value: Any, call: RealtimeCall, report: Report) -> None:
        if value is None:
            return
        asked = list(value)
        if "audio" in asked and len(asked) > 1:
            report.translate("modalities", "the words of sound come with it: sound was asked for")
            asked = ["audio"]
        body["output_modalities"] = asked

    def write_input_format(self, body: dict[str, Any], value: Any, call: RealtimeCall, report: Report) -> None:
        if value is not None:
            place(body, build_format(read_format(value)), "audio", "input", "format")

    def write_output_format(self, body: dict[str, Any], value: Any, call: RealtimeCall, report: Report) -> None:
        if value is not None:
            place(body, build_format(read_format(value)), "audio", "output", "format")

    def write_tools(self, body: dict[str, Any], value: Any, call: RealtimeCall, report: Report) -> None:
        if value is not None:
            body["tools"] = [build_tool(tool, report) for tool in value]

    def write_tool_choice(self, body: dict[str, Any], value: Any, call: RealtimeCall, report: Report) -> None:
        if value is not None:
            body["tool_choice"] = build_choice(value, report)

    def write_turn_detection(self, body: dict[str, Any], value: Any, call: RealtimeCall, report: Report) -> None:
        place(body, build_turns(read_turn_detection(value), report), "audio", "input", "turn_detection")

    def write_transcription(self, body: dict[str, Any], value: Any, call: RealtimeCall, report: Report) -> None:
        place(body, self.build_transcription(value), "audio", "input", "transcription")

    def build_transcription(self, value: Any) -> dict[str, Any] | None:
        """Who writes down the user's words; None where nobody is to."""
        found = read_transcription(value)
        if found is None:
            return None
        given = {name: stated for name in TRANSCRIPTION if (stated := getattr(found, name)) is not None}
        return {"model": self.default_transcriber, **given}

    def write_output_transcription(self, body: dict[str, Any], value: Any, call: RealtimeCall, report: Report) -> None:
        if value is False:
            report.drop("output_transcription", "the words of sound come with it always")

    def write_noise_reduction(self, body: dict[str, Any], value: Any, call: RealtimeCall, report: Report) -> None:
        place(body, None if value is None else {"type": value}, "audio", "input", "noise_reduction")

    def write_max_tokens(self, body: dict[str, Any], value: Any, call: RealtimeCall, report: Report) -> None:
        body["max_output_tokens"] = "inf" if value is None else value

    def write_reasoning(self, body: dict[str, Any], value: Any, call: RealtimeCall, report: Report) -> None:
        if value is not None and (effort := find_effort(read_reasoning_control(value), call, report)):
            body["reasoning"] = {"effort": effort}

    def write_truncation(self, body: dict[str, Any], value: Any, call: RealtimeCall, report: Report) -> None:
        if isinstance(value, int | float):
            body["truncation"] = {"type": "retention_ratio", "retention_ratio": value}
        elif value is not None:
            body["truncation"] = value

    def write_resumption(self, body: dict[str, Any], value: Any, call: RealtimeCall, report: Report) -> None:
        """There are no handles. That a broken session begins anew with its history is the runner's to do."""
        if isinstance(value, str):
            report.drop("resumption", "this provider cannot resume a session", hint="pass the conversation as history")


class OpenAIAnswers(OpenAISessions):
    """The response object of `response.create`: settings that hold for one answer."""

    unsupported: ClassVar[Mapping[str, str]] = {
        **OpenAISessions.unsupported,
        **dict.fromkeys(
            ("input_format", "turn_detection", "transcription", "noise_reduction", "truncation", "resumption", "speed"),
            "it holds for the session, not for one answer",
        ),
    }
    vendor_options: ClassVar[frozenset[str]] = frozenset({"prompt"})

    def begin_body(self, call: RealtimeCall, report: Report) -> dict[str, Any]:
        return {}


def place(body: dict[str, Any], value: Any, *path: str) -> None:
    """Put a value into objects within objects."""
    *outer, last = path
    for name in outer:
        body = body.setdefault(name, {})
    body[last] = value


def build_format(format: AudioFormat) -> dict[str, Any]:
    """Only samples have a rate to state."""
    return {"type": format.mime_type, **({"rate": format.rate} if format.mime_type == "audio/pcm" else {})}


def build_tool(tool: AnyTool, report: Report) -> dict[str, Any]:
    if isinstance(tool, ServerTool):
        return {"type": tool.type, **tool.config}
    if not isinstance(tool, Tool):
        report.drop("tools", f"{tool.name} takes free text, and sessions have functions only")
        return {}
    if tool.cache is not None:
        report.drop("tools.cache", "sessions have no cache marks")
    if tool.strict:
        report.drop("tools.strict", "sessions do not enforce schemas")
    return {"type": "function", **pick_given(tool, "name", "description", "parameters")}


def build_choice(value: str | ToolChoice, report: Report) -> Any:
    if isinstance(value, str):
        return value if value in ("auto", "none", "required") else {"type": "function", "name": value}
    if value.mode == "required" and len(value.names) == 1:
        return {"type": "function", "name": value.names[0]}
    if value.names or value.allowed:
        report.drop("tool_choice", "a session takes one function, or all of them")
    return value.mode


def build_turns(turns: TurnDetection | None, report: Report) -> dict[str, Any] | None:
    """Who finds the turns; None where the caller does."""
    if turns is None or turns.mode == "none":
        return None
    semantic = turns.mode == "semantic"
    body: dict[str, Any] = {"type": "semantic_vad" if semantic else "server_vad"}
    for name, field in _TURNS.items():
        value = getattr(turns, name)
        if value is None:
            continue
        if (semantic and name not in _OF_SEMANTIC) or (not semantic and name == "eagerness"):
            report.drop(f"turn_detection.{name}", f"turns found by {turns.mode} detection have none")
        else:
            body[field] = value
    for name in ("start_sensitivity", "end_sensitivity"):
        if getattr(turns, name) is not None:
            report.drop(f"turn_detection.{name}", "this provider takes a threshold in its place")
    return body


def find_effort(control: ReasoningControl, call: RealtimeCall, report: Report) -> str:
    """The effort that a control asks for, as the model has it; "" where nothing is to be said."""
    report_thoughts(control, ("include", "format", "summary"), report)
    effort = control.effort
    if effort is None and control.budget is not None:
        effort = effort_for(control.budget)
        report.translate("reasoning", f"a budget of {control.budget} tokens was sent as the effort {effort}")
    if effort is None and control.enabled is False:
        effort = "none"
    if effort is None:
        return ""
    fitted = fit_effort(effort, call.model.traits.efforts)
    if fitted != effort:
        report.translate("reasoning", f"the model has no effort {effort}: {fitted} was sent")
    return fitted
