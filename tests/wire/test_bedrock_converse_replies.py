"""Converse's replies as our responses, and back as history: what came goes back as it came (T2)."""

from __future__ import annotations

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from betterai.core.exceptions import ProviderError
from betterai.core.message import Message
from betterai.core.usage import Usage
from betterai.core.wire import WireResponse
from betterai.wire.bedrock_converse.replies import FINISH_REASONS
from together import each
from wire.converse import CODEC, HEADERS, body_of, build, call, read, reply

CITED = {
    "citationsContent": {
        "content": [{"text": "20 days"}],
        "citations": [
            {
                "title": "Policy",
                "source": "doc",
                "sourceContent": [{"text": "20 days "}, {"text": "leave"}],
                "location": {"documentChar": {"documentIndex": 0, "start": 3, "end": 9}},
            },
            {"location": {"web": {"url": "https://h/x", "domain": "h"}}},
        ],
    }
}
BLOCKS = {
    "text": {"text": "Hi"},
    "thoughts": {"reasoningContent": {"reasoningText": {"text": "Hm.", "signature": "c2ln+/=="}}},
    "thoughts without a signature": {"reasoningContent": {"reasoningText": {"text": "Hm."}}},
    "a signature alone": {"reasoningContent": {"reasoningText": {"text": "", "signature": "c2ln"}}},
    "redacted thoughts": {"reasoningContent": {"redactedContent": "cmVkYWN0ZWQ="}},
    "tool use": {"toolUse": {"toolUseId": "t1", "name": "f", "input": {"b": 1, "a": [1.0, None]}}},
    "tool use of the provider": {"toolUse": {"toolUseId": "t1", "name": "f", "input": {}, "type": "server_tool_use"}},
    "its result": {
        "toolResult": {"toolUseId": "t1", "content": [{"json": {"b": 1}}], "status": "success", "type": "x_result"}
    },
    "citations": CITED,
    "pieces of cited text": {"citationsContent": {"content": [{"text": "a"}, {"text": "b"}], "citations": []}},
    "picture": {"image": {"format": "png", "source": {"bytes": "eA=="}}},
    "sound": {"audio": {"format": "mpeg", "source": {"bytes": "eA=="}}},
    "something new": {"searchResult": {"source": "s", "title": "t", "content": [{"text": "x"}]}},
}


@each("block", BLOCKS.values(), ids=BLOCKS)
def test_t2_what_came_goes_back_as_it_came_after_being_stored(block):
    response = read(block, {"text": "Hi"})
    stored = msgspec.json.decode(msgspec.json.encode(response.message), type=Message)
    assert stored == response.message
    _, request = build(call(Message.user("x"), stored))
    assert json.loads(request.body)["messages"][1]["content"] == [block, {"text": "Hi"}]
    assert request.warnings == ()


@each("block", BLOCKS.values(), ids=BLOCKS)
def test_t2_elsewhere_it_is_sent_as_far_as_it_goes_and_never_an_error(block):
    response = read(block, {"text": "Hi"})
    from betterai.wire.openai_chat import OpenAIChat

    other = call(Message.user("x"), response.message)
    other = msgspec.structs.replace(other, model=msgspec.structs.replace(other.model, provider="openai"))
    if response.media and response.media[0].kind == "audio":
        return
    OpenAIChat().build_request(other)


def test_a_whole_reply():
    response = read(
        {"reasoningContent": {"reasoningText": {"text": "Hm.", "signature": "s"}}},
        {"text": "Hel"},
        {"toolUse": {"toolUseId": "t0", "name": "s", "input": {}, "type": "server_tool_use"}},
        {"toolUse": {"toolUseId": "t1", "name": "f", "input": {"a": 1}}},
        {"toolUse": {"toolUseId": "t2", "name": "g", "input": {}}},
        {"text": "lo"},
        stop="tool_use",
    )
    assert (response.content, response.reasoning, response.model) == ("Hello", "Hm.", "a.model-v1:0")
    assert (response.finish_reason, response.raw_finish_reason) == ("tool_calls", "tool_use")
    calls = [(item.id, item.name, item.arguments, item.index, item.server) for item in response.tool_calls]
    assert calls == [("t0", "s", "{}", 0, True), ("t1", "f", '{"a":1}', 0, False), ("t2", "g", "{}", 1, False)]
    assert response.usage == Usage(text_in=7, text_out=2)
    assert response.raw["metrics"] == {"latencyMs": 1}


def test_citations_say_their_source():
    (part,) = read(CITED).message.parts
    first, second = part.citations
    assert (first.title, first.url, first.text, first.start) == ("Policy", "doc", "20 days leave", None)
    assert second.url == "https://h/x"


def test_an_empty_text_is_no_part():
    assert read({"text": ""}, {"text": "x"}).message.parts == read({"text": "x"}).message.parts


def test_a_router_says_which_model_answered():
    trace = {"promptRouter": {"invokedModelId": "arn:aws:bedrock:us-east-1::foundation-model/x"}}
    assert read({"text": "x"}, trace=trace).model == "arn:aws:bedrock:us-east-1::foundation-model/x"


@each("word", [*FINISH_REASONS, "unheard_of"])
def test_each_word_for_the_end(word):
    response = read({"text": "x"}, stop=word)
    assert (response.finish_reason, response.raw_finish_reason) == (FINISH_REASONS.get(word, "other"), word)


TIER = {"serviceTier": {"type": "flex"}}


@pytest.mark.parametrize(
    ("usage", "more", "expected"),
    [
        ({"inputTokens": 7, "outputTokens": 2, "totalTokens": 9}, {}, Usage(text_in=7, text_out=2)),
        (
            {"inputTokens": 7, "outputTokens": 2, "totalTokens": 9, "cacheReadInputTokens": 0, "cacheWriteInputTokens": 0},
            {"serviceTier": {"type": "default"}},
            Usage(text_in=7, text_out=2, cached={"text": 0}, cache_write={"": 0}),
        ),
        (
            {
                "inputTokens": 7, "outputTokens": 2, "totalTokens": 44, "cacheReadInputTokens": 5,
                "cacheWriteInputTokens": 30,
                "cacheDetails": [{"ttl": "5m", "inputTokens": 10}, {"ttl": "1h", "inputTokens": 20}],
            },
            TIER,
            Usage(text_in=7, text_out=2, cached={"text": 5}, cache_write={"5m": 10, "1h": 20}, tier="flex"),
        ),
        (
            {
                "inputTokens": 1, "outputTokens": 2, "totalTokens": 33, "cacheWriteInputTokens": 30,
                "cacheDetails": [{"ttl": "5m", "inputTokens": 10}],
            },
            {},
            Usage(text_in=1, text_out=2, cache_write={"5m": 10, "": 20}),
        ),
        (
            {
                "inputTokens": 1, "outputTokens": 2, "totalTokens": 8, "cacheWriteInputTokens": 5,
                "cacheDetails": [{"ttl": "5m", "inputTokens": 10}],
            },
            {},
            Usage(text_in=1, text_out=2, cache_write={"": 5}),
        ),
        ({"inputTokens": 7, "outputTokens": 2, "totalTokens": 12}, {}, Usage(text_in=7, text_out=2, other=3)),
    ],
)  # fmt: skip
def test_counters_are_disjoint(usage, more, expected):
    found = read({"text": "x"}, usage=usage, **more).usage
    assert found == expected
    assert found.total_tokens == usage["totalTokens"]


def test_a_reply_without_usage_has_none():
    body = json.loads(reply({"text": "x"}).content)
    del body["usage"]
    response = CODEC.parse_response(call(), WireResponse(status=200, headers=HEADERS, body=json.dumps(body).encode()))
    assert response.usage is None
    assert response.tokens_used is None


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "unreadable_reply"), (b"[]", "unreadable_reply"), (b"{}", "no_choices"), (b"\xff", "unreadable_reply"),
        (b'{"output":{}, "stopReason":"end_turn"}', "no_choices"),
        (b'{"output":{"message":{"content":[{"text":1}]}},"stopReason":"end_turn"}', "unreadable_reply"),
        (b'{"message":"odd"}', "no_choices"),
    ],
)  # fmt: skip
def test_a_reply_that_is_none_is_an_error(body, code):
    with pytest.raises(ProviderError) as caught:
        CODEC.parse_response(call(), WireResponse(status=200, headers=HEADERS, body=body))
    assert caught.value.code == code


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=6,
)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)
ANY_BLOCK = st.one_of(
    TEXTS.map(lambda text: {"text": text}),
    st.tuples(TEXTS, TEXTS).map(
        lambda it: {"reasoningContent": {"reasoningText": {"text": it[0], "signature": it[1]}}}
    ),
    st.dictionaries(st.text(max_size=3), JSON, max_size=3).map(
        lambda value: {"toolUse": {"toolUseId": "t", "name": "f", "input": value}}
    ),
    st.lists(TEXTS, max_size=2).map(
        lambda texts: {
            "citationsContent": {"content": [{"text": text} for text in texts], "citations": [{"title": "x"}]}
        }
    ),
)


@given(st.lists(ANY_BLOCK, min_size=1, max_size=5))
def test_any_answer_goes_back_as_it_came(blocks):
    response = read(*blocks)
    stored = msgspec.json.decode(msgspec.json.encode(response.message), type=Message)
    assert body_of(Message.user("x"), stored)["messages"][1]["content"] == blocks
