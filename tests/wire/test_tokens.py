"""The estimate of tokens: what it counts, what it says that it leaves out, and that it grows with what is sent."""

from __future__ import annotations

import threading
import time
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from betterai.core.media import Media
from betterai.core.message import MediaPart, Message, Opaque, Reasoning, Text, ToolCall, ToolResult
from betterai.core.settings import GenerationSettings
from betterai.core.tools import JsonSchema, ServerTool, Tool
from betterai.wire.tokens import PER_IMAGE, PER_SMALL_IMAGE, estimate_text, estimate_tokens
from together import each

NOTHING = GenerationSettings()


@each(
    ("text", "tokens"),
    [
        ("", 0), ("cat", 1), ("internationalization", 3), ("1234567", 3), ("a, b.", 3), ("日本語", 3), ("мир", 1.5),
        ("x" * 8, 1), ("x" * 9, 2), ("for i in range(10):", 6.5),
    ],
)  # fmt: skip
def test_texts_by_their_characters(text: str, tokens: float) -> None:
    assert estimate_text(text) == tokens


@given(st.lists(st.text(max_size=40), max_size=5), st.text(max_size=40))
def test_more_is_never_less(texts: list[str], more: str) -> None:
    messages = [Message.user(text) for text in texts]
    fewer = estimate_tokens(messages, NOTHING)[0]
    assert estimate_tokens([*messages, Message.user(more)], NOTHING)[0] > fewer


def test_pictures_tools_and_schemas_count() -> None:
    plain = estimate_tokens([Message.user("look")], NOTHING)[0]
    picture = Media(kind="image", data=b"x")
    parts = (Text(text="look"), MediaPart(media=picture), MediaPart(media=picture, detail="low"))
    assert estimate_tokens([Message(role="user", parts=parts)], NOTHING)[0] == plain + PER_IMAGE + PER_SMALL_IMAGE
    tools = GenerationSettings(tools=[Tool(name="weather", parameters={"type": "object"})])
    schema = GenerationSettings(response_format=JsonSchema(schema={"type": "object", "properties": {"a": {}}}))
    assert estimate_tokens([Message.user("look")], tools)[0] > plain + 45
    assert estimate_tokens([Message.user("look")], schema)[0] > plain


def test_protocols_frame_the_same_call_differently() -> None:
    tools = GenerationSettings(tools=[Tool(name="weather", description="The weather of a place")])
    question = [Message.user("Rome?")]
    plain = {name: estimate_tokens(question, NOTHING, name)[0] for name in ("", "gemini", "anthropic_messages")}
    armed = {name: estimate_tokens(question, tools, name)[0] for name in plain}
    assert plain["gemini"] < plain[""]
    assert armed["gemini"] < armed[""] < armed["anthropic_messages"]


def test_what_is_left_out_is_said() -> None:
    sealed = Reasoning(opaque=Opaque(protocol="p", data=Raw(b"{}")))
    sound = MediaPart(media=Media(kind="audio", data=b"x"))
    messages = [Message(role="assistant", parts=(sealed, ToolCall(id="1", name="f", arguments="{}")))]
    messages.append(Message(role="tool", parts=(ToolResult(id="1", parts=(sound, sound)),)))
    _, warnings = estimate_tokens(messages, GenerationSettings(tools=[ServerTool(type="web_search")]))
    assert [warning.field for warning in warnings] == ["reasoning", "audio", "tools"]


def test_a_long_text_is_the_sum_of_what_it_is_made_of() -> None:
    words = "A plain sentence, 1234567 words long or so; é 日本. "
    assert estimate_text(words * 1000) == estimate_text(words) * 1000
    assert estimate_text("a" * 100_000) == 12_500


def longest_wait(text: str) -> float:
    """Of a thread beside one that looks at the text, as a share of the whole."""
    done, turns = threading.Event(), [time.perf_counter()]
    thread = threading.Thread(target=lambda: (estimate_text(text), done.set()))
    thread.start()
    while not done.wait(0.0001):
        turns.append(time.perf_counter())
    thread.join()
    turns.append(time.perf_counter())
    return max(after - before for before, after in pairwise(turns)) / (turns[-1] - turns[0])


def test_other_threads_go_on_beside_a_long_text() -> None:
    text = "A plain sentence, 12 words long or so; é 日本. " * 20_000
    assert min(longest_wait(text) for _ in range(3)) < 0.25


def test_long_texts_take_linear_time() -> None:
    began = time.perf_counter()
    estimate_text("A plain sentence, 12 words long or so; é 日本. " * 20_000)
    assert time.perf_counter() - began < 3
