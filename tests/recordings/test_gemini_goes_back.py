"""T2 over real traffic: the parts of every recorded answer go back as they came."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from betterai.core.message import Message
from betterai.core.wire import Event, WireResponse
from recordings.exceptions import EXCEPTIONS
from recordings.store import exchange_files, load, name_of, needs_recordings
from together import each
from wire.geminis import CODECS, make_call, model, sent

pytestmark = [pytest.mark.recordings, needs_recordings]


def replies(file: Path) -> list[dict[str, Any]]:
    response = load(file)["response"]
    body = response.get("body")
    if body is None:
        lines = response["body_text"].replace("\r\n", "\n").split("\n")
        return [json.loads(line[5:]) for line in lines if line.startswith("data:")]
    return body if isinstance(body, list) else [body]


def first_parts(reply: dict[str, Any]) -> list[dict[str, Any]]:
    candidates = [item for item in reply.get("candidates") or () if item.get("index", 0) == 0]
    return [part for item in candidates for part in (item.get("content") or {}).get("parts") or ()]


FILES = [
    file
    for file in exchange_files("gemini")
    if load(file)["response"]["status"] < 300 and any(map(first_parts, replies(file)))
]
WHOLE = [file for file in FILES if isinstance(load(file)["response"].get("body"), dict)]
STREAMED = [file for file in FILES if file not in WHOLE and "broken" not in EXCEPTIONS.get(name_of(file), {})]


def back(message: Message | None, provider: str) -> Any:
    stored = msgspec.json.decode(msgspec.json.encode(message), type=Message)
    return sent(make_call([stored], of=model(provider)))["contents"][0]["parts"]


@each("file", WHOLE, ids=[name_of(file) for file in WHOLE])
def test_a_whole_answer(file: Path) -> None:
    exchange = load(file)
    provider, call = exchange["provider"], make_call(of=model(exchange["provider"]))
    encoded = json.dumps(exchange["response"]["body"]).encode()
    response = CODECS[provider].parse_response(call, WireResponse(status=200, body=encoded))
    expected = first_parts(exchange["response"]["body"])
    assert back(response.message, provider) == [part or {"text": ""} for part in expected]


@each("file", STREAMED, ids=[name_of(file) for file in STREAMED])
def test_a_streamed_answer(file: Path) -> None:
    """Texts are joined; everything else, and each signature with its part, stays as it came."""
    provider = load(file)["provider"]
    state = CODECS[provider].open_stream(make_call(of=model(provider), stream=True))
    events = replies(file)
    for event in events:
        state.parse_event(Event(data=json.dumps(event).encode()))
    parts = [chunk.part for chunk in state.finish() if chunk.part is not None and chunk.choice == 0]
    came = [part for event in events for part in first_parts(event)]
    written = back(Message(role="assistant", parts=tuple(parts)), provider)
    assert _joined(written) == _joined(came)


def _joined(parts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    joined: list[dict[str, Any]] = []
    for part in parts:
        if part.keys() <= {"text", "thought"} and not part.get("text"):
            continue
        plain = part.keys() <= {"text", "thought"}
        last = joined[-1] if joined else {}
        if plain and last.keys() == part.keys():
            joined[-1] = {**part, "text": last["text"] + part["text"]}
        else:
            joined.append(part)
    return joined
