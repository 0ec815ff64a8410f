"""Whatever bytes come, nothing but our errors comes out, and no answer that was cut is taken for a whole one.

A few seconds of what `make fuzz` does for longer, the same each time; and what was found before.
"""

from __future__ import annotations

import tracemalloc
from random import Random
from time import process_time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from betterai.core.exceptions import BetterAIError, StreamInterrupted
from betterai.core.response import TextChunk
from betterai.wire.framing import open_framer
from fuzz import seeds
from fuzz.corpus import FOUND
from fuzz.targets import BETWEEN, WITHIN, Target, all_targets, read_stream
from together import each
from wire.test_any_to_any import CODECS

TARGETS = {target.name: target for target in all_targets()}
EACH = 40
"""Inputs for each target."""


@each("name", TARGETS)
def test_e1_mutated_bytes_bring_out_nothing_but_our_errors(name: str) -> None:
    target, random = TARGETS[name], Random(name)
    for seed in target.seeds:
        target.attack(seed)
        for _ in range(EACH // len(target.seeds) + 1):
            data = target.mutate(random, seed)
            began = process_time()
            target.attack(data)
            assert process_time() - began < 2, data


@settings(max_examples=60, deadline=None)
@given(data=st.binary(max_size=200), name=st.sampled_from(sorted(TARGETS)))
def test_e1_any_bytes_bring_out_nothing_but_our_errors(data: bytes, name: str) -> None:
    TARGETS[name].attack(data)


@each(("name", "data"), FOUND, ids=[f"{at}-{name}" for at, (name, _) in enumerate(FOUND)])
def test_e1_what_was_found_before(name: str, data: bytes) -> None:
    tried = [target for target in TARGETS.values() if target.name == name or target.name.startswith(f"{name} ")]
    assert tried
    for target in tried:
        target.attack(data)


# ── cuts ──


def shown(chunks: list[TextChunk]) -> Any:
    ends = [(chunk.choice, chunk.finish_reason) for chunk in chunks if chunk.finish_reason is not None]
    return "".join(chunk.content for chunk in chunks), [chunk.part for chunk in chunks if chunk.part], ends


@pytest.mark.parametrize("protocol", CODECS)
def test_s4_a_stream_cut_at_any_byte_is_whole_or_an_interruption(protocol: str) -> None:
    codec: Any = CODECS[protocol]
    reply = codec.build_request(seeds.CALL).reply
    for pieces in seeds.streams_of(protocol)[::2]:
        written = b"".join(pieces)
        whole, error = read_stream(codec, open_framer(reply), [written])
        assert error is None
        interrupted, cuts = 0, range(0, len(written), 1 + len(written) // 300)
        for cut in cuts:
            chunks, error = read_stream(codec, open_framer(reply), [written[:cut]] if cut else [])
            if error is None:
                assert shown(chunks) == shown(whole), written[:cut]
            else:
                interrupted += 1
                assert isinstance(error, StreamInterrupted), written[:cut]
                assert shown(chunks)[2] == [], "what was cut has not ended"
        assert interrupted > len(cuts) / 2


@pytest.mark.parametrize("protocol", CODECS)
def test_s4_a_whole_reply_cut_at_any_byte_is_an_error(protocol: str) -> None:
    target = TARGETS[f"{protocol} response"]
    for body in seeds.bodies_of(protocol):
        for cut in range(0, len(body), 3):
            error = target.attack(body[:cut])
            assert isinstance(error, BetterAIError), body[:cut]
            assert error.retryable


# ── bounds ──

LARGE: dict[str, bytes] = {
    "sse": b"data: " + b"x" * 100_000 + b"\n\n" + b"data: y\n\n" * 3_000 + b":\n" * 5_000,
    "ndjson": b'{"a":1}\n' * 3_000 + b"\n" * 10_000,
    "event_stream": b"\x00" * 100_000,
    "partial_json": b'{"a": [' + b'"xyz", ' * 1_000,
    "waits": b"x: " + b"try again in 1" * 5_000,
    "openai_chat error": b'{"error":{"message":"' + b"maximum context " * 60_000 + b'"}}',
    "anthropic_messages error": b"<" * 100_000,
    "gemini error": b"[" * 100_000,
    "openai_chat request": b'{"model":"m","messages":[' + b'{"role":"user","content":"x"},' * 500 + b"{}]}",
    "openai_responses events": BETWEEN.join([WITHIN + b'{"type":"response.output_text.delta","delta":"x"}'] * 500),
}


@each("name", LARGE)
def test_p3_time_and_memory_are_in_proportion_to_what_came(name: str) -> None:
    target, data = next(target for key, target in TARGETS.items() if key.startswith(name)), LARGE[name]
    tracemalloc.start()
    began = process_time()
    try:
        target.attack(data)
        taken, peak = process_time() - began, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert taken < 3
    assert peak < 64 * len(data) + 4_000_000


def test_every_target_has_seeds_that_are_read_without_an_error() -> None:
    """What is attacked from seeds that are refused at once is not attacked at all."""

    def is_read(target: Target) -> bool:
        return any(not isinstance(target.attack(seed), BetterAIError) for seed in target.seeds)

    errors = {name for name in TARGETS if name.endswith(" error")}
    assert {name for name, target in TARGETS.items() if not is_read(target)} == errors
