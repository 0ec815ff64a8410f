"""Token counts of Chat Completions, in all their spellings, as disjoint counters whose sums are the body's."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import convert, json

from betterai.core.usage import Usage
from betterai.wire.openai_chat.shapes import UsageShape
from betterai.wire.openai_chat.usage import build_usage, parse_usage
from wire.chats import CODECS, chunk, parse, stream, usage_event, whole


def read(**body: Any) -> Usage:
    usage = parse(whole(usage=body)).usage
    assert usage is not None
    assert stream(chunk({"content": "Hi"}), chunk(finish="stop"), usage_event(**body)).usage == usage
    return usage


def test_plain_counts() -> None:
    usage = read(prompt_tokens=10, completion_tokens=4, total_tokens=14)
    assert usage == Usage(text_in=10, text_out=4)
    assert (usage.input_tokens, usage.output_tokens, usage.total_tokens) == (10, 4, 14)
    assert (dict(usage.cached), dict(usage.cache_write), usage.reasoning, usage.source) == ({}, {}, None, "provider")


@pytest.mark.parametrize(
    "cached",
    [
        {"prompt_tokens_details": {"cached_tokens": 7}},
        {"prompt_cache_hit_tokens": 7, "prompt_cache_miss_tokens": 3},
        {"cached_tokens": 7},
        {"prompt_tokens_details": {"cached_tokens": 7}, "prompt_cache_hit_tokens": 7, "cached_tokens": 7},
        {"prompt_tokens_details": {"cached_tokens": None}, "cached_tokens": 7},
        {"prompt_tokens_details": None, "prompt_cache_hit_tokens": 7},
    ],
)
def test_cached_tokens_in_every_spelling(cached: Any) -> None:
    usage = read(prompt_tokens=10, completion_tokens=4, total_tokens=14, **cached)
    assert usage == Usage(text_in=3, cached={"text": 7}, text_out=4)
    assert (usage.input_tokens, usage.cache_read_tokens) == (10, 7)


def test_tokens_written_to_the_cache() -> None:
    details = {"cached_tokens": 5, "cache_write_tokens": 3}
    usage = read(prompt_tokens=10, completion_tokens=4, total_tokens=14, prompt_tokens_details=details)
    assert usage == Usage(text_in=2, cached={"text": 5}, cache_write={"": 3}, text_out=4)
    assert (usage.input_tokens, usage.cache_write_tokens) == (10, 3)


def test_a_stated_0_is_a_0_and_not_nothing() -> None:
    details = {"cached_tokens": 0, "cache_write_tokens": 0}
    usage = read(prompt_tokens=10, completion_tokens=4, prompt_tokens_details=details,
                 completion_tokens_details={"reasoning_tokens": 0})  # fmt: skip
    assert (dict(usage.cached), dict(usage.cache_write), usage.reasoning) == ({"text": 0}, {"": 0}, 0)


def test_sound_and_pictures() -> None:
    usage = read(
        prompt_tokens=20,
        completion_tokens=12,
        total_tokens=32,
        prompt_tokens_details={"audio_tokens": 5, "image_tokens": 6, "video_tokens": 1, "text_tokens": 8},
        completion_tokens_details={"audio_tokens": 3, "image_tokens": 2, "text_tokens": 7},
    )
    assert usage == Usage(text_in=8, audio_in=5, image_in=6, video_in=1, text_out=7, audio_out=3, image_out=2)


def test_reasoning_among_the_completion() -> None:
    details = {"reasoning_tokens": 6, "accepted_prediction_tokens": 1, "rejected_prediction_tokens": 0}
    usage = read(prompt_tokens=10, completion_tokens=9, total_tokens=19, completion_tokens_details=details)
    assert usage == Usage(text_in=10, text_out=3, reasoning=6)


def test_reasoning_beside_the_completion_where_the_total_shows_it() -> None:
    usage = read(
        prompt_tokens=10, completion_tokens=3, total_tokens=19, completion_tokens_details={"reasoning_tokens": 6}
    )
    assert usage == Usage(text_in=10, text_out=3, reasoning=6)
    assert usage.total_tokens == 19


def test_reasoning_at_the_top() -> None:
    assert read(prompt_tokens=1, completion_tokens=9, total_tokens=10, reasoning_tokens=6).reasoning == 6


def test_a_total_above_the_sum_is_kept_as_other() -> None:
    usage = read(prompt_tokens=10, completion_tokens=4, total_tokens=20)
    assert (usage.other, usage.total_tokens) == (6, 20)
    assert read(prompt_tokens=10, completion_tokens=4, total_tokens=3).other == 0


def test_parts_larger_than_their_whole_are_cut() -> None:
    usage = read(
        prompt_tokens=10,
        completion_tokens=4,
        prompt_tokens_details={"cached_tokens": 8, "audio_tokens": 9},
        completion_tokens_details={"reasoning_tokens": 99, "audio_tokens": 9},
    )
    assert usage == Usage(cached={"text": 8}, audio_in=2, reasoning=4)
    assert (usage.input_tokens, usage.output_tokens) == (10, 4)


def test_more_cached_tokens_than_the_prompt_has_were_counted_beside_it() -> None:
    """Recorded: Grok, at its maker and at Azure."""
    usage = read(prompt_tokens=29, completion_tokens=6, total_tokens=35, prompt_tokens_details={"cached_tokens": 157})
    assert usage == Usage(text_in=29, cached={"text": 157}, text_out=6)


@pytest.mark.parametrize("usage", [None, {}, {"prompt_tokens": None, "completion_tokens": None}, {"total_tokens": 5}])
def test_counts_that_are_not_there_are_none(usage: Any) -> None:
    response = parse(whole(usage=usage))
    assert (response.usage, response.tokens_used) == (None, None)


def test_half_of_the_counts() -> None:
    assert read(prompt_tokens=5) == Usage(text_in=5)
    assert read(completion_tokens=5, prompt_tokens=None) == Usage(text_out=5)


def test_numbers_in_other_clothes() -> None:
    assert read(prompt_tokens="5", completion_tokens=4.0, queue_time=0.1, extra={"a": 1}) == Usage(
        text_in=5, text_out=4
    )


def test_usage_of_groq_streams_is_in_its_own_place_too() -> None:
    last = {**chunk(finish="stop"), "x_groq": {"id": "r", "usage": {"prompt_tokens": 3, "completion_tokens": 2}}}
    assert stream(chunk({"content": "Hi"}), last, codec=CODECS["groq"]).usage == Usage(text_in=3, text_out=2)
    assert stream(chunk({"content": "Hi"}), last, codec=CODECS["openai"]).usage is None


counts = st.integers(0, 10**6)
details = st.none() | st.dictionaries(
    st.sampled_from(["cached_tokens", "cache_write_tokens", "audio_tokens", "image_tokens", "video_tokens",
                     "reasoning_tokens", "text_tokens"]),
    st.none() | counts,
)  # fmt: skip


@given(
    prompt=counts, completion=counts, total=st.none() | counts, prompt_details=details, completion_details=details,
    hit=st.none() | counts, cached=st.none() | counts, reasoning=st.none() | counts,
)  # fmt: skip
def test_the_sums_are_always_the_bodys(
    prompt: int, completion: int, total: int | None, prompt_details: Any, completion_details: Any, hit: Any, cached: Any,
    reasoning: Any,
) -> None:  # fmt: skip
    body = {
        "prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": total,
        "prompt_tokens_details": prompt_details, "completion_tokens_details": completion_details,
        "prompt_cache_hit_tokens": hit, "cached_tokens": cached, "reasoning_tokens": reasoning,
    }  # fmt: skip
    usage = parse_usage(convert(body, UsageShape))
    assert usage is not None
    read = next((count for count in ((prompt_details or {}).get("cached_tokens"), hit, cached) if count is not None), 0)
    prompt += read if read > prompt else 0
    assert usage.input_tokens == prompt
    assert usage.total_tokens == max(prompt + completion, total or 0)
    beside = (completion_details or {}).get("reasoning_tokens")
    stated = beside if beside is not None else reasoning
    assert usage.output_tokens in (completion, completion + (stated or 0))
    everything = [usage.text_in, usage.audio_in, usage.image_in, usage.video_in, usage.text_out, usage.reasoning or 0,
                  usage.audio_out, usage.image_out, usage.other, *usage.cached.values(), *usage.cache_write.values()]  # fmt: skip
    assert min(everything) >= 0


small = st.integers(0, 1000)
_KEPT = ("text_in", "audio_in", "image_in", "video_in", "text_out", "audio_out", "image_out", "other")
ours = st.builds(
    Usage,
    **dict.fromkeys(_KEPT, small),
    cached=st.just({}) | st.builds(lambda n: {"text": n}, small),
    cache_write=st.just({}) | st.builds(lambda n: {"": n}, small),
    reasoning=st.none() | small,
)


@given(usage=ours)
def test_what_the_server_half_writes_the_client_half_reads(usage: Usage) -> None:
    back = parse_usage(json.decode(json.encode(build_usage(usage)), type=UsageShape))
    assert back is not None
    assert (back.input_tokens, back.total_tokens) == (usage.input_tokens, usage.total_tokens)
    assert (back.cached, back.cache_write) == (usage.cached, usage.cache_write)
    if usage.other != (usage.reasoning or 0):  # else the total reads as reasoning beside the completion
        assert back.reasoning == usage.reasoning
        assert {name: getattr(back, name) for name in _KEPT} == {name: getattr(usage, name) for name in _KEPT}
