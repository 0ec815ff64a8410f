"""Responses of services that are no providers of ours yet, or are asked otherwise: the protocol's own codec reads them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from betterai.runtime.replay.exchanges import replay_exchange
from recordings.readings.openai_responses import expect
from recordings.store import ROOT, load, name_of, needs_recordings
from together import each

pytestmark = [pytest.mark.recordings, needs_recordings]

SERVICES = ("bedrock", "chatgpt", "copilot", "mistralrs", "pydantic-gateway", "local-openai-compatible")
KINDS = ("responses", "responses-stream")
FILES = [file for name in SERVICES for kind in KINDS for file in sorted((ROOT / name / kind).glob("*.json"))]


def test_there_are_as_many_as_we_were_told() -> None:
    assert len(FILES) >= 20


@each("file", FILES, ids=[name_of(file) for file in FILES])
def test_is_read_as_the_body_says(file: Path) -> None:
    exchange: dict[str, Any] = {**load(file), "provider": "openai"}
    report, expected = replay_exchange(exchange, name_of(file)), expect(exchange)
    assert report.verdict == "read", report.detail
    assert (report.content, report.reasoning) == (expected["content"], expected["reasoning"])
    called = [(call["name"], call["arguments"]) for call in report.tool_calls]
    assert called == [(name, json.loads(text or "{}")) for name, text in expected["tool_calls"]]
    assert report.finish_reason == expected["finish_reason"]
    counted = None if report.usage is None else {name: getattr(report.usage, name) for name in expected["usage"] or ()}
    assert counted == expected["usage"]
