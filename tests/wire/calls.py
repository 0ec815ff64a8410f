"""Generated calls in our own types: what every protocol of ours should carry, or report."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from betterai.core.media import Media
from betterai.core.message import CacheMark, MediaPart, Message, Reasoning, Text, ToolCall, ToolResult
from betterai.core.settings import GenerationSettings, PromptCache, ReasoningControl
from betterai.core.tools import JsonObject, JsonSchema, Tool, ToolChoice

words = st.text(st.characters(categories=["L", "N", "Zs"]), min_size=1, max_size=12).map(lambda text: f"w{text}w")
marks = st.none() | st.just(CacheMark()) | st.just(CacheMark(ttl="1h"))
texts = st.builds(Text, text=words, cache=marks)
pictures = st.sampled_from(
    [
        Media(kind="image", mime_type="image/png", base64="iVBORw0KGgo="),
        Media(kind="image", url="https://example.com/a.png"),
    ]
)
documents = st.just(Media(kind="document", mime_type="application/pdf", base64="JVBERi0xLjQ=", filename="a.pdf"))
media = st.builds(MediaPart, media=pictures | documents)
OBJECT = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"], "additionalProperties": False}


@st.composite
def turns(draw: st.DrawFn) -> list[Message]:
    """A question and its answer, by way of tools or not."""
    said = [Message(role="user", parts=tuple(draw(st.lists(texts | media, min_size=1, max_size=3))))]
    if draw(st.booleans()):
        return [*said, Message(role="assistant", parts=tuple(draw(st.lists(texts, min_size=1, max_size=2))))]
    ids = [f"call_{index}" for index in range(draw(st.integers(1, 3)))]
    calls = [ToolCall(id=id, name="look", arguments='{"a":"x"}', index=index) for index, id in enumerate(ids)]
    thoughts = draw(st.lists(st.builds(Reasoning, text=words), max_size=1))
    spoken = draw(st.lists(texts, max_size=1))
    said.append(Message(role="assistant", parts=(*thoughts, *spoken, *calls)))
    failed = draw(st.booleans())
    for id in ids:
        result = ToolResult(id=id, name="look", parts=(draw(texts),), is_error=failed)
        said.append(Message(role="tool", parts=(result,)))
    return said


@st.composite
def conversations(draw: st.DrawFn) -> tuple[Message, ...]:
    system = draw(st.lists(st.builds(lambda part: Message(role="system", parts=(part,)), texts), max_size=1))
    turned = [message for turn in draw(st.lists(turns(), max_size=2)) for message in turn]
    return (*system, *turned, Message(role="user", parts=(draw(texts),)))


TOOLS = (Tool(name="look", description="Look.", parameters=OBJECT), Tool(name="other", parameters=OBJECT))
SETTINGS: dict[str, st.SearchStrategy[Any]] = {
    "temperature": st.sampled_from([0, 0.5, 1]),
    "top_p": st.sampled_from([0.25, 1]),
    "top_k": st.just(7),
    "max_tokens": st.sampled_from([1, 4096]),
    "stop": st.just("END") | st.just(["END", "STOP"]),
    "seed": st.just(0),
    "n": st.just(2),
    "frequency_penalty": st.just(0.5),
    "presence_penalty": st.just(0.5),
    "tools": st.just(TOOLS),
    "tool_choice": st.sampled_from(["auto", "none", "required", "look", ToolChoice(mode="required", names=("look",))]),
    "parallel_tool_calls": st.booleans(),
    "response_format": st.just(JsonSchema(schema=OBJECT, name="shape")) | st.just(JsonObject()),
    "reasoning": st.sampled_from(["low", "high", 2048, ReasoningControl(effort="medium", summary="auto")]),
    "verbosity": st.just("low"),
    "cache": st.just(PromptCache(key="k")),
    "service_tier": st.just("auto"),
    "store": st.just(False),
    "metadata": st.just({"a": "b"}),
    "user": st.just("ann"),
}


@st.composite
def settings(draw: st.DrawFn) -> GenerationSettings:
    """A few at a time: with all of them there would always be one that the other protocol refuses."""
    names = draw(st.lists(st.sampled_from(sorted(SETTINGS)), max_size=3, unique=True))
    given = {name: draw(SETTINGS[name]) for name in names}
    if "tool_choice" in given or "parallel_tool_calls" in given:
        given["tools"] = TOOLS
    return GenerationSettings(**given)
