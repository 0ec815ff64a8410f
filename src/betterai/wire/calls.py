"""What codecs of all protocols do alike with the settings of a call."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from betterai.core.codec import TextCall
from betterai.core.settings import ReasoningControl
from betterai.core.tools import CustomTool, JsonSchema, ToolChoice
from betterai.core.wire import Framing, WireRequest
from betterai.wire.reasoning import is_reasoning
from betterai.wire.report import Report

BESIDE = frozenset({"options", "extra_body", "extra_headers", "extra_query", "spelling", "stream_options"})
"""Settings that are no field of a body, or are written for themselves."""
_NOTHING = {"web_search": False, "n": 1, "parallel_tool_calls": True, "tool_choice": "auto", "modalities": ["text"]}


def make_request(
    call: TextCall,
    report: Report,
    url: str,
    body: Any,
    *,
    stream: Framing = "sse",
    query: Mapping[str, str] | None = None,
) -> WireRequest:
    """The request of a call, with what the caller sends beside the body. `stream` is how a streamed reply is framed."""
    settings = call.settings
    return WireRequest(
        url=url,
        body=body,
        headers=settings.extra_headers or {},
        query={**(query or {}), **(settings.extra_query or {})},
        reply=stream if call.stream else "json",
        warnings=(*call.warnings, *report.warnings),
    )


def asks_nothing(name: str, value: Any) -> bool:
    """Whether a setting says only what holds without it."""
    if name == "modalities" and value is not None:
        value = list(value)
    return value is None or (name in _NOTHING and value == _NOTHING[name]) or (name == "stop" and not value)


def is_custom_tool(call: TextCall, name: str) -> bool:
    """Whether the call has a tool of this name that takes free text: pieces of calls do not say so."""
    return any(isinstance(tool, CustomTool) and tool.name == name for tool in call.settings.tools or ())


def takes_sampling(call: TextCall) -> bool:
    """Whether the model takes sampling settings in this call."""
    sampling = call.model.traits.sampling
    return sampling == "always" or (sampling == "not_reasoning" and not is_reasoning(call))


def check_forced_choice(call: TextCall, report: Report) -> None:
    """Raises `UnsupportedParam` where a tool is forced, and the model cannot be forced while it reasons."""
    value = call.settings.tool_choice
    mode = value.mode if isinstance(value, ToolChoice) else value
    free = mode in (None, "auto", "none") or call.model.traits.forced_tools_while_reasoning
    if not free and is_reasoning(call):
        why = "the model cannot be forced to call a tool while it reasons"
        report.drop("tool_choice", why, hint="reasoning='none'")


def report_thoughts(control: ReasoningControl, names: Iterable[str], report: Report) -> None:
    """What a control says of how thoughts are shown, where it has no place."""
    for name in names:
        if getattr(control, name) is not None:
            report.drop(f"reasoning.{name}", "there is no such setting here")


def take_options(call: TextCall, names: Collection[str], report: Report) -> dict[str, Any]:
    """The vendor's own options that the codec knows by name; the others are reported."""
    vendor = call.model.provider
    given = (call.settings.options or {}).get(vendor) or {}
    for name in given:
        if name not in names:
            report.drop(f"options.{vendor}.{name}", "there is no such option; extra_body takes any field")
    return {name: value for name, value in given.items() if name in names}


def report_stream_options(call: TextCall, report: Report) -> None:
    """For protocols without such options, where usage comes in every stream."""
    options = call.settings.stream_options
    if options is None:
        return
    if not call.stream:
        report.drop("stream_options", "they are for streams only")
        return
    if options.include_usage is not None:
        report.translate("stream_options", "usage comes in every stream of this provider")
    if options.include_obfuscation is not None:
        report.drop("stream_options", "this provider obfuscates nothing")


def report_schema_words(value: JsonSchema, report: Report) -> None:
    """For protocols that enforce a schema which has no name, description or choice of strictness of its own."""
    if value.name != "output" and not value.derived and (value.schema or {}).get("title") != value.name:
        report.drop("response_format.name", "schemas have no name here")
    if value.description is not None:
        report.drop("response_format.description", "schemas have no description of their own here")
    if value.strict is False:
        report.translate("response_format", "a schema is always enforced here")


def read_tool_choice(value: str | ToolChoice) -> ToolChoice:
    """A word as a choice; one that is no mode names the one tool to call."""
    if isinstance(value, ToolChoice):
        return value
    if value in ("auto", "none", "required"):
        return ToolChoice(mode=value)  # type: ignore[arg-type]
    return ToolChoice(mode="required", names=(value,))
