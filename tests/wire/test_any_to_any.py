"""T1 between protocols: a request of one goes through our types into another and back, and is equal or reported."""

from __future__ import annotations

from itertools import product
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings

from betterai.core.codec import TextCall, TextExchange
from betterai.core.exceptions import UnsupportedParam
from betterai.core.message import Message
from betterai.core.model import ModelConfig
from betterai.core.response import CallWarning
from betterai.core.settings import GenerationSettings
from betterai.core.wire import Call, WireRequest
from betterai.runtime.encoding import encode_request
from betterai.runtime.round_trip import find_missing, find_pointers, is_covered
from betterai.wire.openai_chat import OpenAIChat
from betterai.wire.surfaces import SURFACES
from wire.calls import conversations
from wire.calls import settings as some_settings

CODECS: dict[str, TextExchange] = {"openai_chat": OpenAIChat()}
PAIRS = list(product(CODECS, CODECS))
MODEL = ModelConfig(id="any-model", provider="any", known=False)


def send(protocol: str, call: TextCall) -> tuple[WireRequest, Any]:
    request = encode_request(CODECS[protocol].build_request(call), call.settings.extra_body)
    assert isinstance(request.body, bytes)
    return request, msgspec.json.decode(request.body)


def receive(protocol: str, request: WireRequest, body: Any) -> TextCall:
    parsed = SURFACES[protocol]().parse_request(WireRequest(url=request.url, headers=request.headers, body=body))
    return msgspec.structs.replace(parsed, model=MODEL, id="any")


def is_reported(protocol: str, place: str, warnings: tuple[CallWarning, ...]) -> bool:
    surface = SURFACES[protocol]()
    return any(is_covered(find_pointers(surface, warning.field), place) for warning in warnings)


@pytest.mark.parametrize(("one", "other"), PAIRS)
@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(messages=conversations(), chosen=some_settings())
def test_t1_there_and_back(one: str, other: str, messages: tuple[Message, ...], chosen: GenerationSettings) -> None:
    call: TextCall = Call(model=MODEL, input=messages, settings=chosen, id="any")
    try:
        first, body = send(one, call)
        there, there_body = send(other, receive(one, first, body))
        back, back_body = send(one, receive(other, there, there_body))
    except UnsupportedParam as error:
        assert error.param  # noqa: PT017 - or it is carried
        return
    warnings = (*there.warnings, *back.warnings)
    differences = [*find_missing(body, back_body), *find_missing(back_body, body)]
    assert [place for place in differences if not is_reported(one, place, warnings)] == []
