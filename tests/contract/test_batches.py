"""The category batch, over every provider that declares it: lines are plain calls, words are known, nonsense is no crash."""

from __future__ import annotations

import inspect
import json
from typing import Any

import msgspec
import pytest

from betterai.core.codec import BatchCodec
from betterai.core.exceptions import BetterAIError, ProviderError, RateLimitError, UnsupportedParam
from betterai.core.message import Message
from betterai.core.settings import GenerationSettings
from betterai.core.wire import Call, Multipart, WireRequest, WireResponse
from betterai.runtime.encoding import encode_request
from contract.cases import CODECS, PROVIDERS, Case

CASES = [case for case in CODECS if case.category == "batch"]
EACH = pytest.mark.parametrize("case", CASES, ids=str)
PARTS = [name for name, value in vars(BatchCodec).items() if inspect.isfunction(value) and not name.startswith("_")]
STATE = {"id": "batch-17", "batch": "batch-17", "file": "file-17", "root": "", "version": ""}
NONSENSE = (b"", b"null", b"[]", b'"x"', b"{", b"\xff", b"[" * 100_000, b"<html>")
LINES = b'nonsense\n\n{"custom_id": 3}\n{"key": null}\n[]\n{"custom_id": "a", "response": 1}\n'


def texts_of(case: Case) -> dict[str, str]:
    carried: dict[str, str] = case.codec.carries["text"]
    return carried


def plain(case: Case, protocol: str, **settings: Any) -> WireRequest:
    """A call of text, as it is sent by itself."""
    codec = PROVIDERS[case.provider.name].protocols["text"][protocol]
    call: Any = Call(
        model=case.model, input=(Message.user("canary-17\nsecond line"),), settings=GenerationSettings(**settings), id="1",
        provider_settings={"base_url": "https://canary.openai.azure.com", "version": ""},
    )  # fmt: skip
    return encode_request(codec.build_request(call))


def test_there_are_seven() -> None:
    assert {case.provider.name for case in CASES} == {
        "anthropic", "azure", "google", "groq", "mistral", "openai", "xai",
    }  # fmt: skip


@EACH
def test_a_codec_is_whole_and_carries_what_its_provider_speaks(case: Case) -> None:
    assert PARTS
    assert all(callable(getattr(case.codec, name, None)) for name in PARTS), PARTS
    assert case.codec.protocol == case.protocol
    assert case.codec.carries["text"]
    for category, protocols in case.codec.carries.items():
        assert set(protocols) <= set(PROVIDERS[case.provider.name].protocols[category])
    limits = case.codec.limits
    assert limits.bytes
    assert limits.bytes > 1_000_000
    for read in case.codec.reads.values():
        assert read in PROVIDERS[case.provider.name].protocols["text"]


@EACH
def test_a_line_is_the_body_of_a_plain_call_and_nothing_of_it_is_lost(case: Case) -> None:
    for protocol, target in texts_of(case).items():
        request = plain(case, protocol, max_tokens=17, extra_body={"unheard_of": {"a": "canary-18"}})
        assert isinstance(request.body, bytes)
        line = case.codec.build_line('id-"17"', request, target)
        assert b"\n" not in line
        read = json.loads(line)
        found = [value for value in nested(read) if value == json.loads(request.body)]
        assert len(found) == 1
        assert 'id-"17"' in read.values()
        spread = msgspec.structs.replace(request, body=json.dumps(json.loads(request.body), indent=1).encode())
        again = case.codec.build_line('id-"17"', spread, target)
        assert b"\n" not in again
        assert json.loads(again) == read
        shared = case.codec.shared_headers(request)
        assert set(shared) <= {"anthropic-version", "anthropic-beta"}
        for lost in ({"headers": {**request.headers, "X-Other": "1"}}, {"query": {**request.query, "other": "1"}}):
            changed = msgspec.structs.replace(request, **lost)
            with pytest.raises(UnsupportedParam, match=r"other|Other"):
                (case.codec.build_line("a", changed, target), case.codec.shared_headers(changed))
        with pytest.raises(UnsupportedParam):
            case.codec.build_line("a", msgspec.structs.replace(request, body=Multipart(fields=())), target)


def nested(value: Any) -> list[Any]:
    inner = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []
    return [value, *(item for part in inner for item in nested(part))]


@EACH
def test_unknown_words_are_running_and_nonsense_is_an_error_of_ours(case: Case) -> None:
    for word in ("brand_new", "", None, 17, {"a": 1}):
        fields: dict[str, Any] = dict.fromkeys(
            ("status", "processing_status", "metadata", "state", "request_counts", "errors"), word
        )
        assert case.codec.parse_look(WireResponse(status=200, body=json.dumps(fields).encode())).state == "running"
    for body in NONSENSE:
        with pytest.raises(ProviderError):
            case.codec.parse_look(WireResponse(status=200, body=body))
    for state in case.codec.states.values() if hasattr(case.codec, "states") else ():
        assert state in ("done", "failed", "expired", "cancelled")


@EACH
def test_lines_that_are_no_sense_are_passed_over_and_never_a_crash(case: Case) -> None:
    looks = (
        {"output_file_id": "f", "error_file_id": "g", "output_file": "f", "results_url": "r",
         "response": {"responsesFile": "files/f"}, "outputs": [1, None, {"custom_id": 3}]},
        {"response": {"inlinedResponses": {"inlinedResponses": [1, None, {"key": 3}]}}},
        {},
    )  # fmt: skip
    for look in looks:
        for reply in (*NONSENSE, LINES, b'{"results": [1, null, {"batch_request_id": 3}]}'):
            answers = drive(case, json.dumps(look).encode(), reply)
            assert [answer for answer in answers if answer.id != "a"] == []


def drive(case: Case, look: bytes, body: bytes) -> list[Any]:
    """All answers, each request answered alike."""
    job = case.codec.fetch(STATE, WireResponse(status=200, body=look))
    found: list[Any] = []
    reply = None
    try:
        while True:
            step = job.send(reply)
            reply = None
            if isinstance(step, WireRequest):
                assert step.method == "GET"
                assert step.safe_to_repeat
                reply = WireResponse(status=200, body=body)
            else:
                found.append(step)
    except StopIteration:
        return found
    except BetterAIError:
        return found


@EACH
def test_looks_may_be_repeated_and_a_refusal_is_typed(case: Case) -> None:
    look = case.codec.build_look(STATE)
    assert (look.method, look.safe_to_repeat, "batch-17" in look.url) == ("GET", True, True)
    cancel = case.codec.cancel(STATE)
    assert (cancel.method, cancel.safe_to_repeat) == ("POST", True)
    reply = WireResponse(status=429, body=b'{"error": {"message": "slow down"}}', headers={"retry-after": "3"})
    error = case.codec.parse_error(reply)
    assert isinstance(error, RateLimitError)
    assert error.retry_after == 3


def look_at(provider: str, **fields: Any) -> tuple[str, int]:
    codec = next(case.codec for case in CASES if case.provider.name == provider)
    found = codec.parse_look(WireResponse(status=200, body=json.dumps(fields).encode()))
    return found.state, found.counts.ended


def test_a_batch_that_is_over_is_over_in_whatever_words() -> None:
    new = {"state": "BATCH_STATE_BRAND_NEW"}
    assert look_at("google", done=True, metadata=new, response={"responsesFile": "files/f"}) == ("done", 0)
    assert look_at("google", done=True, metadata=new, error={"code": 13}) == ("failed", 0)
    assert look_at("google", done=False, metadata=new) == ("running", 0)
    texts = {"num_requests": "2", "num_pending": "0", "num_success": "1", "num_error": "1"}
    assert look_at("xai", batch_id="b", state=texts) == ("done", 2)
    assert look_at("xai", batch_id="b", state={**texts, "num_pending": "1"}) == ("running", 2)
