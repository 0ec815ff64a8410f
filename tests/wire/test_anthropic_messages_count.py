"""Messages: counting tokens before a call, and the recorded counts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from betterai.core.exceptions import ModelNotFoundError, ProviderError
from betterai.core.message import Message
from betterai.core.tools import Tool
from betterai.core.wire import WireResponse
from betterai.runtime.encoding import encode_request
from betterai.runtime.replay.round_trip import find_missing
from betterai.wire.anthropic_messages import AnthropicCount
from recordings.store import ROOT, load, name_of, needs_recordings
from wire.messages import CODEC, claude, fields_of, make_call, read_request

COUNT = AnthropicCount(CODEC)
FILES = sorted((ROOT / "anthropic" / "count-tokens").glob("*.json"))
FAILED = [
    file for file in sorted((ROOT / "anthropic" / "error").glob("*.json")) if load(file)["base_kind"] == "count-tokens"
]


def test_the_same_is_asked_as_for_an_answer_without_a_limit() -> None:
    call = make_call(
        [Message.system("S"), Message.user("U")], tools=[Tool(name="a")], max_tokens=9, temperature=0, stream=True
    )
    request = COUNT.build_request(call)
    body: Any = request.body
    assert request.url == "/v1/messages/count_tokens"
    assert body.keys() == {"model", "messages", "system", "tools", "temperature"}
    assert request.headers["anthropic-version"] == "2023-06-01"
    assert fields_of(request.warnings) == ["max_tokens"]
    assert (request.reply, request.safe_to_repeat) == ("json", True)


def test_a_count() -> None:
    count = COUNT.parse_response(make_call(), WireResponse(status=200, body=b'{"input_tokens":14}'))
    assert (count.tokens, count.estimated, count.model) == (14, False, "any-model")


@pytest.mark.parametrize("body", [b"", b"{}", b'{"input_tokens":"x"}'])
def test_a_body_that_is_no_count_is_an_error(body: bytes) -> None:
    with pytest.raises(ProviderError) as caught:
        COUNT.parse_response(make_call(), WireResponse(status=200, body=body))
    assert caught.value.code == "unreadable_reply"


def test_where_it_is_asked_and_what_media_it_takes() -> None:
    assert COUNT.answers("/v1/messages/count_tokens")
    assert not COUNT.answers("/v1/messages")
    assert COUNT.accepts == CODEC.accepts


@needs_recordings
@pytest.mark.recordings
@pytest.mark.parametrize("file", FILES, ids=[name_of(file) for file in FILES])
def test_recorded_counts_are_asked_for_and_read(file: Path) -> None:
    exchange = load(file)
    asked = exchange["request"]["body"]
    call = read_request(asked, of=claude(asked["model"]))
    request = encode_request(COUNT.build_request(call), call.settings.extra_body)
    sent = msgspec.json.decode(request.body)  # type: ignore[arg-type]
    assert list(find_missing(asked, sent)) == []
    assert list(find_missing(sent, asked)) == []
    reply = WireResponse(status=200, body=msgspec.json.encode(exchange["response"]["body"]))
    assert COUNT.parse_response(call, reply).tokens == exchange["response"]["body"]["input_tokens"]


@needs_recordings
@pytest.mark.recordings
@pytest.mark.parametrize("file", FAILED, ids=[name_of(file) for file in FAILED])
def test_a_recorded_failure_is_read(file: Path) -> None:
    response = load(file)["response"]
    error = COUNT.parse_error(WireResponse(status=response["status"], body=msgspec.json.encode(response["body"])))
    assert isinstance(error, ModelNotFoundError)
    assert error.provider_message == response["body"]["error"]["message"]
