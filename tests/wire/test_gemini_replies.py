"""Whole replies: finish reasons, usage, sources, log probabilities, errors."""

from __future__ import annotations

import json
from typing import Any

import pytest

from betterai.core.exceptions import (
    AuthenticationError,
    BadRequestError,
    ContextLengthError,
    ModelNotFoundError,
    OverloadedError,
    PermissionDeniedError,
    ProviderError,
    QuotaExceededError,
    RateLimitError,
)
from betterai.core.message import Text
from betterai.core.usage import Usage
from betterai.core.wire import WireResponse
from together import each
from wire.geminis import CODEC, parse, reply


@each(
    ("word", "ours", "raw"),
    [
        ("STOP", "stop", "STOP"), ("MAX_TOKENS", "length", "MAX_TOKENS"), (1, "stop", "STOP"), (2, "length", "MAX_TOKENS"),
        *((word, "content_filter", word) for word in (
            "SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "IMAGE_SAFETY",
            "IMAGE_PROHIBITED_CONTENT", "IMAGE_RECITATION", "MODEL_ARMOR")),
        *((word, "error", word) for word in (
            "MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "TOO_MANY_TOOL_CALLS", "MISSING_THOUGHT_SIGNATURE",
            "MALFORMED_RESPONSE", "NO_IMAGE")),
        *((word, "other", word) for word in ("LANGUAGE", "OTHER", "IMAGE_OTHER", "ESCALATION", "BRAND_NEW")),
        ("FINISH_REASON_UNSPECIFIED", None, ""), (0, None, ""), ("CONTINUATION", "pause", "CONTINUATION"), (77, "other", "77"), (None, None, ""),
    ],
)  # fmt: skip
def test_how_it_ended(word: Any, ours: str | None, raw: str) -> None:
    response = parse(reply({"text": "Hi"}, finish=word))
    assert (response.finish_reason, response.raw_finish_reason) == (ours, raw)


def test_a_turn_that_ends_with_calls_ends_so_and_one_with_tools_of_the_provider_does_not() -> None:
    assert parse(reply({"functionCall": {"name": "f"}})).finish_reason == "tool_calls"
    assert parse(reply({"functionCall": {"name": "f"}}, finish="MAX_TOKENS")).finish_reason == "length"
    assert parse(reply({"executableCode": {"code": "1"}})).finish_reason == "stop"


def test_a_blocked_prompt_and_an_empty_candidate() -> None:
    blocked = parse({"promptFeedback": {"blockReason": "SAFETY"}, "usageMetadata": {"promptTokenCount": 3}})
    assert (blocked.finish_reason, blocked.raw_finish_reason, blocked.content) == ("content_filter", "SAFETY", "")
    assert blocked.usage == Usage(text_in=3)
    empty = parse({"candidates": [{"finishReason": "SAFETY", "index": 0, "content": {}}]})
    assert (empty.finish_reason, empty.content) == ("content_filter", "")


def test_a_model_that_was_paid_may_have_said_nothing() -> None:
    silent = parse({"usageMetadata": {"promptTokenCount": 3, "thoughtsTokenCount": 2}, "modelVersion": "m"})
    assert (silent.finish_reason, silent.content, silent.model) == ("other", "", "m")
    assert silent.usage == Usage(text_in=3, reasoning=2)


@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        b'{"candidates":[]}',
        b'{"promptFeedback":{}}',
        b'{"promptFeedback":{"blockReason":"BLOCKED_REASON_UNSPECIFIED"}}',
        b"<html>",
        b"",
        b'{"candidates":5}',
    ],
)
def test_what_is_no_answer_is_an_error(body: bytes) -> None:
    with pytest.raises(ProviderError) as caught:
        parse(body)
    assert caught.value.code in ("no_choices", "unreadable_reply")


def test_several_candidates_come_in_order() -> None:
    body = reply({"text": "B"}, candidate={"index": 1})
    body["candidates"].append({"content": {"parts": [{"text": "A"}]}, "finishReason": "STOP"})
    response = parse(body)
    assert [response.content, response.alternatives[0].content] == ["A", "B"]


def details(**counts: int) -> list[dict[str, Any]]:
    return [{"modality": name, "tokenCount": count} for name, count in counts.items()]


@pytest.mark.parametrize(
    ("body", "usage"),
    [
        ({"promptTokenCount": 5, "candidatesTokenCount": 3, "totalTokenCount": 8}, Usage(text_in=5, text_out=3)),
        (
            {"promptTokenCount": 5, "candidatesTokenCount": 3, "thoughtsTokenCount": 0, "totalTokenCount": 8},
            Usage(text_in=5, text_out=3, reasoning=0),
        ),
        (
            {"promptTokenCount": 5, "thoughtsTokenCount": 7, "toolUsePromptTokenCount": 11, "totalTokenCount": 24,
             "toolUsePromptTokensDetails": details(TEXT=10, IMAGE=1), "cachedContentTokenCount": 0},
            Usage(text_in=15, image_in=1, reasoning=7, cached={"text": 0}, other=1),
        ),
        (
            {"promptTokenCount": 100, "promptTokensDetails": details(TEXT=20, AUDIO=50, VIDEO=20, DOCUMENT=10),
             "cachedContentTokenCount": 60, "cacheTokensDetails": details(TEXT=20, AUDIO=40),
             "candidatesTokenCount": 30, "candidatesTokensDetails": details(IMAGE=20, AUDIO=4), "totalTokenCount": 130},
            Usage(text_in=10, audio_in=10, video_in=20, cached={"text": 20, "audio": 40}, text_out=6, image_out=20, audio_out=4),
        ),
        (
            {"promptTokenCount": 10, "promptTokensDetails": [{"modality": 2, "tokenCount": 4}], "serviceTier": "flex"},
            Usage(text_in=6, image_in=4, tier="flex"),
        ),
        ({"promptTokenCount": 1, "trafficType": "ON_DEMAND"}, Usage(text_in=1)),
        ({"promptTokenCount": 1, "trafficType": "ON_DEMAND_PRIORITY"}, Usage(text_in=1, tier="priority")),
        ({"trafficType": "ON_DEMAND"}, None),
        ({}, None),
    ],
)  # fmt: skip
def test_usage(body: dict[str, Any], usage: Usage | None) -> None:
    response = parse(reply({"text": "Hi"}, usageMetadata=body))
    assert response.usage == usage
    if usage is not None and "totalTokenCount" in body:
        assert usage.total_tokens == body["totalTokenCount"]


CHUNKS = [
    {"web": {"uri": "https://a", "title": "A", "domain": "a"}},
    {"retrievedContext": {"title": "B", "text": "said"}},
]


def support(start: int, end: int, text: str, *chunks: int, **more: Any) -> dict[str, Any]:
    segment = {"startIndex": start, "endIndex": end, "text": text, **more}
    return {"segment": {name: value for name, value in segment.items() if value}, "groundingChunkIndices": list(chunks)}


def grounded(texts: list[str], *supports: dict[str, Any], **more: Any) -> list[list[tuple[Any, ...]]]:
    metadata = {"groundingChunks": CHUNKS, "groundingSupports": list(supports), "webSearchQueries": ["x", "y"], **more}
    response = parse(reply(*({"text": text} for text in texts), usageMetadata={"promptTokenCount": 1},
                           candidate={"groundingMetadata": metadata}))  # fmt: skip
    assert response.usage is not None
    assert response.usage.units == {"search": 2.0}
    assert response.message is not None
    found = []
    for part in response.message.parts:
        assert isinstance(part, Text)
        found.append([(item.url, item.title, item.start, item.end, item.text) for item in part.citations])
    return found


def test_places_are_bytes_on_the_wire_and_characters_here() -> None:
    assert grounded(["Größe ist 3."], support(0, 7, "Größe", 0), support(8, 11, "ist", 1)) == [
        [("https://a", "A", 0, 5, ""), ("", "B", 6, 9, "said")]
    ]


def test_places_count_over_all_texts_or_in_the_part_that_is_named() -> None:
    assert grounded(["Ä1. ", "Two."], support(5, 8, "Two", 0, 1)) == [
        [],
        [("https://a", "A", 0, 3, ""), ("", "B", 0, 3, "said")],
    ]
    assert grounded(["Ä1. ", "Two."], support(0, 3, "Two", 0, 1, partIndex=1))[1][0] == ("https://a", "A", 0, 3, "")
    assert grounded(["Ä1. ", "Two."], support(2, 5, "Two", 0, 1))[1][0][2:4] == (0, 3)


def test_sources_without_a_place_stand_with_the_last_text() -> None:
    assert grounded(["One.", "Two."], support(0, 3, "not there", 0), support(0, 3, "One", 9)) == [
        [], [("https://a", "A", None, None, ""), ("", "B", None, None, "said")],
    ]  # fmt: skip


def test_the_chunk_is_kept_as_it_came_and_recited_sources_are_cited() -> None:
    recited = {"citationSources": [{"startIndex": 0, "endIndex": 3, "uri": "https://r"}]}
    response = parse(
        reply(
            {"text": "One."},
            candidate={"groundingMetadata": {"groundingChunks": CHUNKS[:1]}, "citationMetadata": recited},
        )
    )
    assert response.message is not None
    (part,) = response.message.parts
    assert isinstance(part, Text)
    first, second = part.citations
    assert first.opaque is not None
    assert first.opaque.value == CHUNKS[0]
    assert (second.url, second.start, second.end) == ("https://r", 0, 3)


def test_log_probabilities() -> None:
    result = {
        "chosenCandidates": [{"token": "Hi", "logProbability": -0.5}, {"token": "!"}],
        "topCandidates": [
            {"candidates": [{"token": "Hi", "logProbability": -0.5}, {"token": "Ho", "logProbability": -2}]}
        ],
    }
    logprobs = parse(reply({"text": "Hi!"}, candidate={"logprobsResult": result})).logprobs
    assert logprobs is not None
    assert [(token.token, token.logprob, len(token.top_logprobs)) for token in logprobs] == [
        ("Hi", -0.5, 2),
        ("!", 0.0, 0),
    ]


RETRY = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "34.5s"}
REASON = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}
QUOTA = "You exceeded your current quota, please check your plan and billing details."
ERRORS: dict[str, tuple[int, dict[str, Any], type[ProviderError], bool, float | None, str]] = {
    "bad": (400, {"message": "Invalid value", "status": "INVALID_ARGUMENT"}, BadRequestError, False, None, "INVALID_ARGUMENT"),
    "key": (400, {"message": "API key not valid.", "status": "INVALID_ARGUMENT", "details": [REASON]}, AuthenticationError, False, None, "API_KEY_INVALID"),
    "key in words": (400, {"message": "API key not valid. Please pass a valid API key."}, AuthenticationError, False, None, "400"),
    "long": (400, {"message": "The input token count (1) exceeds the maximum number of tokens allowed (0)."}, ContextLengthError, False, None, "400"),
    "token": (401, {"message": "Expired", "status": "UNAUTHENTICATED"}, AuthenticationError, False, None, "UNAUTHENTICATED"),
    "forbidden": (403, {"message": "No", "status": "PERMISSION_DENIED"}, PermissionDeniedError, False, None, "PERMISSION_DENIED"),
    "no model": (404, {"message": "models/x is not found for API version v1beta, or is not supported for generateContent.", "status": "NOT_FOUND"}, ModelNotFoundError, False, None, "NOT_FOUND"),
    "no publisher model": (404, {"message": "Publisher Model `projects/p/locations/l/publishers/google/models/x` was not found", "status": "NOT_FOUND"}, ModelNotFoundError, False, None, "NOT_FOUND"),
    "quota that fills again": (429, {"message": QUOTA, "status": "RESOURCE_EXHAUSTED", "details": [RETRY]}, RateLimitError, True, 34.5, "RESOURCE_EXHAUSTED"),
    "quota": (429, {"message": QUOTA, "status": "RESOURCE_EXHAUSTED"}, QuotaExceededError, False, None, "RESOURCE_EXHAUSTED"),
    "exhausted": (429, {"message": "Resource exhausted. Please try again later.", "status": "RESOURCE_EXHAUSTED"}, RateLimitError, True, None, "RESOURCE_EXHAUSTED"),
    "broken": (500, {"message": "Internal", "status": "INTERNAL"}, ProviderError, True, None, "INTERNAL"),
    "busy": (503, {"message": "The model is overloaded.", "status": "UNAVAILABLE"}, OverloadedError, True, None, "UNAVAILABLE"),
    "late": (504, {"message": "Deadline", "status": "DEADLINE_EXCEEDED"}, OverloadedError, True, None, "DEADLINE_EXCEEDED"),
}  # fmt: skip


@each("listed", [False, True], ids=["object", "list"])
@each("name", ERRORS)
def test_errors(name: str, listed: bool) -> None:
    status, error, kind, retryable, wait, code = ERRORS[name]
    body = {"error": {"code": status, **error}}
    encoded = json.dumps([body] if listed else body).encode()
    with pytest.raises(ProviderError) as inside:
        parse(encoded)
    for read in (CODEC.parse_error(WireResponse(status=status, body=encoded)), inside.value):
        assert type(read) is kind
        assert (read.status, read.code, read.retryable, read.retry_after) == (status, code, retryable, wait)
        assert read.provider_message == error["message"]


def test_a_header_wins_over_what_the_body_says_of_waiting() -> None:
    body = b'{"error":{"code":429,"message":"x","details":[{"retryDelay":"34s"}]}}'
    assert CODEC.parse_error(WireResponse(status=429, headers={"retry-after": "7"}, body=body)).retry_after == 7.0
