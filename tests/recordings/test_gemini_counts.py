"""Recorded counts: the number is read, and what was asked is what we would ask."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from msgspec import UNSET

from betterai.core.wire import WireRequest, WireResponse
from betterai.runtime.registry import get_provider
from recordings.store import ROOT, load, name_of, needs_recordings
from wire.geminis import SURFACE, make_call, model

pytestmark = [pytest.mark.recordings, needs_recordings]
FILES = [file for name in ("google", "vertex") for file in sorted((ROOT / name / "count-tokens").glob("*.json"))]


def count_codec(file: Path) -> Any:
    return get_provider(load(file)["provider"]).protocols["count"]["gemini"]


@pytest.mark.parametrize("file", FILES, ids=[name_of(file) for file in FILES])
def test_the_count_is_read(file: Path) -> None:
    exchange = load(file)
    body = exchange["response"]["body"]
    reply = WireResponse(status=exchange["response"]["status"], body=json.dumps(body).encode())
    count = count_codec(file).parse_response(make_call(of=model(exchange["provider"])), reply)
    assert count.tokens == body.get("totalTokens", 0)


ASKED = [file for file in FILES if isinstance((load(file)["request"] or {}).get("body"), dict)]


@pytest.mark.parametrize("file", ASKED, ids=[name_of(file) for file in ASKED])
def test_the_same_is_asked(file: Path) -> None:
    exchange = load(file)
    asked, codec = exchange["request"]["body"], count_codec(file)
    inner = dict(asked.get("generateContentRequest") or asked)
    assert codec.answers(exchange["request"]["url"].partition("?")[0])
    read = SURFACE.parse_request(_request(inner))
    call = make_call(read.input, of=model(exchange["provider"]), **read.settings.replace(extra_body=None).given())
    body = codec.build_request(call).body
    again = SURFACE.parse_request(_request(body.get("generateContentRequest", body)))
    assert again.input == read.input
    told = [call.settings.replace(extra_body=UNSET, spelling=UNSET) for call in (again, read)]
    assert told[0] == told[1]


def _request(body: dict[str, Any]) -> WireRequest:
    return WireRequest(url="/v1beta/models/m:generateContent", body=body)
