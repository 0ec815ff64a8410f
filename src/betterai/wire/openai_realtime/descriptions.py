"""The session object as settings: for the server half, and for what a provider says of a session that stands."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any, TypeAlias

from betterai.core.exceptions import BetterAIError, ValidationError
from betterai.core.realtime_settings import AudioFormat, Transcription, TurnDetection, read_format
from betterai.core.settings import ReasoningControl
from betterai.core.tools import AnyTool, ServerTool, Tool, ToolChoice
from betterai.wire.openai_realtime.sessions import TRANSCRIPTION

_Kind: TypeAlias = type | tuple[type, ...]
_TURNS: Mapping[str, tuple[str, _Kind]] = {
    "threshold": ("threshold", (int, float)), "prefix_padding_ms": ("prefix_ms", int),
    "silence_duration_ms": ("silence_ms", int), "idle_timeout_ms": ("idle_timeout_ms", int),
    "eagerness": ("eagerness", str), "create_response": ("respond", bool), "interrupt_response": ("interrupt", bool),
}  # fmt: skip
_MODES = {"server_vad": "server", "semantic_vad": "semantic"}
_SAME: Mapping[str, tuple[str, _Kind]] = {
    "instructions": ("instructions", str), "voice": ("voice", str), "temperature": ("temperature", (int, float)),
    "parallel_tool_calls": ("parallel_tool_calls", bool),
}  # fmt: skip


def read_session(given: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The settings that a session object states, in today's form or the beta's, and what of it is none of them."""
    rest = {name: dict(value) if isinstance(value, Mapping) else value for name, value in given.items()}
    if rest.get("type") == "realtime":
        del rest["type"]
    settings: dict[str, Any] = {}
    for name, (ours, kind) in _SAME.items():
        if isinstance(rest.get(name), kind):
            settings[ours] = rest.pop(name)
    _read_audio(rest, settings)
    _read_flat(rest, settings)
    for name in ("output_modalities", "modalities"):
        if isinstance(rest.get(name), list):
            settings["modalities"] = tuple(rest.pop(name))
    for name in ("max_output_tokens", "max_response_output_tokens"):
        if isinstance(rest.get(name), int) or rest.get(name) == "inf":
            value = rest.pop(name)
            settings["max_tokens"] = None if value == "inf" else value
    _read_tools(rest, settings)
    if "turn_detection" in rest:
        _take_turns(rest, settings)
    if isinstance(reasoning := rest.get("reasoning"), dict) and isinstance(reasoning.get("effort"), str):
        settings["reasoning"] = ReasoningControl(effort=reasoning.pop("effort"))
        _tidy(rest, "reasoning")
    _read_truncation(rest, settings)
    if isinstance(resumption := rest.get("resumption"), dict) and isinstance(resumption.get("enabled"), bool):
        settings["resumption"] = resumption.pop("enabled")
        _tidy(rest, "resumption")
    return settings, rest


def _read_audio(rest: dict[str, Any], settings: dict[str, Any]) -> None:
    """`audio.input` and `audio.output`."""
    audio = rest.get("audio")
    if not isinstance(audio, dict):
        return
    for side in ("input", "output"):
        part = dict(audio[side]) if isinstance(audio.get(side), dict) else None
        if part is None:
            continue
        if (format := _read_format(part.get("format"))) is not None:
            settings[f"{side}_format"] = format
            del part["format"]
        if side == "input":
            _read_input(part, settings)
        else:
            for name, kind in (("voice", str), ("speed", (int, float))):
                if isinstance(part.get(name), kind):
                    settings[name] = part.pop(name)
        audio[side] = part
        _tidy(audio, side)
    _tidy(rest, "audio")


def _read_input(part: dict[str, Any], settings: dict[str, Any]) -> None:
    if "turn_detection" in part:
        _take_turns(part, settings)
    if "transcription" in part:
        _take_transcription(part, "transcription", settings)
    if "noise_reduction" in part:
        _take_noise(part, "noise_reduction", settings)


def _read_flat(rest: dict[str, Any], settings: dict[str, Any]) -> None:
    """What the beta had at the top."""
    rate = rest.get("input_audio_sampling_rate")
    for side in ("input", "output"):
        if (format := _read_format(rest.get(f"{side}_audio_format"))) is None:
            continue
        del rest[f"{side}_audio_format"]
        if side == "input" and format.mime_type == "audio/pcm" and isinstance(rate, int):
            format = AudioFormat(rate=rate)
            del rest["input_audio_sampling_rate"]
        settings[f"{side}_format"] = format
    if "input_audio_transcription" in rest:
        _take_transcription(rest, "input_audio_transcription", settings)
    if "input_audio_noise_reduction" in rest:
        _take_noise(rest, "input_audio_noise_reduction", settings)


def _read_format(value: Any) -> AudioFormat | None:
    if isinstance(value, Mapping):
        kind, rate = value.get("type"), value.get("rate")
        value = f"{kind};rate={rate}" if isinstance(rate, int) else kind
    try:
        return read_format(value) if isinstance(value, str) else None
    except BetterAIError:
        return None


def _take_turns(rest: dict[str, Any], settings: dict[str, Any]) -> None:
    """null, and an object whose type is null, say that the caller finds the turns."""
    value = rest["turn_detection"]
    if value is None or (isinstance(value, Mapping) and value.get("type", ...) in (None, "none")):
        settings["turn_detection"] = TurnDetection(mode="none")
        del rest["turn_detection"]
        return
    if not isinstance(value, Mapping) or value.get("type") not in _MODES:
        return
    left, found = dict(value), dict[str, Any]()
    mode = _MODES[left.pop("type")]
    for name, (ours, kind) in _TURNS.items():
        if isinstance(left.get(name), kind):
            found[ours] = left.pop(name)
    settings["turn_detection"] = TurnDetection(mode=mode, **found)  # type: ignore[arg-type]
    rest["turn_detection"] = left
    _tidy(rest, "turn_detection")


def _take_transcription(rest: dict[str, Any], name: str, settings: dict[str, Any]) -> None:
    value = rest[name]
    if value is None:
        settings["transcription"] = False
        del rest[name]
        return
    if not isinstance(value, Mapping):
        return
    left, found = dict(value), dict[str, Any]()
    for field in TRANSCRIPTION:
        stated = left.get(field)
        if isinstance(stated, str) or (field in ("languages", "keywords") and isinstance(stated, list)):
            found[field] = tuple(stated) if isinstance(stated, list) else stated
            del left[field]
    settings["transcription"] = Transcription(**found)
    rest[name] = left
    _tidy(rest, name)


def _take_noise(rest: dict[str, Any], name: str, settings: dict[str, Any]) -> None:
    value = rest[name]
    if value is None or (isinstance(value, Mapping) and isinstance(value.get("type"), str) and len(value) == 1):
        settings["noise_reduction"] = None if value is None else value["type"]
        del rest[name]


def _read_tools(rest: dict[str, Any], settings: dict[str, Any]) -> None:
    if isinstance(tools := rest.get("tools"), list) and all(isinstance(tool, Mapping) for tool in tools):
        settings["tools"] = tuple(map(_read_tool, rest.pop("tools")))
    choice = rest.get("tool_choice")
    if isinstance(choice, str):
        settings["tool_choice"] = rest.pop("tool_choice")
    elif isinstance(choice, Mapping) and choice.get("type") == "function" and isinstance(choice.get("name"), str):
        settings["tool_choice"] = ToolChoice(mode="required", names=(choice["name"],))
        del rest["tool_choice"]


def _read_tool(tool: Mapping[str, Any]) -> AnyTool:
    """A function, or where there is more than our type holds, or none that it takes, the provider's own words."""
    known = {name: value for name, value in tool.items() if name in ("name", "description", "parameters")}
    if tool.get("type") == "function" and len(known) + 1 == len(tool):
        with suppress(ValidationError):
            return Tool(**{"name": "", **known})
    return ServerTool(type=str(tool.get("type", "")), config={key: tool[key] for key in tool if key != "type"})


def _read_truncation(rest: dict[str, Any], settings: dict[str, Any]) -> None:
    value = rest.get("truncation")
    if isinstance(value, Mapping) and value.keys() == {"type", "retention_ratio"}:
        value = value["retention_ratio"]
    if isinstance(value, str | Mapping | float | int):
        settings["truncation"] = value
        del rest["truncation"]


def _tidy(rest: dict[str, Any], name: str) -> None:
    """An object of which all was read is gone."""
    if rest[name] == {}:
        del rest[name]
