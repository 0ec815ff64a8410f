"""Frames of clients, read for the server half: setups as settings, and what stands in frames in both spellings."""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Mapping
from typing import Any

import msgspec

from betterai.core.message import Message, ToolResult
from betterai.core.realtime_settings import AudioFormat, RealtimeSettings, Transcription, TurnDetection, read_format
from betterai.core.response import CallWarning
from betterai.core.tools import Tool
from betterai.wire.gemini.conversation import parse_contents
from betterai.wire.gemini.fields import PROTOCOL as PARTS
from betterai.wire.gemini.requests import SettingsReader
from betterai.wire.gemini.spelling import read_spelling
from betterai.wire.gemini_live.setup import CONFIG
from betterai.wire.objects import Fields, read_object
from betterai.wire.residue import keep_extra, merge_extra, refuse

_READ = frozenset({"responseModalities", "thinkingConfig", *CONFIG.values()})
"""What of `generationConfig` is read as it is for single calls."""
_SENSITIVITIES = {
    f"{side.upper()}_SENSITIVITY_{level.upper()}": level for side in ("start", "end") for level in ("low", "high")
}

_DEEP = {
    "realtimeInputConfig": 2, "contextWindowCompression": 2, "sessionResumption": 1, "inputAudioTranscription": 1,
    "outputAudioTranscription": 1, "proactivity": 1, "historyConfig": 1,
}  # fmt: skip
"""How many levels of an object have names of the protocol only."""


def camel(name: str) -> str:
    return re.sub("_([a-z])", lambda match: match[1].upper(), name)


def respell(value: Any, depth: int) -> Any:
    """Names of objects in the protocol's own spelling, so many levels deep: below stand words of users."""
    if isinstance(value, Mapping) and depth:
        return {camel(name): respell(item, depth - 1) for name, item in value.items()}
    return value


def read_blob(value: Any, where: str) -> tuple[str, bytes]:
    """The MIME type and the content of media; clients may write the URL's alphabet of base64."""
    blob = respell(read_object(value, where), 1)
    data, mime_type = blob.get("data"), blob.get("mimeType") or ""
    if not isinstance(data, str) or not isinstance(mime_type, str):
        raise refuse(f"{where}.data", "must be a text")
    written = data.replace("-", "+").replace("_", "/").rstrip("=")
    return mime_type, b64decode(written + "=" * (-len(written) % 4), validate=True)


def read_sound_format(mime_type: str) -> AudioFormat | None:
    """None for what is no raw sound."""
    if mime_type.partition(";")[0].strip() != "audio/pcm":
        return None
    return read_format(mime_type if "rate=" in mime_type else "audio/pcm;rate=16000")


def read_turns(value: Any) -> tuple[Message, ...]:
    body, _ = read_spelling({"contents": value}, [])
    return parse_contents(None, body["contents"], [])


def read_results(value: Any) -> tuple[ToolResult, ...]:
    if isinstance(value, Mapping):
        value = [value]
    if not isinstance(value, list):
        raise refuse("toolResponse.functionResponses", "must be a list")
    [message] = read_turns([{"role": "user", "parts": [{"functionResponse": item} for item in value]}])
    return tuple(part for part in message.parts if isinstance(part, ToolResult))


def read_setup(given: Mapping[str, Any]) -> RealtimeSettings:
    """What a setup asks for, all but its model; what of it is no setting of ours goes on beside them."""
    read, _ = read_spelling({camel(name): value for name, value in given.items()}, [])
    rest: Fields = {name: respell(value, _DEEP.get(name, 0)) for name, value in read.items()}
    if rest.get("generationConfig") is not None:
        rest["generationConfig"] = read_object(rest["generationConfig"], "setup.generationConfig")
    rest.pop("model", None)
    settings: dict[str, Any] = {"output_transcription": False}
    _take_shared(rest, settings)
    _take_voice(rest, settings)
    _take_instructions(rest, settings)
    _take_turns(rest, settings)
    _take_transcriptions(rest, settings)
    if isinstance(resumption := rest.get("sessionResumption"), Mapping) and not resumption.keys() - {"handle"}:
        settings["resumption"] = rest.pop("sessionResumption").get("handle") or True
    if isinstance(compression := rest.get("contextWindowCompression"), Mapping):
        settings["truncation"] = "auto" if compression == {"slidingWindow": {}} else dict(compression)
        del rest["contextWindowCompression"]
    if rest:
        settings["extra_body"] = rest
    return RealtimeSettings(**settings)


def _take_shared(rest: Fields, settings: dict[str, Any]) -> None:
    """Sampling, thoughts, modalities and tools, which are those of single calls."""
    config = rest.pop("generationConfig", None) or {}
    known = {name: config.pop(name) for name in _READ & config.keys()}
    body = {**({"generationConfig": known} if known else {}), **({"tools": rest["tools"]} if "tools" in rest else {})}
    declared = rest.pop("tools", None)
    warnings: list[CallWarning] = []
    given = dict(SettingsReader(warnings).parse(body).given())
    given.pop("spelling", None)
    left = given.pop("extra_body", {})
    if isinstance(tools := given.get("tools"), list | tuple):
        given["tools"] = _keep_schemas(tools, declared)
    settings.update(given)
    if config:
        rest["generationConfig"] = config
    merge_extra(rest, left)


def _keep_schemas(tools: list[Any] | tuple[Any, ...], declared: Any) -> tuple[Any, ...]:
    """Schemas in the OpenAPI subset as they came, beside those that were made of them."""
    entries = declared if isinstance(declared, list) else [declared]
    listed = [item for entry in entries for item in (entry.get("functionDeclarations") or ())]
    written = {item.get("name"): item["parameters"] for item in listed if "parameters" in item}
    kept = []
    for tool in tools:
        if isinstance(tool, Tool) and tool.name in written:
            extra = tool.opaque.value if tool.opaque is not None else {}
            merge_extra(extra, {"functionDeclarations": {"parameters": written[tool.name]}})
            tool = msgspec.structs.replace(tool, opaque=keep_extra(PARTS, extra))
        kept.append(tool)
    return tuple(kept)


def _take_voice(rest: Fields, settings: dict[str, Any]) -> None:
    config = rest.get("generationConfig")
    speech = config.get("speechConfig") if isinstance(config, dict) else None
    if not isinstance(config, dict) or not isinstance(speech, Mapping):
        return
    left = dict(speech)
    if isinstance(left.get("languageCode"), str):
        settings["language"] = left.pop("languageCode")
    voice = left.get("voiceConfig")
    if isinstance(voice, Mapping) and voice.keys() == {"prebuiltVoiceConfig"}:
        named = voice["prebuiltVoiceConfig"]
        if isinstance(named, Mapping) and named.keys() == {"voiceName"}:
            settings["voice"] = named["voiceName"]
            del left["voiceConfig"]
    if left:
        config["speechConfig"] = left
        return
    del config["speechConfig"]
    if not config:
        del rest["generationConfig"]


def _take_instructions(rest: Fields, settings: dict[str, Any]) -> None:
    """One text is ours; more parts, or another role, stay as they are."""
    system = rest.get("systemInstruction")
    if isinstance(system, str):
        settings["instructions"] = rest.pop("systemInstruction")
        return
    if not isinstance(system, Mapping) or system.keys() - {"parts", "role"} or system.get("role", "user") != "user":
        return
    parts = system.get("parts")
    if isinstance(parts, list) and len(parts) == 1 and isinstance(parts[0], Mapping) and parts[0].keys() == {"text"}:
        settings["instructions"] = parts[0]["text"]
        del rest["systemInstruction"]


def _take_turns(rest: Fields, settings: dict[str, Any]) -> None:
    config = rest.get("realtimeInputConfig")
    if not isinstance(config, Mapping):
        return
    left, found = dict(config), dict[str, Any]()
    stated = left.pop("automaticActivityDetection", None)
    detection = {} if stated is None else read_object(stated, "setup.realtimeInputConfig.automaticActivityDetection")
    disabled = detection.pop("disabled", False) is True
    for field, name in (
        ("startOfSpeechSensitivity", "start_sensitivity"),
        ("endOfSpeechSensitivity", "end_sensitivity"),
    ):
        word = detection.get(field)
        if isinstance(word, str) and word in _SENSITIVITIES:
            found[name] = _SENSITIVITIES[word]
            del detection[field]
    for field, name in (("prefixPaddingMs", "prefix_ms"), ("silenceDurationMs", "silence_ms")):
        if isinstance(detection.get(field), int):
            found[name] = detection.pop(field)
    handling = left.get("activityHandling")
    if handling in ("START_OF_ACTIVITY_INTERRUPTS", "NO_INTERRUPTION"):
        found["interrupt"] = left.pop("activityHandling") != "NO_INTERRUPTION"
    settings["turn_detection"] = TurnDetection(mode="none" if disabled else "server", **found)
    if detection:
        left["automaticActivityDetection"] = detection
    rest["realtimeInputConfig"] = left
    if not left:
        del rest["realtimeInputConfig"]


def _take_transcriptions(rest: Fields, settings: dict[str, Any]) -> None:
    given = rest.get("inputAudioTranscription")
    if isinstance(given, Mapping) and not given.keys() - {"languageCodes", "customVocabulary"}:
        codes, words = (_texts(given.get(name), name) for name in ("languageCodes", "customVocabulary"))
        known = Transcription(languages=tuple(codes) or None, keywords=tuple(words) or None)
        settings["transcription"] = known if codes or words else True
        del rest["inputAudioTranscription"]
    if rest.get("outputAudioTranscription", ...) == {}:
        settings["output_transcription"] = True
        del rest["outputAudioTranscription"]
    elif rest.get("outputAudioTranscription") is None:
        rest.pop("outputAudioTranscription", None)
    else:
        del settings["output_transcription"]


def _texts(value: Any, name: str) -> list[str]:
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise refuse(f"setup.inputAudioTranscription.{name}", "must be a list of texts")
    return value
