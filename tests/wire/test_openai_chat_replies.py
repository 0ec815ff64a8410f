"""Chat Completions, the client half: whole replies that come in."""

from __future__ import annotations

from typing import Any

import pytest

from betterai.core.exceptions import ProviderError, RateLimitError
from betterai.core.media import Media
from betterai.core.message import (
    Citation,
    Message,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
)
from betterai.core.settings import (
    AudioOutput,
)
from together import each
from wire.chats import (
    CODECS,
    OPENAI,
    bare,
    chunk,
    citations_of,
    make_call,
    parse,
    stream,
    whole,
)

# ── whole replies ──


def test_a_whole_reply() -> None:
    response = parse(whole(usage={"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}))
    assert (response.content, response.model, response.id) == ("Hi", "m-1", "chatcmpl-1")
    assert (response.finish_reason, response.raw_finish_reason, response.tokens_used) == ("stop", "stop", 5)
    assert response.message == Message(role="assistant", parts=(Text(text="Hi"),))
    assert response.raw["choices"][0]["message"]["content"] == "Hi"


def test_t7_unknown_fields_of_a_reply_stay_in_raw() -> None:
    body = whole({"content": "Hi", "new": {"deep": [1]}}, newest=True)
    assert parse(body).raw == body


def test_tool_calls_of_a_reply() -> None:
    calls = [
        {"id": "a", "type": "function", "function": {"name": "f", "arguments": '{"é": "\\u00e9"}'}},
        {"id": "b", "type": "custom", "custom": {"name": "c", "input": "go"}},
        {"type": "function", "function": {"name": "g", "arguments": {"x": [1, "é"]}}},
        {"id": "d", "type": "function", "function": {"name": "h", "arguments": None}},
    ]
    response = parse(whole({"content": None, "tool_calls": calls}, "tool_calls"))
    assert response.tool_calls == (
        ToolCall(id="a", name="f", arguments='{"é": "\\u00e9"}', index=0),
        ToolCall(id="b", name="c", arguments="go", index=1, kind="custom"),
        ToolCall(id="call_c1_0_2", name="g", arguments='{"x":[1,"é"]}', index=2),
        ToolCall(id="d", name="h", arguments="", index=3),
    )
    assert response.content == ""
    assert [call.parse_arguments() for call in response.tool_calls if call.kind == "function"] == [
        {"é": "é"}, {"x": [1, "é"]}, {},
    ]  # fmt: skip


@pytest.mark.parametrize(
    "text", ['{"a":1,"a":2}', '{"a":NaN}', "[Infinity]", "-Infinity", '{"a":', '{"b":{"a":1,"a":1}}']
)
def test_x10_arguments_that_are_no_strict_json_are_refused(text: str) -> None:
    call = parse(whole({"tool_calls": [{"id": "a", "function": {"name": "f", "arguments": text}}]})).tool_calls[0]
    assert call.arguments == text
    with pytest.raises(ValueError):
        call.parse_arguments()


def test_a_legacy_function_call_is_a_tool_call() -> None:
    response = parse(whole({"content": None, "function_call": {"name": "f", "arguments": "{}"}}, "function_call"))
    assert response.tool_calls == (ToolCall(id="call_c1_0_0", name="f", arguments="{}"),)
    assert (response.finish_reason, response.raw_finish_reason) == ("tool_calls", "function_call")


@pytest.mark.parametrize(
    "message",
    [
        {"content": "A", "reasoning_content": "hm"},
        {"content": "A", "reasoning": "hm"},
        {"content": "A", "reasoning": "hm", "reasoning_content": "hm"},
        {"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "h"}, {"type": "text", "text": "m"}]},
                     {"type": "text", "text": "A"}]},
        {"content": [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "A"}]},
    ],
)  # fmt: skip
def test_reasoning_in_every_spelling(message: dict[str, Any]) -> None:
    response = parse(whole(message))
    assert (response.reasoning, response.content) == ("hm", "A")
    assert response.message.parts == (Reasoning(text="hm"), Text(text="A"))  # type: ignore[union-attr]
    assert bare(stream(chunk(message), chunk(finish="stop"))) == bare(response)


@pytest.mark.parametrize("details", [None, [], "text", {}])
def test_reasoning_details_that_are_no_list_of_any_are_passed_over(details: Any) -> None:
    assert parse(whole({"content": "A", "reasoning_details": details})).message == Message.assistant("A")


def test_annotations() -> None:
    cited = {
        "type": "url_citation",
        "url_citation": {"url": "https://e.com", "title": "E", "start_index": 1, "end_index": 4},
    }
    other = {"type": "file_citation", "file_citation": {"file_id": "f"}}
    response = parse(whole({"content": "See E", "annotations": [cited, other]}))
    assert citations_of(response) == (Citation(url="https://e.com", title="E", start=1, end=4),)
    [text] = response.message.parts  # type: ignore[union-attr]
    assert text.citations[0].opaque.value == cited  # type: ignore[union-attr]


def test_refusals() -> None:
    response = parse(whole({"content": None, "refusal": "I will not"}))
    assert (response.finish_reason, response.raw_finish_reason) == ("refusal", "stop")
    assert response.message.parts == (Refusal(text="I will not"),)  # type: ignore[union-attr]


def test_spoken_and_drawn_answers() -> None:
    message = {
        "content": None,
        "audio": {"id": "audio_1", "data": "QUJD", "expires_at": 5, "transcript": "Hi"},
        "images": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,YWJj"}}],
    }
    response = parse(whole(message), call=make_call(audio=AudioOutput(voice="alloy", format="wav")))
    assert response.media == (
        Media(kind="image", mime_type="image/png", base64="YWJj"),
        Media(kind="audio", mime_type="audio/wav", base64="QUJD", file_id="audio_1", transcript="Hi"),
    )


def test_logprobs() -> None:
    content = [{"token": "Hi", "logprob": -0.1, "bytes": [72, 105], "top_logprobs": [{"token": "Ho", "logprob": -2}]}]
    body = whole()
    body["choices"][0]["logprobs"] = {"content": content, "refusal": None}
    (token,) = parse(body).logprobs or ()
    assert (token.token, token.logprob, token.bytes) == ("Hi", -0.1, (72, 105))
    assert (token.top_logprobs[0].token, token.top_logprobs[0].logprob, token.top_logprobs[0].bytes) == ("Ho", -2, None)


@pytest.mark.parametrize("logprobs", [None, -1.78e-06, [], {}, {"content": None}, {"content": []}, {"content": "text"},
                                      {"tokens": "a"}, {"tokens": [1], "token_logprobs": ["x"]}])  # fmt: skip
def test_logprobs_in_other_forms_do_not_spoil_the_answer(logprobs: Any) -> None:
    body = whole()
    body["choices"][0]["logprobs"] = logprobs
    assert (parse(body).content, parse(body).logprobs) == ("Hi", None)
    assert stream(chunk({"content": "Hi"}, logprobs=logprobs), chunk(finish="stop")).content == "Hi"


def test_logprobs_as_two_lists_are_read() -> None:
    body = whole()
    body["choices"][0]["logprobs"] = {"tokens": ["a", "b"], "token_logprobs": [-1, None], "top_logprobs": None}
    assert [(token.token, token.logprob) for token in parse(body).logprobs or ()] == [("a", -1.0), ("b", -9999.0)]


def test_sparse_logprobs_are_read() -> None:
    body = whole()
    body["choices"][0]["logprobs"] = {"content": [{"token": "a", "logprob": None, "bytes": None, "top_logprobs": None}]}
    (token,) = parse(body).logprobs or ()
    assert (token.logprob, token.bytes, token.top_logprobs) == (-9999.0, None, ())


def test_several_answers_in_their_order() -> None:
    body = whole()
    body["choices"] = [
        {"index": 1, "message": {"content": "B"}, "finish_reason": "length"},
        {"index": 0, "message": {"content": "A"}, "finish_reason": "stop"},
    ]
    response = parse(body)
    assert (response.content, response.finish_reason) == ("A", "stop")
    assert [(other.content, other.finish_reason) for other in response.alternatives] == [("B", "length")]


def test_text_completions_are_read_too() -> None:
    response = parse({"id": "cmpl-1", "choices": [{"text": "Hi", "index": 0, "finish_reason": "length"}]})
    assert (response.content, response.finish_reason, response.model) == ("Hi", "length", "any-model")


# ── T9: finish reasons ──

FINISH = [
    ("stop", False, False, "stop"),
    ("stop", True, False, "refusal"),
    ("stop", False, True, "stop"),
    ("length", False, False, "length"),
    ("length", True, False, "length"),
    ("tool_calls", False, True, "tool_calls"),
    ("function_call", False, True, "tool_calls"),
    ("content_filter", False, False, "content_filter"),
    ("content_filter", True, False, "content_filter"),
    ("error", False, False, "error"),
    ("", False, True, "tool_calls"),
    ("", False, False, "other"),
    ("eos_token", False, False, "stop"),
    ("max_tokens", False, False, "length"),
    ("tool_use", False, True, "tool_calls"),
    ("STOP", False, False, "other"),
]


@each("codec", CODECS.values(), ids=CODECS)
@each(("word", "refused", "called", "ours"), FINISH)
def test_t9_finish_reasons_whole_and_streamed(codec: Any, word: str, refused: bool, called: bool, ours: str) -> None:
    message: dict[str, Any] = {"content": "x"}
    if refused:
        message["refusal"] = "No"
    if called:
        message["tool_calls"] = [{"index": 0, "id": "a", "function": {"name": "f", "arguments": "{}"}}]
    response = parse(whole(message, word), codec)
    assert (response.finish_reason, response.raw_finish_reason) == (ours, word)
    streamed = stream(chunk(message), chunk(finish=word), codec=codec)
    assert (streamed.finish_reason, streamed.raw_finish_reason) == (ours, word)


def test_no_finish_reason_is_none() -> None:
    response = parse(whole(finish=None))
    assert (response.finish_reason, response.raw_finish_reason) == (None, "")


# ── replies that are none ──


@each("body", [b"", b"not json", b"[]", b'"text"', b"{", b"[" * 100_000, b'{"x":' * 100_000,
                                  b'{"choices": 5}', b"\xff\xfe", b'{"choices":[{"message":{"content":5}}]}'])  # fmt: skip
def test_bodies_that_are_no_reply(body: bytes) -> None:
    with pytest.raises(ProviderError) as caught:
        parse(body)
    assert caught.value.code in ("unreadable_reply", "no_choices")
    assert (caught.value.status, caught.value.body) == (200, body[:65536])
    if len(body) < 100_000:  # how deep is too deep is Python's to say: there it is cut, or too deep
        assert caught.value.retryable is (body in (b"", b"{")), "what was cut may be asked for again"


@pytest.mark.parametrize("body", [{}, {"choices": []}, {"choices": None, "usage": {"prompt_tokens": 1}}])
def test_replies_without_choices(body: Any) -> None:
    with pytest.raises(ProviderError) as caught:
        parse(body)
    assert caught.value.code == "no_choices"


@pytest.mark.parametrize(
    "body",
    [
        {"error": {"message": "slow down", "type": "rate_limit_error", "code": None}},
        {"error": {"message": "slow down", "code": 429}},
        {"error": {"message": "slow down", "code": "429"}},
        {"error": {"message": "slow down", "status_code": 429}},
        {"error": {"message": "slow down"}, "status_code": 429},
        {"object": "error", "message": "slow down", "type": "RateLimitError", "code": 429},
        {"error": {"message": "slow down", "code": "rate_limit_exceeded"}, "choices": [{"message": {"content": "x"}}]},
    ],
)
def test_an_error_inside_a_200_is_the_error_that_it_would_have_been(body: Any) -> None:
    for read in (lambda: parse(body), lambda: stream(chunk({"content": "a"}), body)):
        with pytest.raises(RateLimitError) as caught:
            read()
        assert (caught.value.provider_message, caught.value.status, caught.value.retryable) == ("slow down", 429, True)


@pytest.mark.parametrize("error", ["", {}, [], False, None])
def test_an_empty_error_is_none(error: Any) -> None:
    assert parse(whole(error=error)).content == "Hi"
    assert stream({**chunk({"content": "Hi"}), "error": error}, chunk(finish="stop")).content == "Hi"


def test_codecs_are_what_they_say() -> None:
    for codec in CODECS.values():
        assert codec.protocol == "openai_chat"
    assert OPENAI.accepts["audio"] == {"bytes"}
