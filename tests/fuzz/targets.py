"""What is attacked: everything that reads bytes of somebody else's. Nothing but our errors may come out."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from functools import cache, partial
from random import Random
from typing import Any

import msgspec

from betterai.core.batches import BatchInput
from betterai.core.exceptions import BetterAIError, UnsupportedParam
from betterai.core.media import Media
from betterai.core.message import Message
from betterai.core.price import Price, Rates, price_usage
from betterai.core.response import ProviderResponse, TextChunk
from betterai.core.settings import CallSettings
from betterai.core.usage import Usage
from betterai.core.wire import Call, Event, WireRequest, WireResponse
from betterai.runtime.encoding import encode_request
from betterai.runtime.gatherer import Gatherer
from betterai.runtime.replay.round_trip import find_reader
from betterai.runtime.stream_pieces import finish_stream, read_piece
from betterai.wire.adoption import leave_extras
from betterai.wire.framing import Framer, open_framer
from betterai.wire.partial_json import PartialJson
from betterai.wire.surfaces import SURFACES
from betterai.wire.waits import parse_retry_after
from contract.cases import CODECS as CASES
from contract.cases import TEXT_CODECS, Case
from fuzz import seeds
from fuzz.mutations import mutate_bytes, mutate_json
from fuzz.seeds import CALL, OWN_BODIES, OWN_ERRORS, OWN_STREAMS
from wire.test_any_to_any import CODECS

PRICE = Price(rates=Rates(tokens={"text_in": Decimal(1), "text_out": Decimal(2)}))
BETWEEN, WITHIN = b"\x1e", b"\x1f"
"""Between the events of a stream in one seed, and between an event's name and its data."""
STATUSES = (300, 400, 401, 402, 403, 404, 408, 413, 422, 429, 500, 503, 529)


@dataclass(frozen=True)
class Target:
    """`run` reads bytes, and may raise our errors; `mutate` makes other bytes of a seed."""

    name: str
    seeds: tuple[bytes, ...]
    run: Callable[[bytes], object]
    mutate: Callable[[Random, bytes], bytes]

    def attack(self, data: bytes) -> object:
        """What comes out, an error of ours included. Any other exception goes through: it is a find."""
        try:
            return self.run(data)
        except BetterAIError as error:
            check_error(error)
            return error


# ── reading ──


def check_error(error: BetterAIError) -> None:
    assert str(error)
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


def read_response(codec: Any, data: bytes) -> object:
    """A whole answer; and what was read is priced, shown, stored, and sent back as history."""
    result = codec.parse_response(CALL, WireResponse(status=200, headers={}, body=data))
    if isinstance(result, ProviderResponse):
        use_response(codec, result)
    return result


def use_response(codec: Any, result: ProviderResponse) -> None:
    price_usage(result.usage, PRICE)
    assert repr((result, result.raw))
    if result.usage is not None:
        assert isinstance(result.usage.total_tokens + result.usage.input_tokens + result.usage.output_tokens, int)
    message = result.message or Message.assistant(result.content)
    assert msgspec.json.decode(msgspec.json.encode(message), type=Message) == message
    history = (*CALL.input, message, Message.user("And?"))
    encode_request(codec.build_request(msgspec.structs.replace(CALL, input=history)), None)


def read_error(codec: Any, data: bytes) -> object:
    for status in STATUSES:
        error = codec.parse_error(WireResponse(status=status, headers={}, body=data))
        assert isinstance(error, BetterAIError)
        assert error.status == status
        assert str(error)
        pickle.dumps(error)
    raise error


def read_stream(codec: Any, framer: Framer, pieces: Sequence[bytes]) -> tuple[list[TextChunk], BetterAIError | None]:
    """As the text runner reads it, to its end or to an error."""
    state, gathered = codec.open_stream(CALL), Gatherer("m", None)
    chunks: list[TextChunk] = []
    try:
        for piece in (*pieces, b""):
            said = read_piece(state, framer, piece, gathered)
            chunks += said if chunks else gathered.hold_back(said)
            if state.done:
                break
        chunks += finish_stream(state, gathered, None)
        response = gathered.response()
        chunks += gathered.last_chunks(response.usage)
        use_response(codec, response)
    except BetterAIError as error:
        gathered.response()
        return chunks, error
    anew = max((index for index, chunk in enumerate(chunks) if chunk.reset), default=0)
    told = [chunk.choice for chunk in chunks[anew:] if chunk.finish_reason is not None]
    assert told, "an answer has ended"
    assert len(told) == len(set(told)), "a choice ends once"
    assert sum(chunk.usage is not None for chunk in chunks) <= 1
    return chunks, None


def read_cut(codec: Any, reply: Any, data: bytes) -> object:
    """However the network cuts a stream, the same comes out."""
    size = 1 + len(data) % 97
    pieces = [data[place : place + size] for place in range(0, len(data), size)]
    whole, cut = (read_stream(codec, open_framer(reply), it) for it in ([data] if data else [], pieces))
    said = [[(*_deltas(chunks),), repr(error)] for chunks, error in (whole, cut)]
    assert said[0] == said[1]
    if whole[1] is not None:
        raise whole[1]
    return whole[0]


def _deltas(chunks: Sequence[TextChunk]) -> Iterator[Any]:
    for chunk in chunks:
        yield msgspec.structs.replace(chunk, body=b"")


class Framed:
    """A framer of events that are framed already, also where framing would guard against such."""

    def __init__(self, data: bytes) -> None:
        items = [item.partition(WITHIN) for item in data.split(BETWEEN)]
        self._events = [Event(data=body, name=name.decode("latin-1")) for name, _, body in items]

    def feed(self, data: bytes) -> Sequence[Event]:
        return self._events

    def flush(self) -> Sequence[Event]:
        return ()


def read_events(codec: Any, data: bytes) -> object:
    chunks, error = read_stream(codec, Framed(data), [b"-"])
    if error is not None:
        raise error
    return chunks


def read_request(reader: Any, url: str, codec: Any, data: bytes) -> object:
    """A client's request at a server half; and it is sent on, over the same protocol and over all others."""
    call = reader.parse_request(WireRequest(url=url, body=data))
    call = msgspec.structs.replace(call, id="0" * 32, model=msgspec.structs.replace(call.model, id="m", provider="any"))
    assert msgspec.json.encode(call.input)
    for other in CODECS.values():
        with suppress(UnsupportedParam):
            encode_request(other.build_request(leave_extras(call)), None)
    return encode_request(codec.build_request(call), call.settings.extra_body)


def read_relayed(surface: Any, data: bytes) -> object:
    """What a relay reads of bytes that pass through."""
    usage = surface.read_usage(data)
    assert usage is None or isinstance(usage, Usage)
    surface.rewrite(data, "other")
    return surface.rewrite(data, None)


def read_frames(framing: Any, data: bytes) -> object:
    framer, size = open_framer(framing), 1 + len(data) % 13
    found = [event for at in range(0, len(data), size) for event in framer.feed(data[at : at + size])]
    found += framer.flush()
    assert sum(len(event.data) for event in found) <= len(data) + len(found)
    return found


def read_partial(data: bytes) -> object:
    """Whatever way it is cut; and a whole JSON text is what a JSON reader reads."""
    text = data.decode("utf-8", "replace")
    whole, single = PartialJson(), PartialJson()
    whole.feed(text)
    for letter in text:
        single.feed(letter)
    for reader in (whole, single):
        reader.finish()
    with suppress(RecursionError):  # depth is no matter to the reader, but to who compares
        assert repr(whole.value) == repr(single.value)
    return whole.value


def read_waits(data: bytes) -> object:
    name, _, value = data.decode("latin-1").partition(":")
    pairs = {name.lower(): value.strip(), name.lower().replace("reset", "remaining"): "0"}
    waits = [parse_retry_after(pairs, value, now) for now in (None, 1.8e9)]
    assert all(wait is None or 0 <= wait < float("inf") for wait in waits)
    return waits


def read_other(codec: Any, data: bytes) -> object:
    """Counts, and files and their lists."""
    reply = WireResponse(status=200, headers={}, body=data)
    if hasattr(codec, "parse_list"):
        files: object = ()
        with suppress(BetterAIError):
            files = codec.parse_list(reply)[0]
        return files or codec.parse_file(reply)
    return codec.parse_response(CALL, reply)


def read_batch(codec: Any, data: bytes) -> object:
    """How a batch stands, what of it is found by name, and its answers."""
    reply = WireResponse(status=200, headers={}, body=data)
    state = {"id": "b", "batch": "b", "file": "f"}
    check_error(codec.parse_error(msgspec.structs.replace(reply, status=400)))
    for job in (codec.fetch(state, reply), codec.fetch(state, LOOK), codec.search(BATCH_CALL, state)):
        with suppress(StopIteration, BetterAIError):
            step = next(job)
            while True:
                step = job.send(reply if isinstance(step, WireRequest) else None)
    return codec.parse_look(reply)


LOOK = WireResponse(
    status=200,
    body=b'{"output_file_id": "f", "output_file": "f", "results_url": "r", "response": {"responsesFile": "files/f"}}',
)
BATCH_CALL: Any = Call(
    model=CALL.model, settings=CallSettings(),
    input=BatchInput(name="n", body=Media(kind="document", data=b""), count=1, size=1, target="t"),
)  # fmt: skip


# ── the targets ──


def mutate_any(random: Random, data: bytes) -> bytes:
    return (mutate_json if random.random() < 0.7 else mutate_bytes)(random, data)


def mutate_events(random: Random, data: bytes) -> bytes:
    """Events changed, left out, doubled, or in another order."""
    events = data.split(BETWEEN)
    for _ in range(random.choice((1, 1, 2, 3))):
        place = random.randrange(len(events))
        kind = random.randrange(8)
        if kind == 0 and len(events) > 1:
            del events[place]
        elif kind == 1:
            events.insert(random.randrange(len(events)), events[place])
        elif kind == 2:
            other = random.randrange(len(events))
            events[place], events[other] = events[other], events[place]
        elif kind == 3:
            events = events[: place + 1]
        else:
            name, _, body = events[place].partition(WITHIN)
            names = [item.partition(WITHIN)[0] for item in events]
            name = random.choice([*names, b"error", b""]) if kind == 4 else name
            events[place] = name + WITHIN + (body if kind == 4 else mutate_any(random, body))
    return BETWEEN.join(events)


def _events_in(reply: Any, written: bytes) -> bytes:
    framer = open_framer(reply)
    try:
        found = [*framer.feed(written), *framer.flush()]
    except BetterAIError:  # recorded in another framing
        return b""
    return BETWEEN.join(event.name.encode() + WITHIN + event.data for event in found)


def _text_targets(case: Case, name: str, *, more: bool) -> Iterator[Target]:
    codec, protocol = case.codec, case.protocol
    spoken = protocol in SURFACES
    bodies = seeds.bodies_of(protocol) if spoken else OWN_BODIES[protocol]
    errors = seeds.errors_of(protocol) if spoken else OWN_ERRORS[protocol]
    streams = seeds.streams_of(protocol) if spoken else (OWN_STREAMS[protocol],)
    reply = codec.build_request(CALL).reply
    written = tuple(b"".join(pieces) for pieces in streams)
    if more:
        whole, cut, failed = seeds.recorded(protocol)
        bodies, written, errors = (*bodies, *whole), (*written, *cut), (*errors, *failed)
    yield Target(f"{name} response", (*bodies, *errors), partial(read_response, codec), mutate_any)
    yield Target(f"{name} error", (*errors, bodies[0]), partial(read_error, codec), mutate_any)
    yield Target(f"{name} stream", written, partial(read_cut, codec, reply), mutate_bytes)
    framed = tuple(filter(None, (_events_in(reply, item) for item in written)))
    yield Target(f"{name} events", framed, partial(read_events, codec), mutate_events)


def _server_targets(case: Case, name: str) -> Iterator[Target]:
    reader = find_reader(case.codec)
    if case.protocol in SURFACES:
        asked = seeds.requests_of(case.protocol)
        events = tuple(item for pieces in seeds.streams_of(case.protocol) for item in pieces)
        relayed = (*seeds.bodies_of(case.protocol), *(_strip(item) for item in events))
        yield Target(f"{name} relayed", relayed, partial(read_relayed, SURFACES[case.protocol]()), mutate_any)
    else:
        request = encode_request(case.codec.build_request(CALL), None)
        assert isinstance(request.body, bytes)
        asked = ((request.url, request.body),)
    if reader is not None:
        for url in dict.fromkeys(url for url, _ in asked):
            bodies = tuple(body for at, body in asked if at == url)
            yield Target(f"{name} request", bodies, partial(read_request, reader, url, case.codec), mutate_any)


def _strip(event: bytes) -> bytes:
    return event.partition(b"data: ")[2].strip() or event


def _shared_targets() -> Iterator[Target]:
    lines = (b'data: {"a": 1}\n\n', b": ping\r\n\r\nevent: a\r\ndata: b\r\ndata: c\r\n\r\n", b"\xef\xbb\xbfdata: x\n\n")
    frames = tuple(b"".join(pieces) for pieces in seeds.streams_of("bedrock_converse"))
    yield Target("sse", lines, partial(read_frames, "sse"), mutate_bytes)
    yield Target("ndjson", (b'{"a": 1}\n{"b": 2}\n', b"\r\n\n1"), partial(read_frames, "ndjson"), mutate_bytes)
    yield Target("event_stream", frames, partial(read_frames, "event_stream"), mutate_bytes)
    objects = (b'{"a": [1, -2.5e3, true, null, {"b": "c\\u00e9\\n"}], "d": ""}', b'"text"', b"[[],{}]")
    yield Target("partial_json", objects, read_partial, mutate_any)
    named = (
        b"retry-after: 3", b"retry-after: Wed, 21 Oct 2026 07:28:00 GMT", b"retry-after-ms: 20", b'ratelimit: "a";r=0;t=5',
        b"x-ratelimit-reset-tokens: 6m0s", b"anthropic-ratelimit-tokens-reset: 2026-01-01T00:00:00Z",
        b"x-ratelimit-reset: 1735689605000", b"x: Please try again in 1h2m3.5s",
    )  # fmt: skip
    yield Target("waits", named, read_waits, mutate_bytes)
    for case in CASES:
        if case.category in ("count", "files"):
            yield Target(f"{case}", OTHER, partial(read_other, case.codec), mutate_any)
        elif case.category == "batch":
            yield Target(f"{case}", BATCHES, partial(read_batch, case.codec), mutate_any)


OTHER = tuple(
    json.dumps(item).encode()
    for item in [
        {"input_tokens": 3}, {"token_ids": [{"token_id": 1, "string_token": "a"}]}, {"totalTokens": 3}, {"tokens": [1, 2]}, {"count": 3}, {"inputTokens": 3}, {"object": "list", "data": [
            {"id": "f", "filename": "a.txt", "bytes": 3, "created_at": 1, "expires_at": None, "status": "processed"}], "has_more": True},
        {"files": [{"name": "files/f", "sizeBytes": "3", "state": "ACTIVE", "createTime": "2026-01-01T00:00:00Z"}], "nextPageToken": "x"},
        {"id": "f", "filename": "a", "size_bytes": 3, "created_at": "2026-01-01T00:00:00Z", "mime_type": "a/b", "type": "file"},
    ]
)  # fmt: skip


ANSWER = {"object": "chat.completion", "choices": []}
BATCHES = tuple(
    b"\n".join(json.dumps(line).encode() for line in item)
    for item in [
        [{"id": "b", "status": "completed", "output_file_id": "f", "error_file_id": "g", "errors": {"data": [{"code": "c", "message": "m", "line": 3}]},
          "request_counts": {"total": 3, "completed": 2, "failed": 1}, "metadata": {"betterai": "x"}}],
        [{"id": "j", "status": "SUCCESS", "outputs": [{"custom_id": "a", "response": {"status_code": 200, "body": ANSWER}}], "errors": [{"message": "m"}]}],
        [{"id": "m", "processing_status": "ended", "request_counts": {"succeeded": 1, "expired": 1}, "results_url": "r"}],
        [{"name": "batches/b", "metadata": {"state": "BATCH_STATE_SUCCEEDED", "batchStats": {"successfulRequestCount": "1"}, "output": {"responsesFile": "files/f"}},
          "response": {"inlinedResponses": {"inlinedResponses": [{"metadata": {"key": "a"}, "response": {}}, {"error": {"code": 3}}]}}, "error": {"code": 3}}],
        [{"batch_id": "b", "state": {"num_requests": 2, "num_pending": 0, "num_success": 2}, "cancel_time": None}],
        [{"data": [{"id": "b", "metadata": {"betterai": "n"}, "created_at": 1}], "has_more": True}], [{"operations": [{"name": "batches/b", "metadata": {"displayName": "n"}}]}],
        [{"results": [{"batch_request_id": "a", "batch_result": {"response": {"chat_get_completion": ANSWER}}}, {"batch_request_id": "b", "batch_result": {"error": {"code": 3, "message": "m"}}}],
          "pagination_token": "t"}],
        [{"custom_id": "a", "response": {"status_code": 200, "request_id": "r", "body": ANSWER}, "error": None}, {"custom_id": "b", "error": {"code": "batch_expired"}}],
        [{"custom_id": "a", "result": {"type": "succeeded", "message": {}}}, {"custom_id": "b", "result": {"type": "errored", "error": {"error": {"type": "x"}}}}],
        [{"key": "a", "response": {}}, {"key": "b", "error": {"code": 4, "status": "DEADLINE_EXCEEDED"}}],
    ]
)  # fmt: skip


@cache
def all_targets(*, vendors: bool = False) -> tuple[Target, ...]:
    """One of each protocol; or of each vendor that speaks it, with the recorded bodies as seeds too."""
    found: dict[str, Target] = {}
    known: set[str] = set()
    for case in TEXT_CODECS:
        if not vendors and case.protocol in known:
            continue
        name = str(case) if vendors else case.protocol
        made = [
            *_text_targets(case, name, more=vendors),
            *(_server_targets(case, name) if case.protocol not in known else ()),
        ]
        known.add(case.protocol)
        for target in made:
            found[target.name if target.name not in found else f"{target.name} {len(found)}"] = target
    shared = list(_shared_targets())
    return (*found.values(), *shared)
