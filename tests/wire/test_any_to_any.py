"""T1 between protocols: a request of one goes through our types into another and back, and is equal or reported."""

from __future__ import annotations

import os
from itertools import product
from typing import Any

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from betterai.core.codec import TextCall, TextExchange
from betterai.core.exceptions import UnsupportedParam
from betterai.core.message import Message
from betterai.core.model import ModelConfig
from betterai.core.settings import GenerationSettings
from betterai.core.wire import Call, WireRequest
from betterai.runtime.encoding import encode_request
from betterai.runtime.replay.round_trip import find_missing
from betterai.wire.adoption import leave_extras
from betterai.wire.anthropic_messages import AnthropicMessages
from betterai.wire.bedrock_converse import BedrockConverse
from betterai.wire.gemini import Gemini
from betterai.wire.openai_chat import OpenAIChat
from betterai.wire.openai_responses import OpenAIResponses
from betterai.wire.surfaces import SURFACES
from together import each
from wire.calls import conversations
from wire.calls import settings as some_settings
from wire.likeness import describe

CODECS: dict[str, TextExchange] = {
    "openai_chat": OpenAIChat(),
    "openai_responses": OpenAIResponses(),
    "anthropic_messages": AnthropicMessages(),
    "gemini": Gemini(),
    "bedrock_converse": BedrockConverse(),
}
PAIRS = list(product(CODECS, CODECS))
MODEL = ModelConfig(id="any-model", provider="any", known=False)
BY_ITSELF: dict[str, dict[str, list[Any]]] = {
    "anthropic_messages": {"max_tokens": [4096, 4096 + 1024, 4096 + 2048], "response_format.strict": [True]},
    "gemini": {"response_format.strict": [True]},
    "bedrock_converse": {"response_format.strict": [True]},
}
"""Settings that a protocol has by itself: it demands a limit, where the codec writes one beside any budget; schemas are enforced."""
EXAMPLES = int(os.environ.get("ANY_TO_ANY_EXAMPLES", "40"))


def send(protocol: str, call: TextCall) -> WireRequest:
    return encode_request(CODECS[protocol].build_request(call), call.settings.extra_body)


def receive(protocol: str, request: WireRequest) -> TextCall:
    parsed = SURFACES[protocol]().parse_request(request)
    return msgspec.structs.replace(parsed, model=MODEL, id="any")


def pass_on(one: str, other: str, request: WireRequest) -> WireRequest:
    """A request of one protocol as one of the other, as a gateway would send it."""
    call = receive(one, request)
    return send(other, call if one == other else leave_extras(call))


def check(one: str, other: str, call: TextCall) -> None:
    try:
        first = send(one, call)
        there = pass_on(one, other, first)
        back = pass_on(other, one, there)
    except UnsupportedParam as error:
        assert error.param  # noqa: PT017 - or it is carried
        return
    body = msgspec.json.decode(first.body)  # type: ignore[arg-type]
    if one == other:
        bodies = [msgspec.json.decode(request.body) for request in (first, back)]  # type: ignore[arg-type]
        assert [*find_missing(*bodies), *find_missing(*reversed(bodies))] == []
    for field in (warning.field for warning in there.warnings):
        assert field.startswith("extra_headers.") or field in body or field in SURFACES[one]().pointers
    reported = [warning.field for warning in (*there.warnings, *back.warnings)]
    known = {**BY_ITSELF.get(one, {}), **BY_ITSELF.get(other, {})}
    said, said_again = (describe(receive(one, item), reported, by_itself=known) for item in (first, back))
    assert said_again == said, reported


@each(("one", "other"), PAIRS)
@settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck), deadline=None, derandomize=EXAMPLES == 40)
@given(messages=conversations(), chosen=some_settings(), stream=st.booleans())
def test_t1_there_and_back(
    one: str, other: str, messages: tuple[Message, ...], chosen: GenerationSettings, stream: bool
) -> None:
    check(one, other, Call(model=MODEL, input=messages, settings=chosen, stream=stream, id="any"))
