"""OpenRouter: thoughts with their details, stated costs, routing, and errors of the hosts behind it."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

import betterai
from betterai import CoreConfig
from betterai.core.exceptions import (
    BadRequestError,
    ContentFilterError,
    ModelNotFoundError,
    OverloadedError,
    ProviderError,
    QuotaExceededError,
    RateLimitError,
)
from betterai.core.media import Media
from betterai.core.message import CacheMark, Citation, MediaPart, Message, Reasoning, Text, ToolResult
from betterai.core.settings import ReasoningControl
from betterai.core.tools import ServerTool
from betterai.core.usage import Usage
from betterai.core.wire import WireRequest, WireResponse
from betterai.providers.openrouter import PROVIDER
from betterai.providers.openrouter.chat import OpenRouterChat
from betterai.runtime.replay.round_trip import make_round_trip
from runtime.upstream import Upstream, answer
from wire.chats import (
    SURFACE,
    as_sse,
    body_of,
    build,
    chunk,
    dropped,
    gather,
    make_call,
    messages_of,
    model,
    parse,
    read_bytes,
    read_stream,
    stream,
    translated,
    unmarked,
    usage_event,
    whole,
)

OPENROUTER = OpenRouterChat()
ANY = model("openrouter", "anthropic/claude-sonnet-5")
CALL = make_call(of=ANY)


def test_the_declaration() -> None:
    assert PROVIDER.defaults["text"] in PROVIDER.models()


@pytest.mark.parametrize("told", [False, True])
async def test_the_app_is_named_where_the_user_says_so(told: bool) -> None:
    settings = {"app_url": "https://app.example", "app_title": "App"} if told else {}
    with Upstream(answer()) as upstream:
        config = CoreConfig(api_key="k", base_url=upstream.url, settings=settings)
        await betterai.Client().generate("openrouter/openai/gpt-oss-120b", "Hello", config=config)
        headers = upstream.requests[0].headers
    assert (headers.get("HTTP-Referer"), headers.get("X-Title")) == (
        ("https://app.example", "App") if told else (None, None)
    )


# ── how much to think ──


@pytest.mark.parametrize(
    ("value", "sent"),
    [
        ("high", {"reasoning_effort": "high"}),
        (True, {"reasoning": {"enabled": True}}),
        (False, {"reasoning": {"enabled": False}}),
        (2000, {"reasoning": {"max_tokens": 2000}}),
        (ReasoningControl(effort="high"), {"reasoning": {"effort": "high"}}),
        (ReasoningControl(effort="low", include=False, summary="auto"),
         {"reasoning": {"effort": "low", "exclude": True, "summary": "auto"}}),
        (None, {"reasoning_effort": None}),
    ],
)  # fmt: skip
def test_reasoning(value: Any, sent: dict[str, Any]) -> None:
    request = build(make_call(of=ANY, reasoning=value), OPENROUTER)
    assert {name: item for name, item in request.body.items() if name.startswith("reasoning")} == sent  # type: ignore[union-attr]
    assert request.warnings == ()


def test_the_form_of_thoughts_cannot_be_chosen() -> None:
    assert dropped(build(make_call(of=ANY, reasoning=ReasoningControl(format="raw")), OPENROUTER)) == [
        "reasoning.format"
    ]


@pytest.mark.parametrize(
    "fields",
    [
        {"reasoning": {"effort": "high", "exclude": False, "max_tokens": 5, "enabled": True}},
        {"reasoning": {"effort": "high"}, "include_reasoning": True},
        {"reasoning_effort": "low"},
        {"provider": {"order": ["OpenAI"], "allow_fallbacks": False}, "models": ["a/b"], "plugins": [{"id": "web"}],
         "transforms": [], "session_id": "s", "usage": {"include": True}, "top_k": 5, "min_p": 0.1, "top_a": 0.5},
        {"tools": [{"type": "openrouter:web_search", "parameters": {"max_uses": 1}}]},
        {"max_tokens": 5, "modalities": ["image", "text"], "image_config": {"aspect_ratio": "1:1"}},
    ],
)  # fmt: skip
def test_its_requests_come_out_as_they_went_in(fields: dict[str, Any]) -> None:
    body = {"model": ANY.id, "messages": [{"role": "user", "content": "Hello"}], **fields}
    _, trip = make_round_trip(OPENROUTER, ANY.provider, WireRequest(url="", body=body))
    assert trip.sent == body
    assert trip.carried == ()


# ── thoughts ──

DETAILS = [
    {"type": "reasoning.text", "text": "hm, ", "signature": "s1", "format": "anthropic-claude-v1", "index": 0},
    {"type": "reasoning.encrypted", "data": "xyz", "id": "rs_1", "format": "openai-responses-v1", "index": 1},
]


def test_thoughts_go_back_as_they_came() -> None:
    response = parse(whole({"content": "A", "reasoning": "hm, ", "reasoning_details": DETAILS}), OPENROUTER, CALL)
    assert response.message is not None
    (sent,) = messages_of(response.message, codec=OPENROUTER, of=ANY)
    assert sent == {"role": "assistant", "content": "A", "reasoning": "hm, ", "reasoning_details": DETAILS}


def test_the_thoughts_of_a_stream_go_back_as_those_of_a_whole_reply() -> None:
    """Recorded: texts and summaries come in pieces, a signature alone, encrypted ones whole."""
    common = {"type": "reasoning.text", "format": "anthropic-claude-v1", "index": 0}
    pieces = [[{**common, "text": "hm"}], [{**common, "text": ", "}], [{**common, "signature": "s1"}], [DETAILS[1]]]
    texts = ["hm", ", ", "", ""]
    events = [chunk({"reasoning": text, "reasoning_details": piece}) for text, piece in zip(texts, pieces, strict=True)]
    streamed = gather(
        read_stream(
            *events, chunk({"content": "A"}), chunk(finish="stop"), codec=OPENROUTER, call=replace(CALL, stream=True)
        )
    )
    (sent,) = messages_of(streamed.message, codec=OPENROUTER, of=ANY)  # type: ignore[arg-type]
    assert sent == {"role": "assistant", "content": "A", "reasoning": "hm, ", "reasoning_details": DETAILS}


@pytest.mark.parametrize(
    ("elements", "kept"),
    [
        (
            [
                {"type": "reasoning.encrypted", "data": "a", "index": 0},
                {"type": "reasoning.encrypted", "data": "b", "index": 0},
            ],
            2,
        ),
        ([{"type": "reasoning.text", "text": "a"}, {"type": "reasoning.text", "text": "b"}], 2),
        ([{"type": "reasoning.text", "text": "a", "index": 0}, {"type": "reasoning.text", "text": "b", "index": 1}], 2),
        (
            [
                {"type": "reasoning.summary", "summary": "a", "index": 0},
                {"type": "reasoning.text", "text": "b", "index": 0},
            ],
            2,
        ),
        (
            [
                {"type": "reasoning.text", "text": "a", "id": "1", "index": 0},
                {"type": "reasoning.text", "text": "b", "id": "2", "index": 0},
            ],
            2,
        ),
        (
            [
                {"type": "reasoning.text", "text": "a", "id": None, "index": 0},
                {"type": "reasoning.text", "text": "b", "id": "2", "index": 0},
            ],
            1,
        ),
    ],
)
def test_only_pieces_of_one_thought_are_put_together(elements: list[dict[str, Any]], kept: int) -> None:
    events = [chunk({"reasoning_details": [element]}) for element in elements]
    (part,) = stream(*events, chunk(finish="stop"), codec=OPENROUTER, call=replace(CALL, stream=True)).message.parts  # type: ignore[union-attr]
    assert len(part.opaque.value["reasoning_details"]) == kept  # type: ignore[union-attr]


def test_details_are_for_openrouter_only() -> None:
    response = parse(whole({"content": "A", "reasoning": "hm", "reasoning_details": DETAILS}), OPENROUTER, CALL)
    request = build(make_call([response.message], of=model("elsewhere")), OPENROUTER)  # type: ignore[list-item]
    assert "reasoning_details" not in request.body["messages"][0]  # type: ignore[index, call-overload]
    assert "messages.opaque" in dropped(request)


def test_thoughts_of_others_go_as_text() -> None:
    turn = Message(role="assistant", parts=(Reasoning(text="hm"), Text(text="A")))
    assert messages_of(turn, codec=OPENROUTER, of=ANY) == [{"role": "assistant", "content": "A", "reasoning": "hm"}]


# ── media, tools, marks ──


def test_media_of_all_kinds() -> None:
    message = Message.user(
        "See",
        Media(kind="video", url="https://e.com/a.mp4"),
        Media(kind="video", mime_type="video/mp4", data=b"v"),
        Media(kind="document", url="https://e.com/a.pdf", filename="a.pdf"),
        Media(kind="document", mime_type="application/pdf", data=b"p", filename="b.pdf"),
        Media(kind="audio", mime_type="audio/wav", data=b"a"),
    )
    (sent,) = messages_of(message, codec=OPENROUTER, of=ANY)
    assert sent["content"][1:] == [
        {"type": "video_url", "video_url": {"url": "https://e.com/a.mp4"}},
        {"type": "video_url", "video_url": {"url": "data:video/mp4;base64,dg=="}},
        {"type": "file", "file": {"filename": "a.pdf", "file_data": "https://e.com/a.pdf"}},
        {"type": "file", "file": {"filename": "b.pdf", "file_data": "data:application/pdf;base64,cA=="}},
        {"type": "input_audio", "input_audio": {"data": "YQ==", "format": "wav"}},
    ]
    call = SURFACE.parse_request(WireRequest(url="", body={"model": "m", "messages": [sent]}))
    assert messages_of(*call.input, codec=OPENROUTER, of=ANY) == [sent]


def test_tool_results_may_hold_pictures() -> None:
    picture = MediaPart(media=Media(kind="image", mime_type="image/png", data=b"i"))
    result = ToolResult(id="a", parts=(Text(text="See"), picture))
    (sent,) = messages_of(Message(role="tool", parts=(result,)), codec=OPENROUTER, of=ANY)
    assert [part["type"] for part in sent["content"]] == ["text", "image_url"]


@pytest.mark.parametrize("mark", [{"type": "ephemeral"}, {"type": "ephemeral", "ttl": "1h"}])
def test_cache_marks_in_anthropics_words(mark: dict[str, str]) -> None:
    text = Text(text="Long", cache=CacheMark(ttl=mark.get("ttl", "")))
    (sent,) = messages_of(Message(role="user", parts=(text,)), codec=OPENROUTER, of=ANY)
    assert sent["content"] == [{"type": "text", "text": "Long", "cache_control": mark}]
    call = SURFACE.parse_request(WireRequest(url="", body={"model": "m", "messages": [sent]}))
    assert messages_of(*call.input, codec=OPENROUTER, of=ANY) == [sent]
    plain = build(make_call(call.input))
    assert "cache_control" not in json.dumps(plain.body)
    assert translated(plain) == ["messages.cache"]


def test_its_own_tools_and_options() -> None:
    options = {"openrouter": {"provider": {"sort": "price"}, "unheard_of": 1}}
    tool = ServerTool(type="openrouter:web_search", config={"parameters": {"max_uses": 1}})
    request = build(make_call(of=ANY, options=options, tools=[tool]), OPENROUTER)
    assert request.body["provider"] == {"sort": "price"}  # type: ignore[index, call-overload]
    assert request.body["tools"] == [{"type": "openrouter:web_search", "parameters": {"max_uses": 1}}]  # type: ignore[index, call-overload]
    assert dropped(request) == ["options.openrouter.unheard_of"]


def test_what_it_does_not_take() -> None:
    assert body_of(OPENROUTER, store=True) == {}


# ── replies ──


@pytest.mark.parametrize(
    ("fields", "cost"),
    [
        ({"cost": 0.00014, "is_byok": False, "cost_details": {"upstream_inference_cost": 0.00014}}, "0.00014"),
        ({"cost": 1.5e-05, "is_byok": True, "cost_details": {"upstream_inference_cost": 0.002}}, "0.002015"),
        ({"cost": 0.001, "is_byok": True, "cost_details": {"upstream_inference_cost": None}}, "0.001"),
        ({"cost": 0}, "0"),
        ({}, None),
    ],
)
def test_the_stated_cost(fields: dict[str, Any], cost: str | None) -> None:
    usage = {"prompt_tokens": 9, "completion_tokens": 5, "total_tokens": 14, **fields}
    expected = Usage(text_in=9, text_out=5, stated_cost=None if cost is None else Decimal(cost))
    assert parse(whole(usage=usage), OPENROUTER).usage == expected
    assert stream(chunk({"content": "A"}, "stop"), usage_event(**usage), codec=OPENROUTER).usage == expected


def test_searches_are_units() -> None:
    usage = {"prompt_tokens": 9, "completion_tokens": 5, "server_tool_use_details": {"web_search_requests": 2}}
    assert parse(whole(usage=usage), OPENROUTER).usage == Usage(text_in=9, text_out=5, units={"search": 2.0})


def test_pictures_and_sources() -> None:
    cited = {
        "type": "url_citation",
        "url_citation": {"url": "https://e.com", "title": "E", "start_index": 0, "end_index": 3},
    }
    images = [{"type": "image_url", "image_url": {"url": "data:image/png;base64,aQ=="}}]
    parsed = {"type": "file", "file": {"hash": "h", "content": []}}
    response = parse(whole({"content": "See", "images": images, "annotations": [cited, parsed]}), OPENROUTER, CALL)
    assert response.message is not None
    text, picture = response.message.parts
    assert isinstance(text, Text)
    assert [unmarked(item) for item in text.citations] == [
        Citation(url="https://e.com", title="E", start=0, end=3), Citation(),
    ]  # fmt: skip
    [back] = messages_of(response.message, codec=OPENROUTER, of=ANY)
    assert back["annotations"] == [cited, parsed]
    assert isinstance(picture, MediaPart)
    assert picture.media.to_bytes() == b"i"


def test_comments_keep_the_connection_alive() -> None:
    events = [chunk({"content": "A"}), chunk(finish="stop")]
    body = b": OPENROUTER PROCESSING\n\n" * 3 + as_sse(events).replace(b"\n\n", b"\n\n: OPENROUTER PROCESSING\n\n")
    for pieces in ([body], [body[i : i + 1] for i in range(len(body))]):
        assert gather(read_bytes(pieces, OPENROUTER)).content == "A"


def test_a_finish_that_comes_twice_is_one() -> None:
    """Recorded: the event with the usage says it again."""
    again = {**chunk(finish="tool_calls"), "usage": {"prompt_tokens": 1, "completion_tokens": 1, "cost": 0.5}}
    chunks = read_stream(chunk({"content": "A"}, "tool_calls"), again, codec=OPENROUTER)
    assert [item.finish_reason for item in chunks if item.finish_reason] == ["tool_calls"]
    assert [item.usage.stated_cost for item in chunks if item.usage] == [Decimal("0.5")]


def test_a_stream_that_does_not_say_how_it_ended_has_not_stopped() -> None:
    response = stream(chunk({"content": "A"}), usage_event(prompt_tokens=1, completion_tokens=1), codec=OPENROUTER)
    assert (response.content, response.finish_reason, response.raw_finish_reason) == ("A", "other", "")


def test_a_makers_own_word_may_come_through() -> None:
    assert parse(whole(finish="end_turn"), OPENROUTER).finish_reason == "stop"


@pytest.mark.parametrize(
    ("error", "kind", "status"),
    [
        ({"code": 502, "message": "Upstream error", "metadata": {"provider_name": "V"}}, OverloadedError, 502),
        ({"code": 429, "message": "slow down"}, RateLimitError, 429),
        ({"code": 400, "message": "Token limit reached"}, BadRequestError, 400),
        ({"code": "server_error", "message": "boom"}, ProviderError, 500),
    ],
)
def test_an_error_in_the_middle_of_a_stream(error: Any, kind: type[ProviderError], status: int) -> None:
    """https://openrouter.ai/docs/api-reference/streaming#handling-errors-during-streaming; recorded without choices too."""
    last = {**chunk({"content": ""}, "error"), "error": error}
    for event in (last, {"error": error, "user_id": "u"}):
        with pytest.raises(kind) as caught:
            stream(chunk({"content": "A"}), event, codec=OPENROUTER)
        assert (caught.value.status, caught.value.provider_message) == (status, error["message"])


@pytest.mark.parametrize(
    ("status", "error", "kind"),
    [
        (402, {"code": 402, "message": "Insufficient credits"}, QuotaExceededError),
        (403, {"code": 403, "message": "Your input requires moderation", "metadata": {"reasons": ["violence"]}}, ContentFilterError),
        (404, {"code": 404, "message": "No endpoints found for a/b."}, ModelNotFoundError),
        (404, {"code": 404, "message": "No endpoints found that support the provided 'tool_choice' value."}, BadRequestError),
        (400, {"code": 400, "message": "a/b is not a valid model ID"}, ModelNotFoundError),
        (429, {"code": 429, "message": "Provider returned error", "metadata": {"raw": "a/b is rate-limited upstream"}}, RateLimitError),
        (529, {"code": 529, "message": "overloaded"}, OverloadedError),
    ],
)  # fmt: skip
def test_errors(status: int, error: dict[str, Any], kind: type[ProviderError]) -> None:
    found = OPENROUTER.parse_error(
        WireResponse(status=status, body=json.dumps({"error": error, "user_id": "u"}).encode())
    )
    assert type(found) is kind
    assert error.get("metadata", {}).get("raw", "") in found.provider_message


def test_an_error_with_status_200_is_one() -> None:
    with pytest.raises(OverloadedError):
        parse({"error": {"code": 502, "message": "down"}}, OPENROUTER)


def test_tools_that_it_runs_go_by_their_names_here() -> None:
    tools = [
        ServerTool(type="web_search", config={"parameters": {"max_results": 2}}),
        ServerTool(type="openrouter:datetime"),
    ]
    request = build(make_call(of=ANY, tools=tools), OPENROUTER)
    assert request.body["tools"] == [  # type: ignore[index, call-overload]
        {"type": "openrouter:web_search", "parameters": {"max_results": 2}}, {"type": "openrouter:datetime"},
    ]  # fmt: skip
    assert translated(request) == ["tools.type"]
