"""A request through the server half, our types and the client half: what is lost on the way is said."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from betterai.core.exceptions import BadRequestError
from betterai.core.wire import WireRequest
from betterai.runtime.replay.round_trip import RoundTrip, make_round_trip
from betterai.wire.openai_chat import OpenAIChat
from together import each
from wire.chats import CODECS, OPENAI, SURFACE
from wire.requests import FIELDS, LEGACY, bodies, legacy_bodies, messages

FACTS = {
    *FIELDS, *LEGACY, "messages", "model", "role", "content", "name", "tool_calls", "tool_call_id", "refusal", "type",
    "text", "image_url", "url", "detail", "input_audio", "data", "format", "file", "file_id", "filename", "file_data",
    "function", "custom", "arguments", "input", "id", "description", "parameters", "strict", "prompt_cache_breakpoint",
    "mode", "ttl", "json_schema", "schema", "voice", "include_usage", "include_obfuscation", "search_context_size",
    "user_location", "policy", "allowed_tools",
}  # fmt: skip


def travel(body: dict[str, Any], codec: OpenAIChat = OPENAI, provider: str = "openai") -> RoundTrip:
    """The round trip of a body; what was lost was said, and what the facts sheet names travelled in our types."""
    before = json.dumps(body)
    _, trip = make_round_trip(codec, provider, WireRequest(url="", body=body))
    assert json.dumps(body) == before  # the caller's own body is not changed
    assert set(trip.lost) <= set(trip.reported)
    carried = {place for place in trip.carried if place.rpartition("/")[2] in FACTS}
    assert {place for place in carried if not is_list(body, place)} == set()
    return trip


def is_list(body: Any, place: str) -> bool:
    """A content list whose parts lose their unknown keys may be written in another form: its parts travelled."""
    for step in place.split("/")[1:]:
        body = body[int(step)] if isinstance(body, list) else body.get(step)
    return isinstance(body, list) and place.endswith("/content")


def same_but_for_usage(sent: Any, body: dict[str, Any]) -> bool:
    """A stream always asks for its usage, unless it says no."""
    if body.get("stream"):
        body = {**body, "stream_options": {"include_usage": True, **(body.get("stream_options") or {})}}
    return bool(sent == body)


@settings(max_examples=60)
@given(body=bodies)
def test_a_request_comes_back_as_it_was(body: dict[str, Any]) -> None:
    trip = travel(body)
    assert set(trip.added) <= {"/stream_options", "/stream_options/include_usage"}
    if not trip.reported:
        assert same_but_for_usage(trip.sent, body)


@settings(max_examples=60)
@given(body=legacy_bodies)
def test_the_old_forms_come_back_as_the_new_ones(body: dict[str, Any]) -> None:
    trip = travel(body)
    newer = {"tools", "tool_choice", "stream_options", "include_usage", "tool_call_id", "tool_calls", "role"}
    assert {place.rpartition("/")[2] for place in trip.added} <= newer | {str(index) for index in range(9)}
    if "functions" in body:
        newer = trip.sent["tools"][len(body.get("tools") or []) :]  # type: ignore[index]
        assert [tool["function"]["name"] for tool in newer] == [function["name"] for function in body["functions"]]


@each("name", FIELDS)
@given(data=st.data())
@settings(max_examples=12)
def test_t1_each_field_is_sent_or_reported_by_each_codec(name: str, data: st.DataObject) -> None:
    value = data.draw(FIELDS[name])
    if (name, value) == ("reasoning_effort", "none"):
        return  # one vendor says it in another field: tests/providers
    for provider, codec in CODECS.items():
        trip = travel(
            {"model": "any-model", "messages": [{"role": "user", "content": "Hello"}], name: value}, codec, provider
        )
        assert trip.sent is not None or trip.reported  # it is sent, or raises and names the field


@settings(max_examples=60)
@given(message=messages)
def test_t1_each_message_is_sent_or_reported_by_each_codec(message: dict[str, Any]) -> None:
    for provider, codec in CODECS.items():
        travel({"model": "any-model", "messages": [message]}, codec, provider)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(["role", "content", "type", "text", "image_url", "url", "function", "name", "id", "tool_calls",
                         "tool_call_id", "arguments", "custom", "input_audio", "file", "mode", "tools", "json_schema",
                         "function_call"]),
        inner | st.sampled_from(["user", "assistant", "tool", "function", "text", "json_schema", "allowed_tools"]),
        max_size=4,
    ),
    max_leaves=12,
)  # fmt: skip


@settings(max_examples=40)
@given(
    body=st.fixed_dictionaries(
        {"model": st.just("m") | json_values, "messages": st.lists(json_values, max_size=3) | json_values},
        optional=dict.fromkeys([*FIELDS, *LEGACY], json_values),
    )
)
def test_any_json_is_a_request_or_a_bad_one(body: dict[str, Any]) -> None:
    with suppress(BadRequestError):
        call = SURFACE.parse_request(WireRequest(url="", body=body))
        assert call.model.id == body["model"]


@given(body=st.binary(max_size=40) | st.just(b"[" * 100_000))
def test_any_bytes_are_a_request_or_a_bad_one(body: bytes) -> None:
    with pytest.raises(BadRequestError):
        SURFACE.parse_request(WireRequest(url="", body=body))
