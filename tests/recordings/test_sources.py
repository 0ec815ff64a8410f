"""Real traffic: sources and stated costs, which `betterai replay` does not show, as plain dicts say them."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from betterai.core.message import Text
from betterai.core.response import ProviderResponse
from betterai.runtime.registry import get_provider
from recordings.store import exchange_files, load, name_of, needs_recordings
from together import each
from wire.chats import gather, parse, read_bytes

pytestmark = [pytest.mark.recordings, needs_recordings]

FILES = [
    file
    for file in exchange_files("openai_chat")
    if load(file)["provider"] in ("perplexity", "xai") and "error" not in file.parts
]
NAMES = [name_of(file) for file in FILES]


def bodies(exchange: dict[str, Any]) -> list[dict[str, Any]]:
    """The reply, or the events of a streamed one."""
    response = exchange["response"]
    if isinstance(response.get("body"), dict):
        return [response["body"]]
    lines = [line[5:].strip() for line in response["body_text"].splitlines() if line.startswith("data:")]
    return [json.loads(line) for line in lines if line != "[DONE]"]


def read(exchange: dict[str, Any]) -> ProviderResponse:
    codec = get_provider(exchange["provider"]).protocols["text"]["openai_chat"]
    response = exchange["response"]
    if isinstance(response.get("body"), dict):
        return parse(response["body"], codec)
    return gather(read_bytes([response["body_text"].encode()], codec))


def last(events: list[dict[str, Any]], name: str) -> Any:
    return next((event[name] for event in reversed(events) if event.get(name)), None)


@each("file", FILES, ids=NAMES)
def test_sources_are_citations_of_the_text(file: Path) -> None:
    events = bodies(load(file))
    results = [(item["url"], item["title"]) for item in last(events, "search_results") or ()]
    said = results or [(url, "") for url in last(events, "citations") or ()]
    message = read(load(file)).message
    assert message is not None
    cited = [citation for part in message.parts if isinstance(part, Text) for citation in part.citations]
    assert [(citation.url, citation.title) for citation in cited] == said


@each("file", FILES, ids=NAMES)
def test_a_stated_cost_is_the_cost(file: Path) -> None:
    said = last(bodies(load(file)), "usage") or {}
    dollars = Decimal(str(said["cost"]["total_cost"])) if "cost" in said else None
    if "cost_in_usd_ticks" in said:
        dollars = Decimal(said["cost_in_usd_ticks"]).scaleb(-10)
    usage = read(load(file)).usage
    assert (usage.stated_cost if usage else None) == dollars


def test_some_of_them_state_both() -> None:
    assert sum(1 for file in FILES if last(bodies(load(file)), "citations")) > 15
    assert sum(1 for file in FILES if "cost_in_usd_ticks" in (last(bodies(load(file)), "usage") or {})) > 10
