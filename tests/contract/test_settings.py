"""T1: every setting is sent, reported or refused by every provider; nothing is lost in silence."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import UNSET, Raw

from betterai.core.exceptions import BetterAIError, UnsupportedParam
from betterai.core.media import Media
from betterai.core.message import (
    CacheMark,
    MediaPart,
    Message,
    Opaque,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    ToolResult,
)
from betterai.core.settings import GenerationSettings, PromptCache, ReasoningControl, WebSearch
from betterai.core.tools import CustomTool, JsonObject, JsonSchema, ServerTool, Tool, ToolChoice
from contract.cases import CASES, SETTINGS, TEXT_CODECS, Case, build, flatten, over, visible
from together import each

OURS = frozenset({"spelling", "options"})
ON_OR_OFF = frozenset(
    {"logprobs", "store", "parallel_tool_calls", "stream_options", "web_search", "reasoning", "modalities"}
)
"""Settings whose value may look otherwise on the wire: they must only change it."""


def test_there_is_a_value_for_every_setting() -> None:
    assert set(SETTINGS) == GenerationSettings.__fields__ - OURS


NOTES = frozenset({"/derived"})
"""Places of values that are notes for codecs, and not sent."""


def values_of(value: Any) -> list[Any]:
    """The leaves of a setting's value, as they may be seen on the wire."""
    leaves = flatten(msgspec.to_builtins(value)).items()
    told = [leaf for place, leaf in leaves if place not in NOTES]
    return [leaf for leaf in told if leaf is not None and not isinstance(leaf, dict | list)]


def is_reported(name: str, fields: list[str]) -> bool:
    return any(field == name or field.startswith((f"{name}.", f"{name}[")) for field in fields)


def outcome(case: Case, name: str, value: Any, *, stream: bool) -> str:
    """What becomes of one setting: "sent", "reported", "refused", or "lost"."""
    extra = {"tools": SETTINGS["tools"]} if name in ("tool_choice", "parallel_tool_calls") else {}
    extra |= {"modalities": SETTINGS["modalities"]} if name == "audio" else {}
    try:
        bare = visible(build(case, stream=stream, **extra))
    except UnsupportedParam:
        return outcome_alone(case, name, value, stream=stream)
    try:
        request = build(case, stream=stream, **{**extra, name: value})
    except UnsupportedParam as error:
        return "refused" if is_reported(name, [error.param]) else f"refused as {error.param}"
    said = visible(request)
    changed = {place: leaf for place, leaf in said.items() if place not in bare or bare[place] != leaf}
    if is_reported(name, [warning.field for warning in request.warnings]):
        return "reported"
    if name in ON_OR_OFF:
        return "sent" if said != bare else "lost"
    return "sent" if changed and all(leaf in changed.values() for leaf in values_of(value)) else "lost"


def outcome_alone(case: Case, name: str, value: Any, *, stream: bool) -> str:
    """For settings that need another one which the provider refuses: alone, they must be refused or reported too."""
    try:
        request = build(case, stream=stream, **{name: value})
    except UnsupportedParam:
        return "refused"
    reported = is_reported(name, [warning.field for warning in request.warnings])
    return "reported" if reported else "sent" if visible(request) != visible(build(case, stream=stream)) else "lost"


@each("stream", [False, True], ids=["whole", "stream"])
@each("name", SETTINGS)
@over(TEXT_CODECS)
def test_t1_a_setting_is_sent_or_reported_or_refused(case: Case, name: str, stream: bool) -> None:
    assert outcome(case, name, SETTINGS[name], stream=stream) in ("sent", "reported", "refused")


OBJECT = {"type": "object", "properties": {}}
NESTED: dict[str, tuple[str, Any, Any]] = {
    **{
        f"reasoning.{name}": ("reasoning", UNSET, ReasoningControl(**{name: value}))
        for name, value in {
            "effort": "low", "budget": 5000, "enabled": False, "include": False, "format": "raw", "summary": "auto",
        }.items()
    },
    "reasoning as a word": ("reasoning", UNSET, "low"),
    "reasoning as a number": ("reasoning", UNSET, 0),
    "reasoning off": ("reasoning", UNSET, False),
    **{f"cache.{name}": ("cache", UNSET, PromptCache(**{name: "x"})) for name in ("key", "mode", "ttl", "retention")},
    "web_search": ("web_search", UNSET, True),
    "web_search.user_location": ("web_search", WebSearch(), WebSearch(user_location={"country": "DE"})),
    "tools.description": ("tools", [Tool(name="a")], [Tool(name="a", description="")]),
    "tools.parameters": ("tools", [Tool(name="a")], [Tool(name="a", parameters={**OBJECT, "title": "x"})]),
    "tools.strict": ("tools", [Tool(name="a")], [Tool(name="a", strict=True)]),
    "tools.cache": ("tools", [Tool(name="a")], [Tool(name="a", cache=CacheMark(ttl="1h"))]),
    "tools, a second one": ("tools", [Tool(name="a")], [Tool(name="a"), Tool(name="b")]),
    "tools, a custom one": ("tools", [Tool(name="a")], [Tool(name="a"), CustomTool(name="b")]),
    "tools, a server's": ("tools", [Tool(name="a")], [Tool(name="a"), ServerTool(type="web_search", config={"x": 1})]),
    "tool_choice.required": ("tool_choice", UNSET, "required"),
    "tool_choice.none": ("tool_choice", UNSET, "none"),
    "tool_choice of two": ("tool_choice", ToolChoice(), ToolChoice(mode="required", names=("a", "b"))),
    "response_format.description": (
        "response_format", JsonSchema(schema=OBJECT), JsonSchema(schema=OBJECT, description="x"),
    ),
    "response_format.strict": ("response_format", JsonSchema(schema=OBJECT), JsonSchema(schema=OBJECT, strict=False)),
    "response_format, any object": ("response_format", UNSET, JsonObject()),
    "stop as a text": ("stop", UNSET, "canary"),
    "prediction in parts": ("prediction", UNSET, [{"type": "text", "text": "canary"}]),
}  # fmt: skip
"""Parts of settings: without one, and with it."""


@each("name", NESTED)
@over(TEXT_CODECS)
def test_t1_a_part_of_a_setting_is_sent_or_reported_or_refused(case: Case, name: str) -> None:
    setting, less, more = NESTED[name]
    extra = {"tools": [Tool(name="a"), Tool(name="b")]} if setting == "tool_choice" else {}
    try:
        request = build(case, **{**extra, setting: more})
    except UnsupportedParam as error:
        assert is_reported(setting, [error.param])  # noqa: PT017 - or it is not refused
        return
    reported = is_reported(setting, [warning.field for warning in request.warnings])
    assert reported or visible(request) != visible(build(case, **{**extra, setting: less}))


def said_by(message: Message) -> tuple[Message, ...]:
    return (Message.user("Hello"), message)


HI = Text(text="Hi")
PARTS: dict[str, tuple[Message, Message]] = {
    "name": (Message(role="user", parts=(HI,)), Message(role="user", parts=(HI,), name="Ann")),
    "cache mark": (
        Message(role="user", parts=(HI,)), Message(role="user", parts=(Text(text="Hi", cache=CacheMark(ttl="1h")),)),
    ),
    "picture": (
        Message(role="user", parts=(HI,)),
        Message.user("Hi", Media(kind="image", mime_type="image/png", data=b"\x89PNG")),
    ),
    "detail": (
        Message(role="user", parts=(MediaPart(media=Media(kind="image", url="https://h/x.png")),)),
        Message(role="user", parts=(MediaPart(media=Media(kind="image", url="https://h/x.png"), detail="low"),)),
    ),
    "reasoning": (Message.assistant("Hi"), Message(role="assistant", parts=(Reasoning(text="Hm."), HI))),
    "refusal": (Message.assistant("Hi"), Message(role="assistant", parts=(HI, Refusal(text="No.")))),
    "tool call": (Message.assistant("Hi"), Message(role="assistant", parts=(HI, ToolCall(id="c", name="add")))),
    "failed tool": (Message.tool("c", "2"), Message.tool("c", "2", is_error=True)),
    "tool's name": (
        Message.tool("c", "2"), Message(role="tool", parts=(ToolResult(id="c", name="add", parts=(Text(text="2"),)),)),
    ),
    "foreign data": (
        Message.assistant("Hi"),
        Message(
            role="assistant", parts=(Text(text="Hi", opaque=Opaque(protocol="elsewhere", data=Raw(b'{"x":1}'))),)
        ),
    ),
    "developer": (Message.system("Hi"), Message(role="developer", parts=(HI,))),
}  # fmt: skip
"""Parts of a conversation: without one, and with it."""


@each("name", PARTS)
@over(TEXT_CODECS)
def test_t1_a_part_of_a_message_is_sent_or_reported_or_refused(case: Case, name: str) -> None:
    less, more = PARTS[name]
    try:
        request = build(case, messages=said_by(more))
    except UnsupportedParam as error:
        assert error.param  # noqa: PT017 - or it is not refused
        return
    assert request.warnings or visible(request) != visible(build(case, messages=said_by(less)))


@over(TEXT_CODECS)
def test_t1_an_option_that_the_vendor_does_not_know_is_not_lost(case: Case) -> None:
    options = {case.provider.name: {"unheard_of": "canary-17"}}
    try:
        request = build(case, options=options)
    except BetterAIError:
        return
    sent = "canary-17" in visible(request).values()
    assert sent or is_reported("options", [warning.field for warning in request.warnings])


@over(TEXT_CODECS)
def test_options_of_other_vendors_change_nothing(case: Case) -> None:
    request = build(case, options={"elsewhere": {"unheard_of": 1}})
    assert visible(request) == visible(build(case))
    assert request.warnings == ()


@each("stream", [False, True], ids=["whole", "stream"])
@over(TEXT_CODECS)
def test_t5_a_bare_call_says_no_more_than_it_must(case: Case, stream: bool) -> None:
    request = build(case, stream=stream)
    assert request.warnings == ()
    assert None not in visible(request).values()
    assert request.reply != "json" if stream else request.reply == "json"
    assert request.trust == "provider"
    assert request.url.startswith("/")
    assert request.method == "POST"


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=10)
PICTURE = Media(kind="image", mime_type="image/png", data=b"\x89PNG")
USER_PARTS = st.lists(st.builds(Text, text=TEXTS) | st.just(MediaPart(media=PICTURE)), min_size=1, max_size=3)
ASSISTANT_PARTS = st.lists(
    st.one_of(
        st.builds(Text, text=TEXTS),
        st.builds(Reasoning, text=TEXTS),
        st.builds(Refusal, text=TEXTS),
        st.builds(ToolCall, id=TEXTS, name=TEXTS, arguments=st.sampled_from(["{}", '{"a": 1}', "", "not json"])),
    ),
    max_size=4,
)
MESSAGES = st.one_of(
    st.builds(Message.system, TEXTS),
    USER_PARTS.map(lambda parts: Message(role="user", parts=tuple(parts))),
    ASSISTANT_PARTS.map(lambda parts: Message(role="assistant", parts=tuple(parts))),
    st.builds(
        lambda id, text: Message(role="tool", parts=(ToolResult(id=id, parts=(Text(text=text),)),)), TEXTS, TEXTS
    ),
)
GIVEN = st.fixed_dictionaries({}, optional={name: st.just(value) | st.none() for name, value in SETTINGS.items()})


@over(TEXT_CODECS)
@settings(max_examples=40, deadline=None)
@given(messages=st.lists(MESSAGES, min_size=1, max_size=4), given=GIVEN, stream=st.booleans())
def test_any_call_becomes_a_request_in_json_or_is_refused(
    case: Case, messages: list[Message], given: dict[str, Any], stream: bool
) -> None:
    try:
        request = build(case, stream=stream, messages=tuple(messages), **given)
    except UnsupportedParam as error:
        assert error.param  # noqa: PT017 - some of these calls are fine
        return
    assert isinstance(request.body, bytes)
    assert isinstance(msgspec.json.decode(request.body), dict)
    assert all(isinstance(text, str) for text in (*request.headers, *request.headers.values()))


CLASSES = [case for case in CASES if case.is_class and case.category == "text"]
HONOURED = frozenset(
    {
        "temperature", "top_p", "top_k", "min_p", "max_tokens", "stop", "seed", "n", "logprobs", "top_logprobs", "tools",
        "tool_choice", "parallel_tool_calls", "response_format", "reasoning", "stream_options",
    }
)  # fmt: skip
"""What a model in this process may do as asked, without a word."""


@each("name", sorted(set(SETTINGS) - HONOURED))
@over(CLASSES)
async def test_t1_an_embedded_class_reports_what_it_does_not_do(case: Case, name: str) -> None:
    provider = case.codec(api_key="")
    for model in case.models:
        response = await provider.generate([Message.user("Hello")], model, GenerationSettings(**{name: SETTINGS[name]}))
        assert is_reported(name, [warning.field for warning in response.warnings])
