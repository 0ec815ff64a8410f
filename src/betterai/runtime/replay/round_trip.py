"""A request through the server half, our types and the client half, and what that lost, added, carried and reported."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from betterai.config.providers import ALL_MODELS, unlisted_model
from betterai.core.codec import TextCall, TextExchange, TextReader
from betterai.core.data import Data
from betterai.core.exceptions import UnsupportedParam
from betterai.core.message import AnyPart, Reasoning
from betterai.core.model import ModelConfig
from betterai.core.response import CallWarning
from betterai.core.wire import WireRequest
from betterai.runtime.encoding import encode_request
from betterai.wire.adoption import Adopter, adopt_fields
from betterai.wire.surfaces import SURFACES


class RoundTrip(Data, frozen=True, kw_only=True):
    """`sent` is the body that comes out; the others are JSON pointers (RFC 6901). `reported` are those of `lost` and of
    `added` that a warning names.
    """

    sent: Mapping[str, Any] | None
    lost: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    carried: tuple[str, ...] = ()
    reported: tuple[str, ...] = ()
    detail: str = ""


def make_round_trip(codec: TextExchange, provider: str, request: WireRequest) -> tuple[TextCall | None, RoundTrip]:
    """The call that a request with a decoded body is, and its round trip. Raises `BetterAIError` where it is no request
    of the protocol.
    """
    reader = find_reader(codec)
    if reader is None:
        return None, RoundTrip(sent=None, detail=f"nothing here reads requests of {codec.protocol}")
    body: Any = request.body
    parsed = reader.parse_request(request)
    call: TextCall = msgspec.structs.replace(parsed, model=find_model(provider, parsed.model.id), id="replay")
    if isinstance(codec, Adopter):
        call = adopt_fields(codec, call)
    try:
        sent, warnings = _build(codec, call)
    except UnsupportedParam as error:
        pointers = find_pointers(reader, error.param)
        reported = tuple(place for place in _all_pointers(body) if is_covered(pointers, place)) or pointers
        return call, RoundTrip(sent=None, reported=reported, detail=str(error))
    bare, _ = _build(codec, strip_opaque(call))
    lost, added = tuple(find_missing(body, sent)), tuple(find_missing(sent, body))
    return call, RoundTrip(
        sent=sent,
        lost=lost,
        added=added,
        carried=tuple(place for place in find_missing(sent, bare) if _holds_something(sent, place)),
        reported=tuple(place for place in dict.fromkeys((*lost, *added)) if _is_reported(reader, place, warnings)),
    )


def find_reader(codec: TextExchange) -> TextReader | None:
    """Who reads requests of the codec's protocol: its surface, or, where no gateway serves it, the codec's `reader`."""
    surface = SURFACES.get(codec.protocol)
    return surface() if surface is not None else getattr(codec, "reader", None)


def find_model(provider: str, name: str) -> ModelConfig:
    """The model as the catalogue lists it for the provider, or one of which nothing is known."""
    listed = ALL_MODELS.find(f"{provider}/{name}")
    return listed if listed is not None and listed.provider == provider else unlisted_model(provider, name)


def _build(codec: TextExchange, call: TextCall) -> tuple[dict[str, Any], tuple[CallWarning, ...]]:
    """The body as it goes out, decoded again: what JSON does not hold is not there."""
    request = encode_request(codec.build_request(call), call.settings.extra_body)
    return msgspec.json.decode(request.body), request.warnings  # type: ignore[arg-type]


def strip_opaque(call: TextCall) -> TextCall:
    """The call without what only the protocol understands: what then is missing travelled beside our types. Thoughts,
    and parts that are a block of the protocol as a whole, are kept by design as they came: bare they are nothing.
    """
    settings = call.settings.replace(extra_body=None)
    if tools := settings.tools:
        settings = settings.replace(tools=[_bare(tool) for tool in tools])
    messages = tuple(
        msgspec.structs.replace(_bare(message), parts=tuple(_bare_part(part) for part in message.parts))
        for message in call.input
    )
    return msgspec.structs.replace(call, settings=settings, input=messages)


def _bare_part(part: AnyPart) -> Any:
    whole = isinstance(part, Reasoning) or (part.opaque is not None and "type" in part.opaque.value)
    return part if whole else _bare(part)


def _bare(item: Any) -> Any:
    opaque = getattr(item, "opaque", None)
    return item if opaque is None or opaque.value == {} else msgspec.structs.replace(item, opaque=None)


def find_missing(whole: Any, other: Any, at: str = "") -> Iterator[str]:
    """Pointers of what `whole` has and `other` has not, or has otherwise. A missing branch is named at its root."""
    if isinstance(whole, dict) and isinstance(other, dict):
        for key, value in whole.items():
            place = f"{at}/{key.replace('~', '~0').replace('/', '~1')}"
            if key in other:
                yield from find_missing(value, other[key], place)
            else:
                yield place
    elif isinstance(whole, list) and isinstance(other, list):
        for index, value in enumerate(whole):
            if index < len(other):
                yield from find_missing(value, other[index], f"{at}/{index}")
            else:
                yield f"{at}/{index}"
    elif whole != other or isinstance(whole, bool) != isinstance(other, bool):
        yield at


def _all_pointers(value: Any, at: str = "") -> Iterator[str]:
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in pairs:
        yield f"{at}/{key}"
        yield from _all_pointers(item, f"{at}/{key}")


def find_pointers(reader: TextReader, field: str) -> tuple[str, ...]:
    """The places of one setting; a name that the protocol uses itself stands at the top."""
    return reader.pointers.get(field, (f"/{field}",))


def _is_reported(reader: TextReader, place: str, warnings: tuple[CallWarning, ...]) -> bool:
    return any(is_covered(find_pointers(reader, warning.field), place) for warning in warnings)


def is_covered(patterns: tuple[str, ...], place: str) -> bool:
    return any(re.fullmatch(pattern.replace("*", r"\d+") + r"(/.*)?", place) for pattern in patterns)


def _holds_something(body: Any, place: str) -> bool:
    """Whether there is a value at a pointer: an explicit null, or an empty list, says nothing that could be lost."""
    for step in place.split("/")[1:]:
        key = step.replace("~1", "/").replace("~0", "~")
        body = body[int(key)] if isinstance(body, list) else body[key]
    return body is not None and body != []
