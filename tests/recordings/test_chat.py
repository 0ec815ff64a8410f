"""Real traffic: every recorded chat is read as an independent reading says, at every cut of the network."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from betterai.runtime.replay import ReplayReport, replay_exchange
from betterai.wire.sse import SSEFramer
from recordings.exceptions import EXCEPTIONS
from recordings.expected import FINISH, expect
from recordings.report import TARGET, render
from recordings.store import chat_files, load, name_of, needs_recordings, streamed

pytestmark = [pytest.mark.recordings, needs_recordings]

FILES = chat_files()
STREAMS = [file for file in FILES if streamed(load(file))]
SMALLEST = sorted(STREAMS, key=lambda file: len(load(file)["response"]["body_text"]))[:10]
FACTS_SHEET = frozenset(
    [
        "messages",
        "model",
        "audio",
        "frequency_penalty",
        "logit_bias",
        "logprobs",
        "max_completion_tokens",
        "max_tokens",
        "metadata",
        "modalities",
        "moderation",
        "n",
        "parallel_tool_calls",
        "prediction",
        "presence_penalty",
        "prompt_cache_key",
        "prompt_cache_options",
        "prompt_cache_retention",
        "reasoning_effort",
        "response_format",
        "safety_identifier",
        "seed",
        "service_tier",
        "stop",
        "store",
        "stream",
        "stream_options",
        "temperature",
        "tool_choice",
        "tools",
        "top_logprobs",
        "top_p",
        "user",
        "verbosity",
        "web_search_options",
        "thinking",
        "reasoning_format",
        "include_reasoning",
        "role",
        "content",
        "name",
        "tool_calls",
        "tool_call_id",
        "refusal",
        "reasoning",
        "reasoning_content",
        "type",
        "text",
        "image_url",
        "url",
        "detail",
        "input_audio",
        "data",
        "format",
        "file",
        "file_id",
        "filename",
        "file_data",
        "function",
        "arguments",
        "id",
        "description",
        "parameters",
        "strict",
        "prompt_cache_breakpoint",
        "cache_control",
        "video_url",
        "provider",
        "models",
        "plugins",
        "transforms",
        "usage",
        "session_id",
        "image_config",
        "top_k",
        "min_p",
        "top_a",
        "repetition_penalty",
        "echo",
        "safety_model",
        "chat_template_kwargs",
        "clear_thinking",
        "disable_reasoning",
        "min_tokens",
        "min_completion_tokens",
        "reasoning_history",
    ]
)
VENDORS_SHEETS: dict[str, frozenset[str]] = {
    "mistral": frozenset(
        ["random_seed", "safe_prompt", "prompt_mode", "min_tokens", "repetition_penalty", "guardrails", "document_url",
         "document_name", "signature", "closed"]
    ),
    "perplexity": frozenset(
        ["search_mode", "search_domain_filter", "search_recency_filter", "return_images", "return_related_questions",
         "disable_search", "enable_search_classifier", "stream_mode", "language_preference", "file_url"]
    ),
    "xai": frozenset(["search_parameters", "parallel_function_calling", "deferred"]),
    "zai": frozenset(["clear_thinking", "do_sample", "tool_stream", "user_id"]),
}  # fmt: skip
"""What single vendors document beside. Of Mistral, `prefix` (false wherever it was recorded) and a call's `index` are
carried: they say nothing that our types would not.
"""


def ids(files: Iterable[Path]) -> list[str]:
    return [name_of(file) for file in files]


def read(file: Path, cut: object = None) -> ReplayReport:
    return replay_exchange(load(file), name_of(file), cut)  # type: ignore[arg-type]


def test_there_are_about_as_many_as_we_were_told() -> None:
    assert len(FILES) > 1100


@pytest.mark.parametrize("file", FILES, ids=ids(FILES))
def test_is_read_as_the_body_says(file: Path) -> None:
    report, expected = read(file), expect(load(file))
    if refused := EXCEPTIONS.get(name_of(file), {}).get("refused"):
        assert report.verdict == "failed"
        assert f" {refused}: " in report.detail
    else:
        assert report.verdict == "read", report.detail
    if "status" in expected:
        assert report.error is not None
        assert report.error["status"] == expected["status"]
        assert report.error["message"] == expected["message"]
        return
    assert report.error is None
    got = {
        "content": report.content,
        "reasoning": report.reasoning,
        "tool_calls": [(call["name"], call["arguments"]) for call in report.tool_calls],
    }
    said = {**expected, "tool_calls": [(name, _json(text)) for name, text in expected["tool_calls"]]}
    differs = {name for name in got if got[name] != said[name]}
    assert differs == set(EXCEPTIONS.get(name_of(file), {}).get("differs", ()))
    assert report.raw_finish_reason == expected["raw_finish_reason"]
    assert report.finish_reason == ("refusal" if expected["refused"] else FINISH[expected["raw_finish_reason"]])
    usage = report.usage
    counted = None if usage is None else {name: getattr(usage, name) for name in expected["usage"] or ()}
    assert counted == expected["usage"]


def _json(text: str) -> object:
    try:
        return json.loads(text or "{}")
    except ValueError:
        return text


@pytest.mark.parametrize("file", STREAMS, ids=ids(STREAMS))
def test_a_stream_is_the_same_byte_by_byte(file: Path) -> None:
    assert read(file, lambda body: (body[i : i + 1] for i in range(len(body)))) == read(file)


@pytest.mark.parametrize("file", STREAMS, ids=ids(STREAMS))
def test_a_stream_is_the_same_cut_in_two(file: Path) -> None:
    body = load(file)["response"]["body_text"].encode()
    seeded = random.Random(name_of(file))
    points = range(1, len(body)) if file in SMALLEST else [seeded.randrange(1, len(body)) for _ in range(64)]
    whole = list(_frame([body]))
    for point in points:
        assert list(_frame([body[:point], body[point:]])) == whole, point
    point = points[len(points) // 2]
    assert read(file, lambda body: (body[:point], body[point:])) == read(file)


def _frame(pieces: Iterable[bytes]) -> Iterator[object]:
    framer = SSEFramer()
    for piece in pieces:
        yield from framer.feed(piece)
    yield from framer.flush()


REQUESTS = [file for file in FILES if isinstance((load(file)["request"] or {}).get("body"), dict)]
REQUESTS = [file for file in REQUESTS if "messages" in load(file)["request"]["body"]]


@pytest.mark.parametrize("file", REQUESTS, ids=ids(REQUESTS))
def test_a_request_loses_nothing_unreported(file: Path) -> None:
    trip = read(file).round_trip
    assert trip is not None
    assert set(trip.lost) <= set(trip.reported)
    sheet = FACTS_SHEET | VENDORS_SHEETS.get(load(file)["provider"], frozenset())
    carried = {place for place in trip.carried if place.rpartition("/")[2] in sheet}
    assert {place for place in carried if not place.endswith("/function/type")} == set(), "a field is not read"
    unreported = set(trip.added) - set(trip.reported)
    unexplained = {place for place in unreported if not place.startswith("/stream_options")}
    assert unexplained <= set(EXCEPTIONS.get(name_of(file), {}).get("added", ()))


def test_the_page_on_recordings_is_true() -> None:
    assert TARGET.read_text() == render(), "run: python tests/recordings/report.py"
