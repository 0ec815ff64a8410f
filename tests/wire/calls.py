"""Generated calls in our own types: what every protocol of ours should carry, or report."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from hypothesis import strategies as st
from msgspec import Raw

from betterai.core.media import Media
from betterai.core.message import (
    AnyPart,
    CacheMark,
    Citation,
    MediaPart,
    Message,
    Opaque,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    ToolResult,
)
from betterai.core.settings import (
    AudioOutput,
    GenerationSettings,
    PromptCache,
    ReasoningControl,
    StreamOptions,
    WebSearch,
)
from betterai.core.tools import CustomTool, JsonObject, JsonSchema, PlainText, ServerTool, Tool, ToolChoice

words = st.text(st.characters(categories=["L", "N", "Zs"]), min_size=1, max_size=12).map(lambda text: f"w{text}w")
marks = st.sampled_from([None, None, None, CacheMark(), CacheMark(ttl="1h"), CacheMark(mode="ephemeral", ttl="5m")])
texts = st.builds(Text, text=words, cache=marks)
PICTURE = Media(kind="image", mime_type="image/png", base64="iVBORw0KGgo=")
pictures = st.sampled_from([PICTURE, Media(kind="image", url="https://example.com/a.png")])
documents = st.sampled_from(
    [
        Media(kind="document", mime_type="application/pdf", base64="JVBERi0xLjQ=", filename="a.pdf"),
        Media(kind="document", mime_type="application/pdf", base64="JVBERi0xLjQ="),
        Media(kind="document", mime_type="text/plain", base64="dGV4dA==", filename="notes"),
        Media(kind="document", mime_type="application/pdf", url="https://example.com/a.pdf"),
    ]
)
sounds = st.just(Media(kind="audio", mime_type="audio/wav", base64="UklGRg=="))
kept_files = st.sampled_from(
    [Media(kind="document", file_id="file-1", filename="a.pdf"), Media(kind="image", file_id="s3://bucket/a.png")]
)
media = st.builds(MediaPart, media=pictures | documents | sounds | kept_files, detail=st.sampled_from(["", "", "high"]))
OBJECT = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"], "additionalProperties": False}

THOUGHTS: Mapping[str, Any] = {
    "openai_chat": {"reasoning_details": [{"type": "reasoning.encrypted", "data": "gAAA"}]},
    "openai_responses": {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gAAA"},
    "anthropic_messages": {"signature": "c2ln"},
    "gemini": {"thoughtSignature": "c2ln"},
    "bedrock_converse": {"reasoningContent": {"reasoningText": {"signature": "c2ln"}}},
}
"""What each protocol keeps with thoughts."""
SEARCHED = {"url": "https://example.com/a", "title": "A"}
NOTES: Mapping[str, Any] = {
    "openai_chat": {"type": "url_citation", "url_citation": {**SEARCHED, "start_index": 0, "end_index": 1}},
    "openai_responses": {"type": "url_citation", **SEARCHED, "start_index": 0, "end_index": 1},
    "anthropic_messages": {"type": "web_search_result_location", **SEARCHED, "cited_text": "w", "encrypted_index": "E"},
    "bedrock_converse": {"location": {"web": {"url": SEARCHED["url"]}}, "title": "A"},
}
RAN: Mapping[str, tuple[Any, Any]] = {
    "openai_responses": ({"type": "web_search_call", "id": "ran_1", "status": "completed"}, None),
    "anthropic_messages": (
        {"type": "server_tool_use", "id": "ran_1", "name": "web_search", "input": {"query": "q"}},
        {"type": "web_search_tool_result", "tool_use_id": "ran_1", "content": []},
    ),
    "gemini": (
        {"toolCall": {"id": "ran_1", "toolType": "GOOGLE_SEARCH_WEB", "args": {"query": "q"}}},
        {"toolResponse": {"id": "ran_1", "toolType": "GOOGLE_SEARCH_WEB", "response": {"output": "r"}}},
    ),
}
"""Blocks of tools that a provider ran by itself: the call, and what it gave, where that is another block."""


def keep(protocol: str, value: Any) -> Opaque:
    return Opaque(protocol=protocol, data=Raw(msgspec.json.encode(value)))


reasonings = st.one_of(
    st.builds(Reasoning, text=words),
    st.builds(
        lambda text, protocol: Reasoning(text=text, opaque=keep(protocol, THOUGHTS[protocol])),
        words,
        st.sampled_from(sorted(THOUGHTS)),
    ),
)
cited = st.one_of(
    st.builds(lambda text: Text(text=text, citations=(Citation(**SEARCHED, start=0, end=1),)), words),
    st.builds(
        lambda text, name: Text(
            text=text, citations=(Citation(**SEARCHED, start=0, end=1, opaque=keep(name, NOTES[name])),)
        ),
        words,
        st.sampled_from(sorted(NOTES)),
    ),
)


@st.composite
def searches(draw: st.DrawFn) -> list[AnyPart]:
    """A tool that a provider ran by itself."""
    name = draw(st.sampled_from(sorted(RAN)))
    call, result = RAN[name]
    parts: list[AnyPart] = [
        ToolCall(id="ran_1", name="web_search", arguments='{"query":"q"}', server=True, opaque=keep(name, call))
    ]
    if result is not None:
        parts.append(ToolResult(id="ran_1", name="web_search", opaque=keep(name, result)))
    return parts


@st.composite
def answers(draw: st.DrawFn) -> list[AnyPart]:
    """What the assistant said: thoughts, text, sources, a refusal, a search."""
    thoughts = draw(st.lists(reasonings, max_size=1))
    ran = draw(st.just([]) | st.just([]) | searches())
    said = draw(st.lists(texts | cited, min_size=1, max_size=2) | st.builds(lambda text: [Refusal(text=text)], words))
    return [*thoughts, *ran, *said]


@st.composite
def turns(draw: st.DrawFn) -> list[Message]:
    """A question and its answer, by way of tools or not."""
    name = draw(st.sampled_from(["", "", "", "ann"]))
    said = [Message(role="user", parts=tuple(draw(st.lists(texts | texts | media, min_size=1, max_size=3))), name=name)]
    if draw(st.booleans()):
        return [*said, Message(role="assistant", parts=tuple(draw(answers())))]
    ids = [f"call_{index}" for index in range(draw(st.integers(1, 3)))]
    arguments = draw(st.sampled_from(['{"a":"x"}', '{"a": 1.0}', "{}", '{"b":[1e2,"é"]}']))
    calls = [ToolCall(id=id, name="look", arguments=arguments, index=index) for index, id in enumerate(ids)]
    if draw(st.sampled_from([False, False, False, True])):
        calls[-1] = msgspec.structs.replace(calls[-1], name="write", kind="custom", arguments="free text")
    thoughts = draw(st.lists(reasonings, max_size=1))
    spoken = draw(st.lists(texts, max_size=1))
    said.append(Message(role="assistant", parts=(*thoughts, *spoken, *calls)))
    failed = draw(st.booleans())
    shown = st.lists(texts, min_size=1, max_size=2) | st.builds(lambda text: [text, MediaPart(media=PICTURE)], texts)
    for call in calls:
        parts = tuple(draw(st.lists(texts, min_size=1, max_size=1) | shown | st.just([Text(text='{"b": 1}')])))
        said.append(Message(role="tool", parts=(ToolResult(id=call.id, name=call.name, parts=parts, is_error=failed),)))
    return said


@st.composite
def conversations(draw: st.DrawFn) -> tuple[Message, ...]:
    roles = st.sampled_from(["system", "system", "developer"])
    system = draw(st.lists(st.builds(lambda role, part: Message(role=role, parts=(part,)), roles, texts), max_size=2))
    turned = [message for turn in draw(st.lists(turns(), max_size=2)) for message in turn]
    return (*system, *turned, Message(role="user", parts=(draw(texts),)))


TOOLS = (Tool(name="look", description="Look.", parameters=OBJECT), Tool(name="other", parameters=OBJECT))
OTHER_TOOLS = (
    (Tool(name="look", strict=True, parameters=OBJECT), Tool(name="bare")),
    (Tool(name="look", strict=False, cache=CacheMark(ttl="1h"), parameters={"type": "object", "properties": {}}),),
    (ServerTool(type="web_search"), TOOLS[0]),
    (TOOLS[0], ServerTool(type="code_execution")),
    (CustomTool(name="write", description="Write."), TOOLS[0]),
    (),
)
SETTINGS: dict[str, st.SearchStrategy[Any]] = {
    "temperature": st.sampled_from([0, 0.0, 0.5, 1]),
    "top_p": st.sampled_from([0, 0.25, 1]),
    "top_k": st.sampled_from([0, 7]),
    "max_tokens": st.sampled_from([1, 999]),
    "stop": st.sampled_from(["END", ["END", "STOP"], ["END"], []]),
    "min_p": st.sampled_from([0, 0.1]),
    "prediction": st.just("as it was"),
    "audio": st.sampled_from([AudioOutput(voice="alloy", format="wav"), AudioOutput(voice="alloy")]),
    "moderation": st.just({"model": "any"}),
    "seed": st.sampled_from([0, 7]),
    "n": st.sampled_from([1, 2]),
    "frequency_penalty": st.sampled_from([0, 0.5]),
    "presence_penalty": st.sampled_from([0, 0.5]),
    "logit_bias": st.just({"1": 2}),
    "logprobs": st.booleans(),
    "top_logprobs": st.just(0) | st.just(2),
    "tools": st.just(TOOLS) | st.sampled_from(OTHER_TOOLS),
    "tool_choice": st.sampled_from(
        [
            "auto",
            "none",
            "required",
            "look",
            ToolChoice(mode="required", names=("look",)),
            ToolChoice(mode="auto", names=("look",)),
            ToolChoice(mode="required", names=("look", "other")),
        ]
    ),
    "parallel_tool_calls": st.booleans(),
    "response_format": st.sampled_from(
        [
            JsonSchema(schema=OBJECT, name="shape"),
            JsonSchema(schema=OBJECT, strict=True),
            JsonSchema(schema=OBJECT, name="shape", description="A shape.", strict=False),
            JsonObject(),
            PlainText(),
        ]
    ),
    "reasoning": st.sampled_from(
        [
            "none",
            "low",
            "high",
            0,
            2048,
            True,
            False,
            ReasoningControl(effort="medium", summary="auto"),
            ReasoningControl(effort="low", include=False),
            ReasoningControl(budget=2048, include=True),
        ]
    ),
    "verbosity": st.just("low"),
    "modalities": st.just(["text"]) | st.just(["text", "audio"]),
    "cache": st.sampled_from(
        [
            PromptCache(key="k"),
            PromptCache(mode="auto"),
            PromptCache(mode="auto", ttl="1h"),
            PromptCache(key="k", retention="24h"),
        ]
    ),
    "web_search": st.sampled_from(
        [
            True,
            False,
            WebSearch(context_size="low"),
            WebSearch(user_location={"type": "approximate", "approximate": {"country": "CH"}}),
        ]
    ),
    "service_tier": st.just("auto"),
    "store": st.booleans(),
    "metadata": st.sampled_from([{"a": "b"}, {"user_id": "ann"}, {}]),
    "user": st.sampled_from(["ann", ""]),
    "safety_identifier": st.just("ann"),
    "stream_options": st.sampled_from([StreamOptions(include_usage=False), StreamOptions(include_obfuscation=False)]),
}
NO_NULL = frozenset({"stream_options"})
"""Never written as null: our own settings say nothing with it."""


@st.composite
def settings(draw: st.DrawFn) -> GenerationSettings:
    """A few at a time: with all of them there would always be one that the other protocol refuses."""
    names = draw(st.lists(st.sampled_from(sorted(SETTINGS)), max_size=2, unique=True))
    nothing = st.sampled_from([False] * 5 + [True])
    given = {name: None if draw(nothing) and name not in NO_NULL else draw(SETTINGS[name]) for name in names}
    if ("tool_choice" in given or "parallel_tool_calls" in given) and not given.get("tools"):
        given["tools"] = TOOLS
    return GenerationSettings(**given)
