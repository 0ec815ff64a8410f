"""Converse's streams: chunks as they come, parts once they are whole, and every way to end."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from betterai.core.accumulate import Accumulator
from betterai.core.exceptions import OverloadedError, ProviderError, RateLimitError, StreamInterrupted
from betterai.core.media import Media
from betterai.core.message import Citation, MediaPart, Reasoning, Text, ToolCall
from betterai.core.usage import Usage
from betterai.core.wire import Event
from wire.converse import CODEC, body_of, call, delta, event, read, stop

START = event("messageStart", role="assistant", p="abc")
END = event("messageStop", stopReason="end_turn")
META = event("metadata", usage={"inputTokens": 7, "outputTokens": 2, "totalTokens": 9}, metrics={"latencyMs": 1})
HELLO = [START, delta(0, text="Hel"), delta(0, text="lo"), stop(0), END, META]


def run(*events: Event):
    """All chunks, and the state after them."""
    state = CODEC.open_stream(call(stream=True))
    chunks = [chunk for item in events for chunk in state.parse_event(item)]
    return [*chunks, *state.finish()], state


def gather(*events: Event):
    gathered = Accumulator("a.model-v1:0")
    for chunk in run(*events)[0]:
        gathered.add(chunk)
    return gathered.response()


def begin(index: int, **start) -> Event:
    return event("contentBlockStart", contentBlockIndex=index, start=start)


def test_text_comes_as_it_is_said_without_a_beginning():
    chunks, state = run(*HELLO)
    assert [chunk.content for chunk in chunks if chunk.content] == ["Hel", "lo"]
    assert [chunk.part for chunk in chunks if chunk.part] == [Text(text="Hello")]
    (finish,) = [chunk for chunk in chunks if chunk.finish_reason]
    assert (finish.finish_reason, finish.raw_finish_reason) == ("stop", "end_turn")
    assert [chunk.usage for chunk in chunks if chunk.usage] == [Usage(text_in=7, text_out=2)]
    assert state.done
    assert chunks[0].raw["delta"] == {"text": "Hel"}


def test_it_is_done_with_the_last_event_and_ending_before():
    state = CODEC.open_stream(call(stream=True))
    seen = []
    for item in HELLO:
        state.parse_event(item)
        seen.append((state.ending, state.done))
    assert seen == [(False, False)] * 4 + [(True, False), (True, True)]


def test_metadata_may_come_first():
    chunks, state = run(*HELLO[:4], META, END)
    assert state.done
    assert chunks[-1].usage == Usage(text_in=7, text_out=2)


def test_calls_come_in_pieces_and_are_counted():
    events = [
        START, delta(0, text="x"), stop(0), begin(1, toolUse={"toolUseId": "t1", "name": "f"}), delta(1, toolUse={"input": ""}),
        delta(1, toolUse={"input": '{"a"'}), delta(1, toolUse={"input": ":1}"}), stop(1),
        begin(2, toolUse={"toolUseId": "t2", "name": "g"}), stop(2), event("messageStop", stopReason="tool_use"), META,
    ]  # fmt: skip
    chunks, _ = run(*events)
    pieces = [(it.index, it.id, it.name, it.arguments) for chunk in chunks if (it := chunk.tool_call) is not None]
    assert pieces == [(0, "t1", "f", ""), (0, "", "", '{"a"'), (0, "", "", ":1}"), (1, "t2", "g", "")]
    assert [chunk.part for chunk in chunks if chunk.part] == [
        Text(text="x"),
        ToolCall(id="t1", name="f", arguments='{"a":1}'),
        ToolCall(id="t2", name="g", arguments="{}", index=1),
    ]


THOUGHTS = {"reasoningContent": {"reasoningText": {"text": "Hm.", "signature": "sig"}}}
REDACTED = {"reasoningContent": {"redactedContent": "eHl6"}}
SERVER = {"toolUse": {"toolUseId": "t", "name": "code", "input": {"c": "1"}, "type": "server_tool_use"}}
RESULT = {"toolResult": {"toolUseId": "t", "content": [{"json": {"o": 1}}, {"text": "x"}], "type": "r"}}
CITED = {"citationsContent": {"content": [{"text": "20 days"}], "citations": [{"title": "P", "source": "s"}]}}
PICTURE = {"image": {"format": "png", "source": {"bytes": "eHl6"}}}
SAME = {
    "text": ({"text": "Hello"}, [delta(0, text="Hel"), delta(0, text="lo"), stop(0)]),
    "thoughts": (
        THOUGHTS,
        [
            delta(0, reasoningContent={"text": "H"}),
            delta(0, reasoningContent={"text": "m."}),
            delta(0, reasoningContent={"signature": "sig"}),
            stop(0),
        ],
    ),
    "a signature alone": (
        {"reasoningContent": {"reasoningText": {"text": "", "signature": "sig"}}},
        [delta(0, reasoningContent={"signature": "si"}), delta(0, reasoningContent={"signature": "g"}), stop(0)],
    ),
    "redacted": (REDACTED, [delta(0, reasoningContent={"redactedContent": "eHl6"}), stop(0)]),
    "redacted in pieces": (
        REDACTED,
        [delta(0, reasoningContent={"redactedContent": it}) for it in ("eA==", "eXo=")] + [stop(0)],
    ),
    "a provider's tool": (
        SERVER,
        [
            begin(0, toolUse={"toolUseId": "t", "name": "code", "type": "server_tool_use"}),
            delta(0, toolUse={"input": '{"c":'}),
            delta(0, toolUse={"input": '"1"}'}),
            stop(0),
        ],
    ),
    "its result": (
        RESULT,
        [
            begin(0, toolResult={"toolUseId": "t", "type": "r"}),
            delta(0, toolResult=[{"json": {"o": 1}}]),
            delta(0, toolResult=[{"text": "x"}]),
            stop(0),
        ],
    ),
    "citations": (
        CITED,
        [delta(0, text="20 "), delta(0, citation={"title": "P", "source": "s"}), delta(0, text="days"), stop(0)],
    ),
    "a picture": (
        PICTURE,
        [begin(0, image={"format": "png"}), *(delta(0, image={"source": {"bytes": it}}) for it in ("eHl6",)), stop(0)],
    ),
}


@pytest.mark.parametrize(("block", "events"), SAME.values(), ids=SAME)
def test_a_stream_amounts_to_the_whole_reply(block, events):
    whole, streamed = read(block), gather(START, *events, END, META)
    assert streamed.message == whole.message
    assert (streamed.content, streamed.usage, streamed.finish_reason) == (whole.content, whole.usage, "stop")
    assert body_of(streamed.message)["messages"][0]["content"] == [block]


def test_what_the_provider_runs_is_not_shown_as_a_call_of_ours():
    chunks, _ = run(START, *SAME["a provider's tool"][1], END, META)
    assert [chunk.tool_call for chunk in chunks if chunk.tool_call] == []


def test_citations_and_thoughts_are_shown_as_they_come():
    chunks, _ = run(START, *SAME["citations"][1], END, META)
    (citation,) = [chunk.citation for chunk in chunks if chunk.citation]
    assert isinstance(citation, Citation)
    assert citation.title == "P"
    chunks, _ = run(START, *SAME["thoughts"][1], END, META)
    assert [chunk.reasoning for chunk in chunks if chunk.reasoning] == ["H", "m."]


def test_parts_come_in_the_order_of_their_blocks():
    """Blocks that overlap, and some that are never said to have ended."""
    chunks, _ = run(
        START, delta(0, text="a"), begin(1, toolUse={"toolUseId": "t", "name": "f"}), delta(2, text="c"), stop(1),
        delta(0, text="b"), stop(0), END, META,
    )  # fmt: skip
    kinds = [chunk.part for chunk in chunks if chunk.part]
    assert kinds == [Text(text="ab"), ToolCall(id="t", name="f", arguments="{}"), Text(text="c")]


def test_a_stream_that_was_read_before_has_no_names():
    items = [
        {"messageStart": {"role": "assistant"}},
        {"contentBlockDelta": {"contentBlockIndex": 0, "delta": {"text": "Hello"}}},
        {"contentBlockStop": {"contentBlockIndex": 0}},
        {"messageStop": {"stopReason": "end_turn"}},
        {"metadata": {"usage": {"inputTokens": 7, "outputTokens": 2, "totalTokens": 9}}},
    ]
    events = [Event(data=msgspec.json.encode(item)) for item in items]
    assert gather(*events) == msgspec.structs.replace(gather(*HELLO))


def test_new_events_and_members_are_passed_over():
    events = [START, event("somethingNew", x=1), delta(0, text="Hello", new=1), delta(0, new={"x": 1}), *HELLO[3:]]
    assert gather(*events).content == "Hello"


@pytest.mark.parametrize("length", range(len(HELLO) - 2))
def test_a_stream_cut_before_its_end_is_never_shown_as_finished(length):
    with pytest.raises(StreamInterrupted) as caught:
        run(*HELLO[:length])
    partial = caught.value.partial
    assert partial.finish_reason is None
    assert partial.content == "".join(["Hel", "lo"][: max(0, length - 1)])


def test_of_a_cut_stream_calls_that_are_not_whole_are_left_out():
    with pytest.raises(StreamInterrupted) as caught:
        run(
            START, delta(0, reasoningContent={"text": "Hm"}), stop(0), delta(1, text="x"), stop(1),
            begin(2, toolUse={"toolUseId": "t", "name": "f"}), delta(2, toolUse={"input": '{"a'}),
        )  # fmt: skip
    thought, text = caught.value.partial.message.parts
    assert isinstance(thought, Reasoning)
    assert text == Text(text="x")


def test_without_metadata_the_answer_stands_and_its_usage_is_not_known():
    response = gather(*HELLO[:-1])
    assert (response.content, response.usage, response.finish_reason) == ("Hello", None, "stop")


@pytest.mark.parametrize(
    ("name", "kind", "status", "retryable"),
    [
        ("throttlingException", RateLimitError, 429, True),
        ("serviceUnavailableException", OverloadedError, 503, True),
        ("internalServerException", ProviderError, 500, True),
        ("unheardOfException", ProviderError, 500, True),
    ],
)
@pytest.mark.parametrize("wrapped", [False, True])
def test_an_exception_in_the_stream_is_the_right_error(name, kind, status, retryable, wrapped):
    body = {"message": "odd"}
    item = Event(data=msgspec.json.encode({name: body})) if wrapped else event(f"exception:{name}", **body)
    with pytest.raises(ProviderError) as caught:
        run(*HELLO[:2], item)
    error = caught.value
    assert type(error) is kind
    assert (error.status, error.retryable, error.provider_message, error.code) == (status, retryable, "odd", name)


def test_what_the_model_said_is_told_too():
    item = event(
        "exception:modelStreamErrorException", message="failed", originalStatusCode=400, originalMessage="too long"
    )
    with pytest.raises(ProviderError) as caught:
        run(item)
    assert type(caught.value) is ProviderError
    assert (caught.value.status, caught.value.retryable) == (424, False)
    assert caught.value.provider_message == "failed: too long"
    with pytest.raises(ProviderError, match="broke"):
        run(event("error:InternalError", message="broke"))


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b'{"delta": 1}', b"\xff"])
def test_an_event_that_is_not_readable_is_an_error(data):
    with pytest.raises(ProviderError) as caught:
        run(Event(name="contentBlockDelta", data=data))
    assert caught.value.code == "unreadable_event"


PIECES = st.lists(st.text(min_size=1, max_size=6), min_size=1, max_size=6)


@given(st.lists(st.tuples(st.sampled_from(["text", "thought", "tool"]), PIECES), max_size=4), st.booleans())
def test_parts_are_what_the_pieces_were(blocks, stops):
    events = [START]
    for index, (kind, pieces) in enumerate(blocks):
        if kind == "tool":
            events.append(begin(index, toolUse={"toolUseId": f"t{index}", "name": "f"}))
        for piece in pieces:
            inner = {"text": piece} if kind == "text" else {"reasoningContent": {"text": piece}}
            events.append(delta(index, **({"toolUse": {"input": piece}} if kind == "tool" else inner)))
        events += [stop(index)] * stops
    response = gather(*events, END, META)
    said = [part.arguments if isinstance(part, ToolCall) else part.text for part in response.message.parts]
    assert said == ["".join(pieces) for _, pieces in blocks]


def test_a_picture_is_media():
    (part,) = gather(START, *SAME["a picture"][1], END, META).message.parts
    assert part == MediaPart(media=Media(kind="image", mime_type="image/png", base64="eHl6"))
