"""Chat Completions, the client half: streams, event by event."""

from __future__ import annotations

import json
from typing import Any

import pytest

from betterai.core.exceptions import ProviderError, StreamInterrupted
from betterai.core.media import Media
from betterai.core.message import Citation, MediaPart, Reasoning, Refusal, Text, ToolCall
from betterai.core.response import TextChunk
from betterai.core.settings import AudioOutput
from betterai.wire.openai_chat import OpenAIChat
from together import each
from wire.chats import (
    CODECS,
    OPENAI,
    as_events,
    as_sse,
    call_piece,
    chunk,
    citations_of,
    gather,
    make_call,
    read_bytes,
    read_stream,
    stream,
    unmarked,
)

codecs = pytest.mark.parametrize("codec", CODECS.values(), ids=CODECS)

# ── S1: parallel tool calls, cut anywhere ──

VALUES = [
    {"city": "Zürich", "quote": 'a "b" \\ c', "n": [1, 2.5, None]},
    {"text": "漢字 😀\n", "deep": {"é": {"ü": []}}},
    {},
]
TEXTS = [
    json.dumps(VALUES[0]),
    json.dumps(VALUES[1], ensure_ascii=False, indent=1),
    json.dumps(VALUES[2]),
]
IDS = ["call_A", "call_B", "call_C"]


def parallel_calls(cut: int) -> list[dict[str, Any]]:
    """Three calls whose arguments are each cut at one place, the later pieces interleaved."""
    cuts = [min(cut, len(text)) for text in TEXTS]
    first = [
        chunk(call_piece(i, IDS[i], f"tool_{i}", text[:at]))
        for i, (text, at) in enumerate(zip(TEXTS, cuts, strict=True))
    ]
    rest = [chunk(call_piece(i, arguments=text[at:])) for i, (text, at) in enumerate(zip(TEXTS, cuts, strict=True))]
    return [chunk({"role": "assistant", "content": None}), *first, *reversed(rest), chunk(finish="tool_calls")]


def check_parallel_calls(chunks: list[TextChunk]) -> None:
    parts = [item.part for item in chunks if isinstance(item.part, ToolCall)]
    assert [part.parse_arguments() for part in parts] == VALUES
    assert [(part.index, part.id, part.name) for part in parts] == [(i, IDS[i], f"tool_{i}") for i in range(3)]
    shown: dict[int, str] = {}
    for delta in (item.tool_call for item in chunks if item.tool_call):
        assert delta.id in ("", IDS[delta.index])
        shown[delta.index] = shown.get(delta.index, "") + delta.arguments
    assert [shown[index] for index in range(3)] == TEXTS


@codecs
def test_s1_arguments_cut_at_each_character(codec: OpenAIChat) -> None:
    for cut in range(max(map(len, TEXTS)) + 1):
        check_parallel_calls(read_stream(*parallel_calls(cut), codec=codec))


@codecs
@pytest.mark.parametrize("ascii", [True, False], ids=["escaped", "utf-8"])
def test_s1_bytes_cut_at_each_byte(codec: OpenAIChat, ascii: bool) -> None:
    body = as_sse(parallel_calls(7), ascii=ascii)
    for cut in range(1, len(body)):
        check_parallel_calls(read_bytes([body[:cut], body[cut:]], codec))
    check_parallel_calls(read_bytes((body[i : i + 1] for i in range(len(body))), codec))


@codecs
def test_s1_the_first_delta_is_out_before_the_last_event_is_in(codec: OpenAIChat) -> None:
    state = codec.open_stream(make_call(stream=True))
    role, first, *rest = as_events(parallel_calls(3))
    assert list(state.parse_event(role)) == []
    (shown,) = state.parse_event(first)
    assert shown.tool_call is not None
    assert (shown.tool_call.index, shown.tool_call.id, shown.tool_call.name) == (0, "call_A", "tool_0")
    assert shown.tool_call.arguments == TEXTS[0][:3]
    assert rest


# ── X10: a call is a part only when the provider says the end ──


def test_x10_calls_become_parts_at_the_end_event_only() -> None:
    state = OPENAI.open_stream(make_call(stream=True))
    pieces = [call_piece(0, "a", "f", '{"x":1}'), call_piece(1, "b", "g", "{}")]
    for event in as_events([chunk(piece) for piece in pieces], done=False):
        assert all(item.part is None for item in state.parse_event(event))
    (ended,) = as_events([chunk(finish="tool_calls")], done=False)
    assert [type(item.part).__name__ for item in state.parse_event(ended)] == ["ToolCall", "ToolCall", "NoneType"]


def test_x10_a_broken_stream_gives_no_call_however_whole_it_looks() -> None:
    with pytest.raises(StreamInterrupted) as caught:
        stream(chunk({"content": "So"}), chunk(call_piece(0, "a", "f", '{"x":1}')), done=False)
    assert caught.value.partial is not None
    assert caught.value.partial.tool_calls == ()
    assert caught.value.partial.content == "So"


# ── indexes and ids as vendors give them ──


def calls_of(*pieces: Any) -> list[tuple[int, str, str, str]]:
    calls = stream(*[chunk(piece) for piece in pieces], chunk(finish="tool_calls")).tool_calls
    return [(call.index, call.id, call.name, call.arguments) for call in calls]


TWO = [(0, "a", "f", '{"x":1}'), (1, "b", "g", '{"y":2}')]


@each(
    "pieces",
    [
        pytest.param([call_piece(1, "a", "f", '{"x"'), call_piece(1, arguments=":1}"),
                      call_piece(2, "b", "g", '{"y":2}')], id="from 1"),
        pytest.param([call_piece(0, "a", "f", '{"x"'), call_piece(0, arguments=":1}"),
                      call_piece(0, "b", "g", '{"y"'), call_piece(0, arguments=":2}")], id="all 0"),
        pytest.param([call_piece(None, "a", "f", '{"x"'), call_piece(None, arguments=":1}"),
                      call_piece(None, "b", "g", '{"y"'), call_piece(None, arguments=":2}")], id="missing"),
        pytest.param([call_piece(0, "a", "f", '{"x"'), call_piece(0, "a", arguments=":1}"),
                      call_piece(1, "b", "g", '{"y"'), call_piece(1, "b", arguments=":2}")], id="ids repeated"),
        pytest.param([call_piece(None, "a", "f", '{"x"'), call_piece(None, "b", "g", '{"y"'),
                      call_piece(None, "a", arguments=":1}"), call_piece(None, "b", arguments=":2}")], id="ids only"),
        pytest.param([call_piece(0, "a", "f", '{"x"'), call_piece(0, "a", "f", ":1}"),
                      call_piece(1, "b", "g", '{"y"'), call_piece(1, "b", "g", ":2}")], id="ids and names repeated"),
        pytest.param([call_piece(0, "a", "f", '{"x"'), call_piece(0, "zz", arguments=":1}"),
                      call_piece(1, "b", "g", '{"y"'), call_piece(1, "yy", arguments=":2}")], id="ids that change"),
        pytest.param([call_piece(0, "a", "f", ""), call_piece(0, "", "", '{"x"'), call_piece(0, "", "", ":1}"),
                      call_piece(1, "b", "g", ""), call_piece(1, "", "", '{"y":2}')], id="empty ids and names"),
        pytest.param([call_piece(0, "a", "f", {"x": 1}), call_piece(1, "b", "g", {"y": 2})], id="objects"),
        pytest.param([{"tool_calls": [*call_piece(0, "a", "f", '{"x":1}')["tool_calls"],
                                      *call_piece(1, "b", "g", '{"y":2}')["tool_calls"]]}], id="one event"),
        pytest.param([call_piece(0, "a"), call_piece(0, name="f"), call_piece(0, arguments='{"x":1}'),
                      call_piece(1, "b"), call_piece(1, name="g"), call_piece(1, arguments='{"y":2}')], id="in turn"),
    ],
)  # fmt: skip
def test_pieces_find_their_call(pieces: list[Any]) -> None:
    assert calls_of(*pieces) == TWO


@pytest.mark.parametrize("index", [0, None])
@pytest.mark.parametrize("names", ["fg", "ff"])
def test_calls_without_ids_get_one_each(index: int | None, names: str) -> None:
    pieces = [call_piece(index, "", names[0], '{"x":1}'), call_piece(index, "", names[1], '{"y":2}')]
    assert calls_of(*pieces) == [
        (0, "call_c1_0_0", names[0], '{"x":1}'),
        (1, "call_c1_0_1", names[1], '{"y":2}'),
    ]


def test_a_name_repeated_on_each_piece_without_an_id_is_one_call() -> None:
    pieces = [call_piece(0, None, "f", '{"x"'), call_piece(0, None, "f", ":1}"), call_piece(0, None, "f", "")]
    assert calls_of(*pieces) == [(0, "call_c1_0_0", "f", '{"x":1}')]


def test_a_legacy_function_call() -> None:
    pieces = [{"function_call": {"name": "f", "arguments": '{"x"'}}, {"function_call": {"arguments": ":1}"}}]
    response = stream(*[chunk(piece) for piece in pieces], chunk(finish="function_call"))
    assert response.tool_calls == (ToolCall(id="call_c1_0_0", name="f", arguments='{"x":1}'),)
    assert (response.finish_reason, response.raw_finish_reason) == ("tool_calls", "function_call")


def test_a_custom_call() -> None:
    first = {"index": 0, "id": "a", "type": "custom", "custom": {"name": "c", "input": ""}}
    rest = {"index": 0, "custom": {"input": "go"}}
    response = stream(chunk({"tool_calls": [first]}), chunk({"tool_calls": [rest]}), chunk(finish="tool_calls"))
    assert response.tool_calls == (ToolCall(id="a", name="c", arguments="go", kind="custom"),)


# ── what else a delta holds ──


@pytest.mark.parametrize(
    "deltas",
    [
        [{"reasoning": "h"}, {"reasoning": "m"}, {"content": "A"}],
        [{"reasoning_content": "h"}, {"reasoning_content": "m", "content": None}, {"content": "A"}],
        [{"reasoning_content": "h", "reasoning": "h"}, {"reasoning_content": "m", "reasoning": "m"}, {"content": "A"}],
        [{"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}]},
         {"content": [{"type": "text", "text": "A"}]}],
        [{"content": [{"type": "thinking", "thinking": "hm"}]}, {"content": "A"}],
    ],
)  # fmt: skip
def test_reasoning_in_every_spelling(deltas: list[Any]) -> None:
    chunks = read_stream(*[chunk(delta) for delta in deltas], chunk(finish="stop"))
    assert "".join(item.reasoning for item in chunks) == "hm"
    assert "".join(item.content for item in chunks) == "A"
    assert gather(chunks).message.parts == (Reasoning(text="hm"), Text(text="A"))  # type: ignore[union-attr]


def test_reasoning_details_are_kept_as_they_came() -> None:
    pieces = [b'[{"type":"reasoning.text","text":"h" }]', b"[]", b"null", b'[{"n":1.0},{"type":"reasoning.encrypted"}]']
    events = [b'{"choices":[{"delta":{"reasoning_details":' + piece + b"}}]}" for piece in pieces]
    (part,) = stream(*events, chunk(finish="stop")).message.parts  # type: ignore[union-attr]
    assert isinstance(part, Reasoning)
    assert part.opaque is not None
    kept = b'{"reasoning_details":[{"type":"reasoning.text","text":"h" },{"n":1.0},{"type":"reasoning.encrypted"}]}'
    assert bytes(part.opaque.data) == kept
    assert (part.opaque.provider, part.opaque.model) == ("openai", "any-model")


def test_refusals() -> None:
    response = stream(chunk({"refusal": "I "}), chunk({"refusal": "will not"}), chunk(finish="stop"))
    assert response.message.parts == (Refusal(text="I will not"),)  # type: ignore[union-attr]
    assert (response.finish_reason, response.raw_finish_reason) == ("refusal", "stop")


def test_annotations() -> None:
    cited = {"type": "url_citation", "url_citation": {"url": "https://e.com", "title": "E"}}
    chunks = read_stream(chunk({"content": "See E"}), chunk({"annotations": [cited]}), chunk(finish="stop"))
    citation = Citation(url="https://e.com", title="E")
    assert [unmarked(item.citation) for item in chunks if item.citation] == [citation]
    assert citations_of(gather(chunks)) == (citation,)


def test_sound_is_given_out_as_it_comes_and_whole_at_the_end() -> None:
    deltas = [{"audio": {"id": "audio_1"}}, {"audio": {"data": "QQ==", "transcript": "H"}},
              {"audio": {"data": "QkM=", "transcript": "i"}}, {"audio": {"expires_at": 5}}]  # fmt: skip
    call = make_call(stream=True, audio=AudioOutput(voice="alloy", format="pcm16"))
    chunks = read_stream(*[chunk({"content": None, **delta}) for delta in deltas], chunk(finish="stop"), call=call)
    pieces = [item.media for item in chunks if item.media]
    assert [(piece.base64, piece.transcript, piece.mime_type) for piece in pieces] == [
        ("QQ==", "H", "audio/pcm16"), ("QkM=", "i", "audio/pcm16"),
    ]  # fmt: skip
    whole = Media(kind="audio", mime_type="audio/pcm16", base64="QUJD", file_id="audio_1", transcript="Hi")
    assert gather(chunks).message.parts == (MediaPart(media=whole),)  # type: ignore[union-attr]


def test_sound_that_is_no_base64_is_a_provider_error() -> None:
    events = [chunk({"audio": {"data": "QQ="}}), chunk({"audio": {"data": "Q"}}), chunk(finish="stop")]
    with pytest.raises(ProviderError, match="base64"):
        stream(*events)


def test_pictures() -> None:
    image = {"type": "image_url", "image_url": {"url": "https://e.com/a.png"}}
    response = stream(chunk({"content": "Look", "images": [image]}), chunk(finish="stop"))
    assert response.media == (Media(kind="image", url="https://e.com/a.png"),)


def test_logprobs() -> None:
    def tokens(*names: str) -> dict[str, Any]:
        return {"content": [{"token": name, "logprob": -1.0, "bytes": [1], "top_logprobs": []} for name in names]}

    chunks = read_stream(
        chunk({"content": "Hi"}, logprobs=tokens("H", "i")),
        chunk({"content": ""}, logprobs=tokens("<end>")),
        chunk({}, "stop", logprobs=None),
    )
    assert [token.token for item in chunks for token in item.logprobs or ()] == ["H", "i", "<end>"]
    assert [token.token for token in gather(chunks).logprobs or ()] == ["H", "i", "<end>"]


def test_several_answers() -> None:
    call = make_call(stream=True, n=2)
    chunks = read_stream(
        chunk({"content": "A"}, index=0),
        chunk({"content": "B"}, index=1),
        chunk({}, "length", index=1),
        chunk({"content": "a"}, index=0),
        chunk({}, "stop", index=0),
        call=call,
    )
    response = gather(chunks)
    assert (response.content, response.finish_reason) == ("Aa", "stop")
    assert [(other.content, other.finish_reason) for other in response.alternatives] == [("B", "length")]
    assert [(item.choice, item.finish_reason) for item in chunks if item.finish_reason] == [(1, "length"), (0, "stop")]


def test_a_message_instead_of_a_delta_and_text_completions() -> None:
    assert stream({"choices": [{"message": {"content": "Hi"}, "finish_reason": "stop"}]}).content == "Hi"
    texts = [{"choices": [{"text": text, "index": 0, "finish_reason": None}]} for text in ("H", "i")]
    response = stream(*texts, {"choices": [{"text": "", "finish_reason": "length"}]})
    assert (response.content, response.finish_reason) == ("Hi", "length")


def test_the_first_shown_chunk_says_which_model_and_answer() -> None:
    chunks = read_stream(chunk({"role": "assistant", "content": ""}), chunk({"content": "Hi"}), chunk(finish="stop"))
    assert (chunks[0].content, chunks[0].model, chunks[0].id) == ("Hi", "m-1", "chatcmpl-1")
    assert all(item.model == "" for item in chunks[1:])
    assert chunks[0].raw["choices"][0]["delta"] == {"content": "Hi"}
