"""The settings of a request, read for the server half: each known field in our types, the rest in `extra_body`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from betterai.core.response import CallWarning
from betterai.core.settings import AudioOutput, GenerationSettings, ReasoningControl
from betterai.core.tools import AnyTool, JsonObject, JsonSchema, PlainText, ServerTool, Tool, ToolChoice
from betterai.wire.gemini.fields import BODY, CONFIG, PROTOCOL, SERVER_TOOLS
from betterai.wire.gemini.tools import ENTRY
from betterai.wire.json_schema import from_openapi, to_openapi
from betterai.wire.objects import Fields, need_text, read_object
from betterai.wire.requests import make_settings
from betterai.wire.residue import keep_extra, refuse

_WHOLE_NUMBERS = frozenset({"top_k", "max_tokens", "seed", "n", "top_logprobs"})
_NEUTRAL = {theirs: ours for ours, theirs in SERVER_TOOLS.items()}
_DECLARATIONS = "functionDeclarations"


class SettingsReader:
    """Takes what it knows out of a body; the rest goes into `extra_body`. `spelling` are the names that it wrote."""

    def __init__(self, warnings: list[CallWarning], spelling: Iterable[str] = ()) -> None:
        self.spelling: set[str] = set(spelling)
        self.given: dict[str, Any] = {}
        self._warnings = warnings

    def parse(self, fields: Fields) -> GenerationSettings:
        """Raises `BadRequestError`."""
        for name, field in BODY.items():
            if field in fields:
                self.given[name] = fields.pop(field)
        self._take_tools(fields)
        self._take_tool_choice(fields)
        if isinstance(config := fields.get("generationConfig"), Mapping):
            self._take_config(fields, dict(config))
        if fields:
            self.given["extra_body"] = fields
        if self.spelling:
            self.given["spelling"] = frozenset(self.spelling)
        return make_settings(self.given)

    def _say(self, field: str, message: str) -> None:
        self._warnings.append(CallWarning(code="translated", field=field, message=message))

    # ── generationConfig ──

    def _take_config(self, fields: Fields, config: Fields) -> None:
        del fields["generationConfig"]
        if not config:
            self.spelling.add("generationConfig")
        for name, field in CONFIG.items():
            if field in config:
                value = config.pop(field)
                if name in _WHOLE_NUMBERS and isinstance(value, float) and value.is_integer():
                    value = int(value)
                if name == "modalities" and isinstance(value, list):
                    value = [word.lower() if isinstance(word, str) else word for word in value]
                self.given[name] = value
        self._take_response_format(config)
        self._take_reasoning(config)
        if (voice := _find_voice(config.get("speechConfig"))) is not None:
            del config["speechConfig"]
            self.given["audio"] = AudioOutput(voice=voice)
        if config:
            fields["generationConfig"] = config

    def _take_response_format(self, config: Fields) -> None:
        kind = config.get("responseMimeType")
        named = next((name for name in ("responseJsonSchema", "responseSchema") if config.get(name) is not None), "")
        if named and isinstance(schema := config[named], Mapping) and kind == "application/json":
            del config["responseMimeType"], config[named]
            if named == "responseSchema":
                self.spelling.add("responseSchema")
                read = from_openapi(schema)
                if read != schema and to_openapi(read) == schema:
                    self.spelling.add("TYPES")
                    schema = read
                elif read != schema:
                    self._say("response_format", "the types of the schema were read as those of JSON Schema")
                    schema = read
            self.given["response_format"] = JsonSchema(schema=schema)
        elif kind in ("application/json", "text/plain") and not named:
            del config["responseMimeType"]
            self.given["response_format"] = JsonObject() if kind == "application/json" else PlainText()

    def _take_reasoning(self, config: Fields) -> None:
        thinking = config.get("thinkingConfig")
        if not isinstance(thinking, Mapping):
            if "thinkingConfig" in config:
                self.given["reasoning"] = config.pop("thinkingConfig")
            return
        rest = dict(thinking)
        control: dict[str, Any] = {}
        if isinstance(level := rest.get("thinkingLevel"), str):
            control["effort"] = rest.pop("thinkingLevel").lower()
            if level != level.upper():
                self._say("reasoning", f"level {level} was read as {level.upper()}")
        if type(rest.get("thinkingBudget")) is int:
            control["budget"] = rest.pop("thinkingBudget")
        if isinstance(rest.get("includeThoughts"), bool):
            control["include"] = rest.pop("includeThoughts")
        if not control:
            return
        self.given["reasoning"] = ReasoningControl(**control)
        del config["thinkingConfig"]
        if rest:
            config["thinkingConfig"] = rest

    # ── tools ──

    def _take_tools(self, fields: Fields) -> None:
        if "tools" not in fields:
            return
        entries = fields.pop("tools")
        if isinstance(entries, Mapping):
            entries = [entries]
            self._say("tools", "tools that are no list were read as a list of one")
        if entries is None:
            self.given["tools"] = None
            return
        if not isinstance(entries, list):
            raise refuse("tools", "must be a list")
        tools: list[AnyTool] = []
        for index, entry in enumerate(entries):
            tools.extend(self._read_entry(read_object(entry, f"tools[{index}]"), index, tools))
        self.given["tools"] = tools

    def _read_entry(self, entry: Fields, index: int, before: list[AnyTool]) -> list[AnyTool]:
        declarations = entry.pop(_DECLARATIONS, None)
        own = {name: value for name, value in entry.items() if isinstance(value, Mapping)}
        rest: dict[str, Any] = {name: value for name, value in entry.items() if name not in own}
        tools: list[AnyTool] = []
        if declarations is not None:
            if not isinstance(declarations, list):
                raise refuse(f"tools[{index}].{_DECLARATIONS}", "must be a list")
            apart = rest or (before and isinstance(before[-1], Tool))
            for number, item in enumerate(declarations):
                where = f"tools[{index}].{_DECLARATIONS}[{number}]"
                kept = rest if apart and not number else None
                tools.append(self._read_declaration(read_object(item, where), where, kept))
        tools.extend(ServerTool(type=_NEUTRAL.get(name, name), config=value) for name, value in own.items())
        if len(own) + bool(tools[: len(tools) - len(own)]) > 1 or (rest and declarations is None):
            self._say("tools", "tools of one entry were read as entries of their own")
        return tools

    def _read_declaration(self, fields: Fields, where: str, entry: Fields | None) -> Tool:
        name = need_text(fields, "name", where)
        known: dict[str, Any] = {}
        if isinstance(fields.get("description"), str):
            known["description"] = fields.pop("description")
        if isinstance(fields.get("parametersJsonSchema"), Mapping):
            known["parameters"] = fields.pop("parametersJsonSchema")
            if "parameters" in self.spelling:
                self._say("tools.parameters", "the parameters of all functions are written in one way")
        elif isinstance(fields.get("parameters"), Mapping):
            known["parameters"] = self._read_parameters(fields)
        kept: dict[str, Any] = {} if entry is None else {ENTRY: entry}
        if fields:
            kept[_DECLARATIONS] = fields
        return Tool(name=name, opaque=keep_extra(PROTOCOL, kept), **known)

    def _read_parameters(self, fields: Fields) -> Any:
        """Parameters in the OpenAPI subset as JSON Schema. Where that cannot be undone, it is said."""
        schema = fields.pop("parameters")
        self.spelling.add("parameters")
        read = from_openapi(schema)
        if read != schema:
            self.spelling.add("TYPES")
            if to_openapi(read) != schema:
                self._say("tools.parameters", "the types of the schema were read as those of JSON Schema")
        return read

    def _take_tool_choice(self, fields: Fields) -> None:
        config = fields.get("toolConfig")
        calling = config.get("functionCallingConfig") if isinstance(config, Mapping) else None
        if not isinstance(config, Mapping) or not isinstance(calling, Mapping):
            return
        rest = dict(calling)
        mode, names = rest.pop("mode", None), rest.pop("allowedFunctionNames", None)
        choice = _read_choice(mode, names)
        if choice is None:
            return
        if mode != mode.upper() or names == []:
            self._say("tool_choice", f"mode {mode} was read as {mode.upper()}")
        self.given["tool_choice"] = choice
        kept = {name: value for name, value in config.items() if name != "functionCallingConfig"}
        if rest:
            kept["functionCallingConfig"] = rest
        fields["toolConfig"] = kept
        if not kept:
            del fields["toolConfig"]


def _find_voice(speech: Any) -> str | None:
    """The name of the one voice that is asked for; None where more is said."""
    for name in ("voiceConfig", "prebuiltVoiceConfig"):
        if not isinstance(speech, Mapping) or speech.keys() != {name}:
            return None
        speech = speech[name]
    voice = speech.get("voiceName") if isinstance(speech, Mapping) and len(speech) == 1 else None
    return voice if isinstance(voice, str) else None


def _read_choice(mode: Any, names: Any) -> str | ToolChoice | None:
    """None for what ours cannot say: it is carried as it is."""
    if not isinstance(mode, str) or not isinstance(names, list | None):
        return None
    if names and not all(isinstance(name, str) for name in names):
        return None
    word = mode.upper()
    if not names:
        return {"AUTO": "auto", "NONE": "none", "ANY": "required"}.get(word)
    if word == "ANY":
        return ToolChoice(mode="required", names=tuple(names))
    return ToolChoice(mode="auto", names=tuple(names)) if word == "VALIDATED" else None
