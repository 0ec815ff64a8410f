"""Chat Completions, the client half: streams, event by event."""

from __future__ import annotations

import json
from typing import Any

import pytest

from betterai.core.exceptions import BadRequestError, OverloadedError, ProviderError, RateLimitError, StreamInterrupted
from betterai.core.media import Media
from betterai.core.message import Citation, MediaPart, Reasoning, Refusal, Text, ToolCall
from betterai.core.response import TextChunk
from betterai.core.settings import AudioOutput
from betterai.core.wire import Event
from betterai.wire.openai_chat import OpenAIChat
from wire.chats import (
    CODECS,
    OPENAI,
    as_events,
    as_sse,
    call_piece,
    chunk,
    gather,
    make_call,
    model,
    read_bytes,
    read_events,
    read_stream,
    stream,
    usage_event,
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


@pytest.mark.parametrize(
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
    assert [item.citation for item in chunks if item.citation] == [citation]
    assert gather(chunks).message.parts == (Text(text="See E", citations=(citation,)),)  # type: ignore[union-attr]


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


# ── S2: usage ──


def test_s2_one_usage_at_the_end_from_an_event_without_choices() -> None:
    chunks = read_stream(
        chunk({"content": "Hi"}),
        chunk(finish="stop"),
        usage_event(prompt_tokens=3, completion_tokens=2, total_tokens=5),
    )
    assert [item.usage is not None for item in chunks] == [False, False, False, True]
    assert (chunks[-1].usage.input_tokens, chunks[-1].usage.output_tokens) == (3, 2)  # type: ignore[union-attr]


def test_s2_usage_that_grows_with_each_event_counts_once() -> None:
    events = [{**chunk({"content": "x"}), "usage": {"prompt_tokens": 3, "completion_tokens": n}} for n in range(1, 4)]
    chunks = read_stream(*events, {**chunk(finish="stop"), "usage": {"prompt_tokens": 3, "completion_tokens": 4}})
    assert [item.usage.output_tokens for item in chunks if item.usage] == [4]


def test_s2_usage_that_the_body_does_not_give_is_none_and_not_0() -> None:
    for events in ([], [{**usage_event(), "usage": None}], [usage_event(prompt_tokens=None, completion_tokens=None)]):
        response = stream(chunk({"content": "Hi"}), chunk(finish="stop"), *events)
        assert (response.usage, response.tokens_used) == (None, None)


def test_s2_usage_comes_after_the_answer_is_complete() -> None:
    state = OPENAI.open_stream(make_call(stream=True))
    content, finish, usage, done = as_events(
        [chunk({"content": "Hi"}), chunk(finish="stop"), usage_event(prompt_tokens=1)]
    )
    state.parse_event(content)
    assert not state.ending
    state.parse_event(finish)
    assert (state.ending, state.done) == (True, False)
    state.parse_event(usage)
    state.parse_event(done)
    assert state.done


# ── S4: how streams end ──


def test_s4_a_cut_stream_is_interrupted_and_holds_what_came() -> None:
    cited = {"url_citation": {"url": "u"}}
    events = [chunk({"reasoning": "hm"}), chunk({"content": "Hel"}), chunk({"content": "lo", "annotations": [cited]}),
              usage_event(prompt_tokens=3, completion_tokens=1)]  # fmt: skip
    with pytest.raises(StreamInterrupted) as caught:
        stream(*events, done=False)
    partial = caught.value.partial
    assert partial is not None
    assert (partial.content, partial.reasoning, partial.model, partial.id) == ("Hello", "hm", "m-1", "chatcmpl-1")
    assert (partial.finish_reason, partial.raw_finish_reason) == (None, "")
    assert partial.usage is not None
    assert not caught.value.retryable


@pytest.mark.parametrize("done", [True, False])
def test_s4_nothing_at_all_is_interrupted(done: bool) -> None:
    with pytest.raises(StreamInterrupted):
        stream(done=done)
    with pytest.raises(StreamInterrupted):
        stream(usage_event(prompt_tokens=1), done=done)


def test_s4_cut_at_every_event_is_never_a_success() -> None:
    events = [chunk({"role": "assistant"}), *[chunk({"content": str(n)}) for n in range(5)], chunk(finish="stop")]
    for count in range(len(events)):
        with pytest.raises(StreamInterrupted):
            stream(*events[:count], done=False)
    assert stream(*events, done=False).content == "01234"


def test_s4_a_choice_that_never_began_is_missing() -> None:
    events = [chunk({"content": "A"}), chunk(finish="stop")]
    call = make_call(stream=True, n=2)
    with pytest.raises(StreamInterrupted):
        stream(*events, call=call, done=False)
    assert stream(*events, call=call).content == "A"


def test_a_finish_reason_without_done_is_an_end() -> None:
    response = stream(chunk({"content": "Hi"}), chunk(finish="stop"), done=False)
    assert (response.content, response.finish_reason) == ("Hi", "stop")


def test_done_without_a_finish_reason_is_other_and_never_stop() -> None:
    response = stream(chunk({"content": "Hi"}), chunk(call_piece(0, "a", "f", "{}")))
    assert (response.content, response.finish_reason, response.raw_finish_reason) == ("Hi", "other", "")
    assert len(response.tool_calls) == 1


def test_an_empty_finish_reason_on_each_event_ends_nothing() -> None:
    events = [chunk({"content": text}, "") for text in ("H", "i")]
    assert stream(*events).message.parts == (Text(text="Hi"),)  # type: ignore[union-attr]
    with pytest.raises(StreamInterrupted):
        stream(*events, done=False)
    response = stream(*events, chunk(finish="stop"))
    assert (response.content, response.finish_reason) == ("Hi", "stop")


def test_what_follows_done_is_not_read() -> None:
    events = [*as_events([chunk({"content": "Hi"}), chunk(finish="stop")]), Event(data=b"nonsense")]
    assert gather(read_events(events)).content == "Hi"


def test_a_second_finish_of_a_choice_says_nothing_new() -> None:
    chunks = read_stream(chunk({"content": "Hi"}), chunk(finish="stop"), chunk(finish="length"))
    assert [item.finish_reason for item in chunks if item.finish_reason] == ["stop"]


@pytest.mark.parametrize("noise", [b": keep-alive\n\n", b": OPENROUTER PROCESSING\n\n", b"\n\n", b"event: ping\n\n",
                                   b"data:\n\n", b"data: \n\n", b"retry: 3\n\n", b"id: 4\n\n"])  # fmt: skip
def test_keep_alives_between_events_are_passed_over(noise: bytes) -> None:
    body = as_sse([chunk({"content": "Hi"}), chunk(finish="stop")])
    first, rest = body.split(b"\n\n", 1)
    assert gather(read_bytes([noise, first, b"\n\n", noise, rest])).content == "Hi"


# ── errors inside a 200 stream ──


@codecs
@pytest.mark.parametrize(
    ("event", "kind", "status"),
    [
        ({"error": {"message": "boom", "type": "server_error", "code": None}}, ProviderError, 500),
        ({"error": {"message": "boom", "type": "overloaded_error"}}, OverloadedError, 503),
        ({"error": {"message": "boom", "code": 502}, "choices": [{"delta": {}, "finish_reason": "error"}]},
         OverloadedError, 502),
        ({"error": {"message": "boom", "type": "x", "param": None, "code": "wrong"}, "status_code": 400},
         BadRequestError, 400),
        ({"error": {"message": "boom", "type": "invalid_request_error", "code": "tool_use_failed"}}, BadRequestError, 400),
        ({"error": {"message": "boom", "type": "rate_limit_error"}}, RateLimitError, 429),
        ({"error": "boom"}, ProviderError, 500),
        ({"object": "error", "message": "boom", "type": "BadRequestError", "param": None, "code": 400},
         BadRequestError, 400),
        ({"message": "boom", "type": "too_many_requests", "code": "429"}, RateLimitError, 429),
    ],
)  # fmt: skip
def test_an_error_event_raises_its_class(codec: OpenAIChat, event: Any, kind: type[ProviderError], status: int) -> None:
    with pytest.raises(kind) as caught:
        stream(chunk({"content": "Hi"}), event, codec=codec)
    assert type(caught.value) is kind
    assert (caught.value.provider_message, caught.value.status) == ("boom", status)
    assert json.loads(caught.value.body) == event


@pytest.mark.parametrize(
    "data", [b'{"error":{"message":"boom"}}', b'{"message":"boom","code":"x"}', b'{"detail":"boom"}']
)
def test_an_event_named_error_raises(data: bytes) -> None:
    with pytest.raises(ProviderError) as caught:
        list(read_events([Event(data=data, name="error")]))
    assert caught.value.provider_message == "boom"


@pytest.mark.parametrize(
    "data", [b"{", b'{"choices": 5}', b'"x"', b"<html>", b"\xff", b'{"choices":[{"delta":' + b"[" * 100_000]
)
def test_an_unreadable_event_raises_and_is_kept(data: bytes) -> None:
    state = OPENAI.open_stream(make_call(stream=True))
    with pytest.raises(ProviderError) as caught:
        state.parse_event(Event(data=data))
    assert (caught.value.code, caught.value.body) == ("unreadable_event", data[:65536])


def test_events_without_choices_that_are_no_errors_are_passed_over() -> None:
    for event in (
        {"id": "x", "prompt_filter_results": []},
        {"choices": None},
        {"choices": [], "message": "m", "code": 1},
    ):
        assert stream(event, chunk({"content": "Hi"}), chunk(finish="stop")).content == "Hi"


def test_choices_without_anything_are_passed_over() -> None:
    empty = {"choices": [{"index": 0, "delta": None, "finish_reason": None}]}
    assert stream(empty, chunk({"content": "Hi"}), chunk(finish="stop")).content == "Hi"


def test_ids_of_a_call_without_an_id_are_the_same_whole_and_streamed() -> None:
    call = make_call(stream=True, of=model("deepseek"))
    response = stream(chunk(call_piece(0, None, "f", "{}"), index=0), chunk(finish="stop"), call=call)
    assert response.tool_calls[0].id == "call_c1_0_0"
