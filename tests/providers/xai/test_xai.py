"""xAI: its deviations from Chat Completions."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from betterai.core.exceptions import (
    AuthenticationError,
    BadRequestError,
    ModelNotFoundError,
    ProviderError,
    StreamInterrupted,
    UnsupportedParam,
)
from betterai.core.message import Citation, Message, Reasoning, Text
from betterai.core.settings import ReasoningControl
from betterai.core.tools import Tool, ToolChoice
from betterai.core.usage import Usage
from betterai.core.wire import WireRequest, WireResponse
from betterai.providers.xai import PROVIDER
from betterai.providers.xai.chat import XAIChat
from together import each
from wire.chats import (
    SURFACE,
    bare,
    body_of,
    build,
    call_piece,
    chunk,
    dropped,
    listed,
    make_call,
    model,
    parse,
    stream,
    translated,
    usage_event,
    whole,
)

XAI = XAIChat()
ANY = model("xai")


def test_the_declaration() -> None:
    assert PROVIDER.defaults["text"] in PROVIDER.models()


@each(
    ("id", "effort", "sent", "said"),
    [
        ("grok-4.7", "xhigh", {"reasoning_effort": "xhigh"}, []),
        ("grok-4.6", "xhigh", {"reasoning_effort": "high"}, ["reasoning"]),
        ("grok-4.5-latest", "none", {"reasoning_effort": "low"}, ["reasoning"]),
        ("grok-4.3", "none", {"reasoning_effort": "none"}, []),
        ("grok-4.3", False, {"reasoning_effort": "none"}, []),
        ("grok-3-mini", "medium", {"reasoning_effort": "low"}, ["reasoning"]),
        ("grok-4.20-reasoning", "high", {}, ["reasoning"]),
        ("grok-4.20-0309-non-reasoning", "high", {}, ["reasoning"]),
        ("grok-code-fast-1", "low", {}, ["reasoning"]),
        ("grok-9", "max", {"reasoning_effort": "max"}, []),
    ],
)
def test_efforts_by_family(id: str, effort: Any, sent: dict[str, Any], said: list[str]) -> None:
    request = build(make_call(of=listed("xai", id), reasoning=effort), XAI)
    assert {name: value for name, value in request.body.items() if name not in ("model", "messages")} == sent  # type: ignore[union-attr]
    assert [warning.field for warning in request.warnings] == said


def test_reasoning_models_take_no_penalties_and_no_stop() -> None:
    penalties = {"presence_penalty": 0.5, "frequency_penalty": 0.5}
    request = build(make_call(of=listed("xai", "grok-4.6"), temperature=0.5, **penalties), XAI)
    assert dropped(request) == list(penalties)
    assert request.body["temperature"] == 0.5  # type: ignore[index, call-overload]
    with pytest.raises(UnsupportedParam, match="stop"):
        build(make_call(of=listed("xai", "grok-4.6"), stop="x"), XAI)
    calm = listed("xai", "grok-4.20-non-reasoning")
    assert build(make_call(of=calm, stop="x", **penalties), XAI).warnings == ()


def test_what_it_does_not_take() -> None:
    assert dropped(build(make_call(of=ANY, logprobs=True, metadata={"a": "b"}), XAI)) == ["logprobs", "metadata"]
    with pytest.raises(UnsupportedParam, match="web_search"):
        build(make_call(of=ANY, web_search=True), XAI)


def test_strict_tools_and_both_names_of_the_limit_go_through() -> None:
    """Recorded: 200 for each of them."""
    body = body_of(XAI, max_tokens=9, spelling=frozenset({"max_tokens"}), tools=[Tool(name="f", strict=True)])
    assert body["max_tokens"] == 9
    assert body["tools"][0]["function"]["strict"] is True


def test_a_choice_in_another_protocols_form_is_read_and_said() -> None:
    body = {"model": "m", "messages": [], "tools": [], "tool_choice": {"type": "tool", "name": "add"}}
    call = SURFACE.parse_request(WireRequest(url="", body=body))
    assert call.settings.tool_choice == ToolChoice(mode="required", names=("add",))
    assert translated(build(call, XAI)) == ["tool_choice"]


def test_thoughts_do_not_go_back() -> None:
    turn = Message(role="assistant", parts=(Reasoning(text="hm"), Text(text="A")))
    assert dropped(build(make_call([turn], of=ANY), XAI)) == ["messages.reasoning"]


def test_pieces_of_thoughts_that_are_alike_are_kept() -> None:
    """Recorded: "J", ".R", ".R", ". Tolkien". No recording of a real stream repeats a piece in vain."""
    pieces = [chunk({"reasoning_content": text}) for text in ("J", ".R", ".R", ". Tolkien")]
    assert stream(*pieces, chunk({"content": "A"}, finish="stop"), codec=XAI).reasoning == "J.R.R. Tolkien"


def test_sources_stand_beside_the_choices() -> None:
    cited = (Citation(url="https://a"), Citation(url="https://b"))
    response = parse(whole({"content": "A"}, citations=["https://a", "https://b"]), XAI)
    assert response.message == Message(role="assistant", parts=(Text(text="A", citations=cited),))
    cited_last = {"citations": ["https://a", "https://b"]}
    with_the_finish = [chunk({"content": "A"}), {**chunk(finish="stop"), **cited_last}]
    after_it = [chunk({"content": "A"}), chunk(finish="stop"), {"choices": [], **cited_last}]
    for events in (with_the_finish, after_it):
        assert bare(stream(*events, codec=XAI)) == bare(response)


def test_a_stream_that_breaks_before_its_finish_is_interrupted() -> None:
    with pytest.raises(StreamInterrupted) as caught:
        stream(chunk({"content": "A"}), codec=XAI, done=False)
    assert caught.value.partial is not None
    assert caught.value.partial.content == "A"
    assert stream(chunk({"content": "A"}), chunk(finish="stop"), codec=XAI, done=False).finish_reason == "stop"


def test_a_finish_without_a_word_beside_tool_calls() -> None:
    events = [chunk(call_piece(0, "c1", "f", '{"a":1}')), chunk(finish="")]
    response = stream(*events, codec=XAI)
    assert (response.finish_reason, response.raw_finish_reason) == ("tool_calls", "")
    assert parse(whole(call_piece(0, "c1", "f", "{}"), ""), XAI).finish_reason == "tool_calls"


def details(cached: int, reasoning: int) -> dict[str, Any]:
    return {"prompt_tokens_details": {"cached_tokens": cached, "text_tokens": 9},
            "completion_tokens_details": {"reasoning_tokens": reasoning}}  # fmt: skip


@pytest.mark.parametrize(
    ("counts", "usage"),
    [
        ({"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 18, **details(4, 7)},
         Usage(text_in=5, cached={"text": 4}, text_out=2, reasoning=7)),
        ({"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11, **details(0, 0)},
         Usage(text_in=9, cached={"text": 0}, text_out=2, reasoning=0)),
        ({"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 58, **details(40, 7)},
         Usage(text_in=9, cached={"text": 40}, text_out=2, reasoning=7)),
        ({"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 18, **details(40, 7)},
         Usage(text_in=9, cached={"text": 40}, text_out=2, reasoning=7)),
        ({"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11, "cost_in_usd_ticks": 2733250,
          "num_sources_used": 3}, Usage(text_in=9, text_out=2, stated_cost=Decimal("0.000273325"), units={"source": 3.0})),
    ],
)  # fmt: skip
def test_usage(counts: dict[str, Any], usage: Usage) -> None:
    assert parse(whole(usage=counts), XAI).usage == usage
    assert stream(chunk({"content": "A"}, finish="stop"), usage_event(**counts), codec=XAI).usage == usage


@pytest.mark.parametrize(
    ("status", "body", "kind", "message"),
    [
        (404, b'{"code":"Some requested entity was not found","error":"The model grok-beta was deprecated on 2025-09-15"}',
         ModelNotFoundError, "The model grok-beta was deprecated on 2025-09-15"),
        (400, b'{"code":"invalid-argument","error":"Model not found: x"}', ModelNotFoundError, "Model not found: x"),
        (400, b'{"code":"Client specified an invalid argument","error":"Incorrect API key provided: xa***ab."}',
         AuthenticationError, "Incorrect API key provided: xa***ab."),
        (400, b'{"error":"boom"}', BadRequestError, "boom"),
        (400, b'{"error":{"message":"boom","type":"x"}}', BadRequestError, "boom"),
    ],
)  # fmt: skip
def test_errors_in_three_forms(status: int, body: bytes, kind: type[ProviderError], message: str) -> None:
    error = XAI.parse_error(WireResponse(status=status, body=body))
    assert (type(error), error.provider_message) == (kind, message)


def test_an_error_inside_a_stream() -> None:
    with pytest.raises(ProviderError) as caught:
        stream(chunk({"content": "A"}), {"code": "internal", "error": "boom"}, codec=XAI)
    assert caught.value.provider_message == "boom"


def test_its_own_options() -> None:
    options = {"xai": {"parallel_function_calling": False}}
    assert body_of(XAI, options=options, reasoning=ReasoningControl()) == {}
    assert build(make_call(of=ANY, options=options), XAI).body["parallel_function_calling"] is False  # type: ignore[index, call-overload]
