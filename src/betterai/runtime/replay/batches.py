"""Recorded exchanges about batches, read by the codecs of category batch, and the answers in them by those of text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

import msgspec

from betterai.core.batches import BatchAnswer, BatchLine, BatchPart
from betterai.core.codec import BatchCodec
from betterai.core.config import CoreConfig
from betterai.core.exceptions import ConfigurationError
from betterai.core.model import Category
from betterai.core.provider import Provider
from betterai.core.wire import WireRequest, WireResponse
from betterai.runtime.batches.endpoint.answers import AnswerReader
from betterai.runtime.batches.endpoint.lines import LinePlanner, StoredLine
from betterai.runtime.connection import Connection
from betterai.runtime.registry import get_provider
from betterai.wire.batches import read_lines

_OFFLINE = CoreConfig(api_key="none", base_url="https://replayed.invalid")


def find_batch_codec(provider: str) -> tuple[BatchCodec | None, str]:
    """The provider's codec for batches; else None and why."""
    try:
        codecs = get_provider(provider).protocols.get("batch", {})
    except ConfigurationError:
        return None, f"no provider {provider}"
    codec = next(iter(codecs.values()), None)
    return codec, "" if codec is not None else f"no codec for batches of {provider}"


def read_batches(codec: BatchCodec, provider: str, exchange: Mapping[str, Any], reply: WireResponse) -> str:
    """What a reply says of batches, as JSON. Raises the error that it is, where it is one."""
    if not 200 <= reply.status < 300:
        raise codec.parse_error(reply)
    request = exchange.get("request") or {}
    path = urlsplit(str(request.get("url") or "")).path
    if path.endswith("/results"):
        return _write(read_answers(provider, codec, _fetch(codec, reply), str(exchange.get("model") or "")))
    if path.endswith("/requests"):
        return msgspec.json.encode({"submitted": codec.read_submitted({"batch": path.split("/")[-2]}, reply)}).decode()  # type: ignore[attr-defined]
    body = msgspec.json.decode(reply.content)
    rows = body.get("data", body.get("operations")) if isinstance(body, dict) else None
    if isinstance(rows, list):
        looks = [codec.parse_look(msgspec.structs.replace(reply, body=msgspec.json.encode(row))) for row in rows]
        return msgspec.json.encode({"batches": [_describe(look) for look in looks]}).decode()
    return msgspec.json.encode(_describe(codec.parse_look(reply))).decode()


def read_answer_file(provider: str, reply: WireResponse) -> str | None:
    """The answers in a file, as JSON; None where it holds none."""
    codec, _ = find_batch_codec(provider)
    answers = list(read_lines(reply.lines()))
    return _write(read_answers(provider, codec, answers, "")) if codec is not None and answers else None


def read_answers(provider: str, codec: BatchCodec, answers: Iterable[BatchAnswer], model: str) -> Iterator[BatchLine]:
    """Each answer, as its body says in what protocol it is."""
    declared = get_provider(provider)
    for answer in answers:
        category, protocol = _find_protocol(codec, answer)
        planner = LinePlanner(declared, codec, _OFFLINE, category, None)
        reader = AnswerReader(planner, Connection(declared, _OFFLINE), category, getattr(codec, "reads", {}))
        yield reader.read(answer, StoredLine(model=model or _name_model(declared), protocol=protocol, settings={}))


def _find_protocol(codec: BatchCodec, answer: BatchAnswer) -> tuple[Category, str]:
    kinds: Mapping[str, tuple[Category, str]] = {
        "response": ("text", "openai_responses"), "chat.completion": ("text", "openai_chat"),
        "list": ("embeddings", "openai_embeddings"),
    }  # fmt: skip
    body = msgspec.json.decode(answer.reply.content) if answer.reply is not None else {}
    kind = body.get("object") if isinstance(body, dict) else None
    return kinds.get(str(kind)) or ("text", next(iter(codec.carries["text"])))


def _name_model(provider: Provider) -> str:
    return provider.defaults.get("text", "unnamed")


def _fetch(codec: BatchCodec, reply: WireResponse) -> Iterator[BatchAnswer]:
    """The answers of one reply to the request for them."""
    look = WireResponse(status=200, body=b'{"results_url": "there"}')
    job = codec.fetch({"id": "there", "batch": "there"}, look)
    step = next(job)
    while not isinstance(step, WireRequest):
        step = next(job)
    try:
        step = job.send(reply)
        while isinstance(step, BatchAnswer):
            yield step
            step = next(job)
    except StopIteration:
        return


def _describe(part: BatchPart) -> dict[str, Any]:
    counts = {name: value for name, value in msgspec.to_builtins(part.counts).items() if value}
    found = {"id": part.id, "state": part.state, "raw_state": part.raw_state, "counts": counts, "error": part.error}
    return {name: value for name, value in found.items() if value}


def _write(lines: Iterable[BatchLine]) -> str:
    return msgspec.json.encode({"lines": [_describe_line(line) for line in lines]}).decode()


def _describe_line(line: BatchLine) -> dict[str, Any]:
    response, usage = line.response, line.usage
    found = {
        "id": line.id,
        "state": line.state,
        "content": getattr(response, "content", ""),
        "vectors": len(getattr(response, "vectors", ())),
        "usage": [usage.input_tokens, usage.output_tokens] if usage is not None else None,
        "error": str(line.error) if line.error is not None else "",
    }
    return {name: value for name, value in found.items() if value}
