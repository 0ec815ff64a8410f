"""Settings as the protocol's `setup`, for the client half: it is said once, and holds for the session."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import msgspec

from betterai.core.realtime_codec import RealtimeCall
from betterai.core.realtime_settings import RealtimeSettings, read_format, read_transcription, read_turn_detection
from betterai.wire.exchanges import SettingsBody
from betterai.wire.gemini.thinking import build_thinking
from betterai.wire.gemini.tools import build_tools
from betterai.wire.gemini_live.protocol import INPUT, OUTPUT, PROTOCOL
from betterai.wire.reasoning import read_reasoning_control
from betterai.wire.report import Report
from betterai.wire.residue import merge_extra

CONFIG = {
    "temperature": "temperature", "top_p": "topP", "top_k": "topK", "seed": "seed", "max_tokens": "maxOutputTokens",
}  # fmt: skip
"""Settings that are fields of `generationConfig`."""
OWN = frozenset({"history", *CONFIG})
SETUP_OPTIONS = frozenset({"proactivity", "historyConfig", "avatarConfig", "safetySettings", "labels"})
CONFIG_OPTIONS = frozenset({"enableAffectiveDialog", "translationConfig", "mediaResolution", "speechConfig"})


class GeminiLiveSetup(SettingsBody[RealtimeCall]):
    """The object of the first frame. A vendor states its deviations."""

    protocol: ClassVar[str] = PROTOCOL
    unsupported: ClassVar[Mapping[str, str]] = {
        "speed": "the voice speaks as the instructions say",
        "noise_reduction": "there is no such setting of sessions",
    }
    vendor_options: ClassVar[frozenset[str]] = SETUP_OPTIONS | CONFIG_OPTIONS
    ends_streams: ClassVar[bool] = True
    """Whether the sound may be said to pause where the provider finds the turns (`audioStreamEnd`)."""

    def name_model(self, call: RealtimeCall) -> str:
        """The model as the setup names it."""
        id = call.model.id
        return id if id.startswith(("models/", "publishers/", "projects/", "tunedModels/")) else f"models/{id}"

    def begin_body(self, call: RealtimeCall, report: Report) -> dict[str, Any]:
        return {"model": self.name_model(call)}

    def build(self, settings: RealtimeSettings, call: RealtimeCall, report: Report) -> dict[str, Any]:
        """The object, with all that was set. Raises `UnsupportedParam` for what would be another session without it."""
        given = settings.given()
        own = RealtimeSettings(**{name: value for name, value in given.items() if name not in OWN})
        call = msgspec.structs.replace(call, settings=own)
        body = self.begin_body(call, report)
        for name, field in CONFIG.items():
            if given.get(name) is not None:
                _config(body)[field] = given[name]
        if "output_transcription" not in given and list(given.get("modalities") or ()) != ["text"]:
            body["outputAudioTranscription"] = {}
        self.write_settings(body, call, report)
        for name in CONFIG_OPTIONS & body.keys():
            merge_extra(_config(body), {name: body.pop(name)})
        if settings.extra_body:
            merge_extra(body, dict(settings.extra_body))
        return body

    def write_instructions(self, body: dict[str, Any], value: Any, call: RealtimeCall, report: Report) -> None:
        if value is not None:
            body["systemInstruction"] = {"parts": [{"text": value}], "role": "user"}

    def write_voice(self, body: dict[str, Any], value: Any, call: RealtimeCall, report: Report) -> None:
        if value is not None:
            voice = {"voiceConfig": {"prebuiltVoiceConfig": {"voiceName": value}}}
            merge_extra(_config(body), {"speechConfig": voice})

    def write_language(self, body: dict[str, Any], value: Any, call: RealtimeCall, report: Report) -> None:
        if value is not None:
            merge_extra(_config(body), {"speechConfig": {"languageCode": value}})

    def write_modalities(self, body: dict[str, Any], value: Any, call: RealtimeCall, report: Report) -> None:
        if value is None:
            return
        asked = list(value)
        if "audio" in asked and len(asked) > 1:
            report.translate("modalities", "the words of sound come with it: sound was asked for")
            asked = ["audio"]
        _config(body)["responseModalities"] = [str(word).upper() for word in asked]

    def write_input_format(self, body: dict[str, Any], value: Any, call: RealtimeCall, report: Report) -> None:
        """Each frame of sound states its rate."""
        if value is not None and read_format(value).mime_type != INPUT.mime_type:
            report.translate("input_format", f"it is sent as {INPUT}")

    def write_output_format(self, body: dict[str, Any], value: Any, call: RealtimeCall, report: Report) -> None:
        if value is not None and read_format(value) != OUTPUT:
            report.translate("output_format", f"it comes as {OUTPUT}")

    def write_tools(self, body: dict[str, Any], value: Any, call: RealtimeCall, report: Report) -> None:
        """Schemas that came in the OpenAPI subset are kept beside the tool, and go back as they were."""
        if value is None:
            return
        body["tools"] = build_tools(value, frozenset(), report)
        for entry in body["tools"]:
            for declaration in entry.get("functionDeclarations", ()):
                if "parameters" in declaration:
                    declaration.pop("parametersJsonSchema", None)

    def write_tool_choice(self, body: dict[str, Any], value: Any, call: RealtimeCall, report: Report) -> None:
        if value is not None and getattr(value, "mode", value) != "auto":
            report.drop("tool_choice", "a session cannot be told which tools to call")

    def write_parallel_tool_calls(self, body: dict[str, Any], value: Any, call: RealtimeCall, report: Report) -> None:
        if value is False:
            report.drop("parallel_tool_calls", "the model may call several tools at once")

    def write_turn_detection(self, body: dict[str, Any], value: Any, call: RealtimeCall, report: Report) -> None:
        turns = read_turn_detection(value)
        if turns is None:
            return
        if turns.mode == "none":
            found: dict[str, Any] = {"disabled": True}
        else:
            found = _build_detection(turns, report)
        for name in ("threshold", "idle_timeout_ms", "eagerness", "respond"):
            if getattr(turns, name) is not None:
                hint = "start_sensitivity and end_sensitivity say how easily speech is found" * (name == "threshold")
                report.drop(f"turn_detection.{name}", "there is no such setting here", hint=hint)
        config = body.setdefault("realtimeInputConfig", {})
        config["automaticActivityDetection"] = found
        if turns.interrupt is not None:
            config["activityHandling"] = "START_OF_ACTIVITY_INTERRUPTS" if turns.interrupt else "NO_INTERRUPTION"

    def write_transcription(self, body: dict[str, Any], value: Any, call: RealtimeCall, report: Report) -> None:
        found = read_transcription(value)
        if found is None:
            return
        for name in ("model", "prompt", "delay"):
            if getattr(found, name) is not None:
                report.drop(f"transcription.{name}", "the session's model writes it down, and is not told how")
        codes = list(found.languages or ()) or ([found.language] if found.language else [])
        words = list(found.keywords or ())
        body["inputAudioTranscription"] = {
            **({"languageCodes": codes} if codes else {}),
            **({"customVocabulary": words} if words else {}),
        }

    def write_output_transcription(self, body: dict[str, Any], value: Any, call: RealtimeCall, report: Report) -> None:
        """The protocol writes nothing down unless it is asked to; null asks for nothing."""
        body["outputAudioTranscription"] = None if value is False else {}

    def write_reasoning(self, body: dict[str, Any], value: Any, call: RealtimeCall, report: Report) -> None:
        if value is None:
            return
        if call.model.traits.reasons == "never":
            report.drop("reasoning", "the model does not reason")
        elif written := build_thinking(read_reasoning_control(value), call, report):  # type: ignore[arg-type]
            _config(body)["thinkingConfig"] = written

    def write_truncation(self, body: dict[str, Any], value: Any, call: RealtimeCall, report: Report) -> None:
        if value is None or value == "disabled":
            return
        if isinstance(value, Mapping):
            body["contextWindowCompression"] = dict(value)
            return
        if isinstance(value, int | float):
            report.translate("truncation", "how much is kept is a number of tokens here: the provider's own was left")
        body["contextWindowCompression"] = {"slidingWindow": {}}

    def write_resumption(self, body: dict[str, Any], value: Any, call: RealtimeCall, report: Report) -> None:
        if value:
            body["sessionResumption"] = {"handle": value} if isinstance(value, str) else {}


def _config(body: dict[str, Any]) -> dict[str, Any]:
    config: dict[str, Any] = body.setdefault("generationConfig", {})
    return config


def _build_detection(turns: Any, report: Report) -> dict[str, Any]:
    """How the provider finds the turns."""
    if turns.mode == "semantic":
        report.translate("turn_detection", "turns are found by silence here")
    found: dict[str, Any] = {}
    if turns.start_sensitivity is not None:
        found["startOfSpeechSensitivity"] = f"START_SENSITIVITY_{turns.start_sensitivity.upper()}"
    if turns.end_sensitivity is not None:
        found["endOfSpeechSensitivity"] = f"END_SENSITIVITY_{turns.end_sensitivity.upper()}"
    if turns.prefix_ms is not None:
        found["prefixPaddingMs"] = turns.prefix_ms
    if turns.silence_ms is not None:
        found["silenceDurationMs"] = turns.silence_ms
    return found
