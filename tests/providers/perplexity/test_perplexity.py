"""Perplexity: its deviations from Chat Completions."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from betterai.core.exceptions import UnsupportedParam
from betterai.core.media import Media
from betterai.core.message import Citation, MediaPart, Message, Reasoning, Text
from betterai.core.tools import JsonObject
from betterai.core.usage import Usage
from betterai.core.wire import WireRequest
from betterai.providers.perplexity import PROVIDER
from betterai.providers.perplexity.chat import PerplexityChat
from wire.chats import (
    SURFACE,
    as_sse,
    bare,
    body_of,
    build,
    chunk,
    citations_of,
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
    whole,
)

PERPLEXITY = PerplexityChat()
ANY = model("perplexity")
FOUND = [{"url": "https://a", "title": "A", "snippet": "a …", "date": None, "source": "web"}, {"url": "https://b"}]
URLS = ["https://a", "https://b"]
CITED = (Citation(url="https://a", title="A", text="a …"), Citation(url="https://b"))


def counts(completion: int, **extra: Any) -> dict[str, Any]:
    return {"prompt_tokens": 9, "completion_tokens": completion, "total_tokens": 9 + completion, **extra}


def test_the_declaration() -> None:
    key = PROVIDER.setting("api_key")
    assert key is not None
    assert key.env == ("PERPLEXITY_API_KEY", "PPLX_API_KEY")
    assert PROVIDER.defaults["text"] in PROVIDER.models()


def test_its_own_options_and_the_search() -> None:
    options = {"perplexity": {"search_mode": "academic", "search_domain_filter": ["-x.com"], "unheard_of": 1}}
    request = build(make_call(of=ANY, options=options, web_search=True, max_tokens=5), PERPLEXITY)
    assert request.body == {
        "model": ANY.id, "messages": [{"role": "user", "content": "Hello"}], "search_mode": "academic",
        "search_domain_filter": ["-x.com"], "web_search_options": {}, "max_tokens": 5,
    }  # fmt: skip
    assert dropped(request) == ["options.perplexity.unheard_of"]


@pytest.mark.parametrize(("effort", "sent"), [("minimal", "minimal"), ("none", "minimal"), ("max", "high")])
def test_efforts(effort: str, sent: str) -> None:
    assert body_of(PERPLEXITY, reasoning=effort) == {"reasoning_effort": sent}


def test_what_it_does_not_take() -> None:
    assert dropped(build(make_call(of=ANY, seed=1, logit_bias={"1": 1}), PERPLEXITY)) == ["seed", "logit_bias"]
    with pytest.raises(UnsupportedParam, match="response_format"):
        build(make_call(of=ANY, response_format=JsonObject()), PERPLEXITY)
    request = build(make_call([Message(role="developer", parts=(Text(text="D"),))], of=ANY), PERPLEXITY)
    assert translated(request) == ["messages"]


TAGGED = "<think>\nhm </th\n</think>\n\nA [1]"


def test_thoughts_in_tags_are_thoughts_wherever_they_are_cut() -> None:
    response = parse(whole({"content": TAGGED}), PERPLEXITY)
    assert response.message is not None
    assert response.message.parts == (Reasoning(text="\nhm </th\n"), Text(text="A [1]"))
    for size in range(1, 9):
        pieces = [chunk({"content": TAGGED[at : at + size]}) for at in range(0, len(TAGGED), size)]
        assert bare(stream(*pieces, chunk(finish="stop"), codec=PERPLEXITY)) == bare(response)


def test_thoughts_are_shown_as_thoughts() -> None:
    pieces = [chunk({"content": text}) for text in ("<thi", "nk>h", "m</think", ">\n", "A")]
    chunks = read_stream(*pieces, chunk(finish="stop"), codec=PERPLEXITY)
    assert ["".join(item.reasoning for item in chunks), "".join(item.content for item in chunks)] == ["hm", "A"]


def test_thoughts_that_never_end_are_no_answer() -> None:
    response = parse(whole({"content": "<think>hm </t"}, "length"), PERPLEXITY)
    assert (response.content, response.reasoning) == ("", "hm </t")
    cut = stream(chunk({"content": "<think>hm"}), chunk({"content": " </t"}, finish="length"), codec=PERPLEXITY)
    assert bare(cut) == bare(response)


@pytest.mark.parametrize(
    ("fields", "cited"),
    [
        ({"citations": URLS, "search_results": FOUND}, CITED),
        ({"citations": URLS}, tuple(Citation(url=url) for url in URLS)),
        ({"citations": None, "search_results": []}, ()),
    ],
)
def test_sources_are_citations(fields: dict[str, Any], cited: tuple[Citation, ...]) -> None:
    response = parse(whole({"content": "A [1]"}, **fields), PERPLEXITY)
    assert (response.content, citations_of(response)) == ("A [1]", cited)


def test_sources_that_each_event_repeats_are_told_once() -> None:
    events = [{**chunk({"content": text}, finish), "search_results": FOUND[:known], "citations": URLS[:known]}
              for text, finish, known in (("A", None, 0), (" [1]", None, 1), ("", None, 2), ("", "stop", 2))]  # fmt: skip
    chunks = read_stream(*events, codec=PERPLEXITY, done=False)
    assert [unmarked(item.citation) for item in chunks if item.citation] == list(CITED)
    response = gather(chunks)
    assert (response.content, citations_of(response)) == ("A [1]", CITED)
    assert response.message == parse(whole({"content": "A [1]"}, search_results=FOUND), PERPLEXITY).message


def test_a_stream_without_a_terminator_cut_anywhere() -> None:
    events = [
        {**chunk({"content": "A", "role": "assistant"}), "usage": counts(1, cost={"total_cost": 0}), "citations": URLS},
        {**chunk({"content": ""}, "stop"), "usage": counts(2, cost={"total_cost": 0.00501}), "citations": URLS},
    ]
    body = as_sse(events, done=False)
    responses = [gather(read_bytes((body[:at], body[at:]), PERPLEXITY)) for at in range(len(body))]
    assert all(response == responses[0] for response in responses)
    assert responses[0].usage == Usage(text_in=9, text_out=2, stated_cost=Decimal("0.00501"))


@pytest.mark.parametrize(
    ("extra", "usage"),
    [
        ({}, Usage(text_in=9, text_out=7)),
        ({"num_search_queries": 18, "citation_tokens": 20, "reasoning_tokens": 99},
         Usage(text_in=9, text_out=7, reasoning=99, units={"search": 18.0, "citation_token": 20.0})),
        ({"cost": {"input_tokens_cost": 1e-05, "request_cost": 0.005, "total_cost": 0.00537}},
         Usage(text_in=9, text_out=7, stated_cost=Decimal("0.00537"))),
    ],
)  # fmt: skip
def test_usage(extra: dict[str, Any], usage: Usage) -> None:
    assert parse(whole({"content": "A"}, usage=counts(7, **extra)), PERPLEXITY).usage == usage


@pytest.mark.parametrize(
    ("media", "part"),
    [
        (Media(kind="document", data=b"PK", mime_type="x/y", filename="a.docx"),
         {"type": "file_url", "file_url": {"url": "UEs="}, "file_name": "a.docx"}),
        (Media(kind="document", url="https://h/a.pdf"), {"type": "file_url", "file_url": {"url": "https://h/a.pdf"}}),
        (Media(kind="image", url="https://h/a.png"), {"type": "image_url", "image_url": {"url": "https://h/a.png"}}),
        (Media(kind="video", url="https://h/a.mp4"), {"type": "video_url", "video_url": {"url": "https://h/a.mp4"}}),
    ],
)  # fmt: skip
def test_media_out_and_in(media: Media, part: dict[str, Any]) -> None:
    message = Message(role="user", parts=(MediaPart(media=media),))
    sent = messages_of(message, codec=PERPLEXITY, of=ANY)
    assert sent == [{"role": "user", "content": [part]}]
    call = SURFACE.parse_request(WireRequest(url="", body={"model": "m", "messages": sent}))
    assert build(call, PERPLEXITY).body["messages"] == sent  # type: ignore[index, call-overload]


def test_thoughts_do_not_go_back() -> None:
    turn = Message(role="assistant", parts=(Reasoning(text="hm"), Text(text="A")))
    request = build(make_call([turn, Message.user("B")], of=ANY), PERPLEXITY)
    assert request.body["messages"][0] == {"role": "assistant", "content": "A"}  # type: ignore[index, call-overload]
    assert dropped(request) == ["messages.reasoning"]
