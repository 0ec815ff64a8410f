"""Recorded exchanges read by our codecs, offline. It judges us, so it does not flatter us."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec

from betterai.core.accumulate import Accumulator
from betterai.core.codec import TextCall, TextExchange
from betterai.core.data import Data
from betterai.core.exceptions import BetterAIError, ConfigurationError
from betterai.core.response import ProviderResponse
from betterai.core.settings import GenerationSettings
from betterai.core.usage import Usage
from betterai.core.wire import Call, Event, WireRequest, WireResponse
from betterai.runtime.registry import get_provider
from betterai.runtime.replay.framing import find_framing
from betterai.runtime.replay.round_trip import RoundTrip, find_model, find_reader, make_round_trip
from betterai.wire.error_bodies import UNREADABLE
from betterai.wire.errors import make_unreadable_event
from betterai.wire.framing import Framer, open_framer
from betterai.wire.openai_chat.server import find_model_in_path

KINDS = {
    "chat": "openai_chat",
    "messages": "anthropic_messages",
    "gemini": "gemini",
    "responses": "openai_responses",
    "converse": "bedrock_converse",
}
"""The shared protocol of a kind; others are not read yet. What a vendor speaks alone is of kind chat."""

MODALITIES = frozenset({"embeddings", "rerank", "moderation", "image", "image-edit", "transcription", "speech"})
"""Kinds that are no text."""

OURS = frozenset({"unreadable_reply", "unreadable_event", "no_choices"})
"""Codes of errors that say that we could not read, not that the provider sent an error."""

Cut = Callable[[bytes], Iterable[bytes]]


class ReplayUsage(Data, frozen=True, kw_only=True):
    input: int | None = None
    output: int | None = None
    cache_read: int | None = None
    cache_write: int | None = None
    reasoning: int | None = None


class ReplayReport(Data, frozen=True, kw_only=True):
    """What was read of one exchange. With n > 1 it is choice 0."""

    file: str
    provider: str = ""
    kind: str = ""
    verdict: str = "failed"
    detail: str = ""
    content: str = ""
    reasoning: str = ""
    tool_calls: tuple[Mapping[str, Any], ...] = ()
    finish_reason: str | None = None
    raw_finish_reason: str = ""
    usage: ReplayUsage | None = None
    vectors: tuple[int, ...] = ()
    media: tuple[Mapping[str, Any], ...] = ()
    ranking: tuple[Mapping[str, Any], ...] = ()
    verdicts: tuple[Mapping[str, Any], ...] = ()
    words: int | None = None
    job: Mapping[str, Any] | None = None
    error: Mapping[str, Any] | None = None
    round_trip: RoundTrip | None = None


def as_json(report: ReplayReport) -> bytes:
    """One line of JSON, without its line end."""
    return msgspec.json.encode(report)


def replay_paths(paths: Iterable[str]) -> Iterator[ReplayReport]:
    """The reports of all exchanges in these files and folders, in order."""
    for path in paths:
        root = Path(path)
        files = sorted(root.rglob("*.json")) if root.is_dir() else [root]
        for file in files:
            yield replay_file(file)


def replay_file(file: Path) -> ReplayReport:
    """The report of one file; a file that is no exchange is a failure, not a crash."""
    try:
        exchange = msgspec.json.decode(file.read_bytes())
    except (OSError, ValueError) as error:
        return ReplayReport(file=str(file), detail=f"not a recorded exchange: {error}")
    if not isinstance(exchange, dict) or not isinstance(exchange.get("response"), dict):
        return ReplayReport(file=str(file), detail="not a recorded exchange: it has no response")
    return replay_exchange(exchange, str(file))


def replay_exchange(exchange: Mapping[str, Any], file: str = "", cut: Cut | None = None) -> ReplayReport:
    """The report of one exchange. `cut` says in which pieces a streamed body arrives; by default in one."""
    provider, kind = str(exchange.get("provider", "")), str(exchange.get("kind", ""))
    report = ReplayReport(file=file, provider=provider, kind=kind)
    base_kind = str(exchange.get("base_kind", kind)) if kind == "error" else kind
    if base_kind == "files":
        return _replay_files(report, exchange)
    if base_kind == "batch":
        return _replay_batches(report, exchange)
    if base_kind == "count-tokens":
        return _replay_count(report, exchange)
    if base_kind == "video":
        return _replay_step(report, exchange)
    if base_kind in MODALITIES:
        return _replay_result(report, base_kind, exchange)
    codec, why = _find_codec(provider, base_kind, exchange)
    if codec is None:
        return msgspec.structs.replace(report, verdict="unsupported", detail=why)
    try:
        call, round_trip = _read_request(exchange, provider, codec)
        report = msgspec.structs.replace(report, round_trip=round_trip)
        report = _read_reply(report, codec, call, exchange["response"], cut)
    except BetterAIError as error:
        return msgspec.structs.replace(report, verdict="failed", detail=f"{type(error).__name__}: {error}")
    if round_trip is not None and round_trip.sent is None and report.error is None:
        return msgspec.structs.replace(
            report, verdict="failed", detail="we refuse a request that the provider answered: " + round_trip.detail
        )
    return report


def _replay_files(report: ReplayReport, exchange: Mapping[str, Any]) -> ReplayReport:
    from betterai.runtime.replay.files import find_files_codec, read_files

    found = find_files_codec(report.provider, exchange)
    return _read_by(found, report, exchange, lambda codec, reply: {"content": read_files(codec, exchange, reply)})


def _replay_batches(report: ReplayReport, exchange: Mapping[str, Any]) -> ReplayReport:
    from betterai.runtime.replay.batches import find_batch_codec, read_batches

    def read(codec: Any, reply: WireResponse) -> dict[str, Any]:
        return {"content": read_batches(codec, report.provider, exchange, reply)}

    return _read_by(find_batch_codec(report.provider), report, exchange, read)


def _replay_count(report: ReplayReport, exchange: Mapping[str, Any]) -> ReplayReport:
    from betterai.runtime.replay.counts import find_count_codec, read_count, read_count_request

    provider = report.provider
    found = find_count_codec(provider, exchange)
    if found[0] is not None:
        report = msgspec.structs.replace(report, round_trip=read_count_request(found[0], provider, exchange))

    def read(codec: Any, reply: WireResponse) -> dict[str, Any]:
        return {"usage": ReplayUsage(input=read_count(codec, provider, exchange, reply))}

    return _read_by(found, report, exchange, read)


def _replay_result(report: ReplayReport, kind: str, exchange: Mapping[str, Any]) -> ReplayReport:
    from betterai.runtime.replay.modalities import describe_result, fill_elided, find_category_codecs, read_result

    def read(codecs: Any, reply: WireResponse) -> dict[str, Any]:
        whole = msgspec.structs.replace(reply, body=fill_elided(reply.content))
        result = read_result(codecs, kind, exchange, whole)
        return {"usage": _usage(result.usage), **describe_result(result)}

    return _read_by(find_category_codecs(report.provider, kind, exchange), report, exchange, read)


def _replay_step(report: ReplayReport, exchange: Mapping[str, Any]) -> ReplayReport:
    from betterai.runtime.replay.jobs import find_job_codec, read_step

    found = find_job_codec(report.provider, exchange)
    return _read_by(found, report, exchange, lambda codec, reply: read_step(codec, exchange, reply))


def _read_by(
    found: tuple[Any, str],
    report: ReplayReport,
    exchange: Mapping[str, Any],
    read: Callable[[Any, WireResponse], Mapping[str, Any]],
) -> ReplayReport:
    """The report with the fields that `read` makes of the reply, or with the error that it is. `found` are the codec,
    or why there is none.
    """
    codec, why = found
    if not codec:
        return msgspec.structs.replace(report, verdict="unsupported", detail=why)
    response = exchange["response"]
    status, headers = response["status"], response.get("headers") or {}
    try:
        said = read(codec, WireResponse(status=status, headers=headers, body=_body_bytes(response)))
    except BetterAIError as error:
        if status >= 300:
            return msgspec.structs.replace(report, verdict="read", error=describe_error(error))
        return _judge_error(report, error)
    return msgspec.structs.replace(report, verdict="read", **said)


def _find_codec(provider: str, kind: str, exchange: Mapping[str, Any]) -> tuple[TextExchange | None, str]:
    """The provider's codec that asks at the recorded address; where none was recorded, the first that may have."""
    kind = kind.removesuffix("-stream")
    if (shared := KINDS.get(kind)) is None:
        return None, f"no codec for {kind}"
    try:
        declared = get_provider(provider).protocols.get("text", {})
    except ConfigurationError:
        return None, f"no provider {provider}"
    codecs = [codec for codec in declared.values() if _is_of_kind(codec, kind)]
    request = exchange.get("request") or {}
    if url := request.get("url"):
        path = urlsplit(url).path
        if request.get("method") == "DELETE":
            return None, f"no codec for DELETE {path}"
        found = next((codec for codec in codecs if codec.answers(path)), None)
        return found, "" if found else f"no codec for {path}"
    spoken = any(codec.protocol == shared for codec in codecs)
    foreign = spoken and _is_foreign(shared, exchange["response"])
    fitting = [codec for codec in codecs if not spoken or (codec.protocol == shared) != foreign]
    if fitting:
        return fitting[0], ""
    if codecs and foreign:
        return None, f"the reply is not in {shared}, and where it was asked for was not recorded"
    return None, f"{provider} does not speak {shared} here"


def _is_of_kind(codec: Any, kind: str) -> bool:
    """Whether exchanges of a kind may be in a codec's protocol: the shared one of the kind, or a vendor's own."""
    protocol = getattr(codec, "protocol", "")
    return protocol == KINDS[kind] or (kind == "chat" and bool(protocol) and protocol not in KINDS.values())


_ANSWERS = {"openai_chat": {"choices", "error"}, "gemini": {"candidates", "promptFeedback", "error"}}
"""The fields of which the replies of a protocol have one."""


def _is_foreign(protocol: str, response: Mapping[str, Any]) -> bool:
    """Whether a reply is in another protocol: an answer without its fields, or lines of JSON."""
    if (known := _ANSWERS.get(protocol)) is None:
        return False
    body = response.get("body")
    answered = response["status"] < 300 and isinstance(body, dict) and not body.keys() & known
    return answered or str(response.get("body_text", "")).lstrip().startswith("{")


def _read_request(exchange: Mapping[str, Any], provider: str, codec: TextExchange) -> tuple[TextCall, RoundTrip | None]:
    """The call that the request was, as far as it was recorded, and what a round trip of it loses."""
    recorded = exchange.get("request") or {}
    body, url, name = recorded.get("body"), str(recorded.get("url") or ""), str(exchange.get("model") or "")
    if isinstance(body, dict) and body and find_reader(codec) is not None:
        if codec.protocol == "openai_chat":
            body = {"model": find_model_in_path(url) or name, **body}
        request = WireRequest(url=url, headers=recorded.get("headers") or {}, body=body)
        call, round_trip = make_round_trip(codec, provider, request)
        if call is not None:
            return call, round_trip
    stream = bool(exchange.get("stream"))
    model, settings = find_model(provider, name), GenerationSettings()
    return Call(model=model, input=(), settings=settings, stream=stream, id="replay"), None


def _read_reply(
    report: ReplayReport, codec: TextExchange, call: TextCall, response: Mapping[str, Any], cut: Cut | None
) -> ReplayReport:
    status, headers = response["status"], response.get("headers") or {}
    body = _body_bytes(response)
    if not 200 <= status < 300:
        error = codec.parse_error(WireResponse(status=status, headers=headers, body=body))
        return msgspec.structs.replace(report, verdict="read", error=describe_error(error))
    events = _events(response, body, cut)
    if events is None:
        try:
            result = codec.parse_response(call, WireResponse(status=status, headers=headers, body=body))
        except BetterAIError as error:
            return _judge_error(report, error)
        if isinstance(result, WireRequest):
            return msgspec.structs.replace(report, detail="the reply asks for one more request")
        return describe_response(report, result)
    gathered = Accumulator(call.model.id)
    try:
        for chunk in _read_stream(codec, call, events):
            gathered.add(chunk)
    except BetterAIError as error:
        return _judge_error(describe_response(report, gathered.response()), error)
    return describe_response(report, gathered.response())


def _read_stream(codec: TextExchange, call: TextCall, events: Iterable[Event]) -> Iterator[Any]:
    state = codec.open_stream(call)
    try:
        for event in events:
            yield from state.parse_event(event)
            if state.done:
                break
        yield from state.finish()
    except UNREADABLE as error:
        raise make_unreadable_event(b"", error) from error


def _body_bytes(response: Mapping[str, Any]) -> bytes:
    if "body_base64" in response:
        return b64decode(response["body_base64"])
    if "body_text" in response:
        return str(response["body_text"]).encode()
    return msgspec.json.encode(response["body"]) if response.get("body") is not None else b""


def _events(response: Mapping[str, Any], body: bytes, cut: Cut | None) -> Iterator[Event] | None:
    """The events of a streamed reply; None for a whole one. A list is a stream that an SDK had already decoded, or only
    cut into lines.
    """
    if isinstance(items := response.get("body"), list):
        if items and all(isinstance(item, str) for item in items):
            return _frame(open_framer("sse"), "\n".join([*items, "", ""]).encode(), cut)
        return (Event(data=msgspec.json.encode(item)) for item in items)
    framing = find_framing(response, body)
    return None if framing is None else _frame(open_framer(framing), body, cut)


def _frame(framer: Framer, body: bytes, cut: Cut | None) -> Iterator[Event]:
    for piece in cut(body) if cut is not None else (body,):
        yield from framer.feed(piece)
    yield from framer.flush()


def _judge_error(report: ReplayReport, error: BetterAIError) -> ReplayReport:
    """An error that the provider stated was read; one that says that we could not read is a failure."""
    stated = bool(error.provider_message) and error.code not in OURS
    return msgspec.structs.replace(
        report, verdict="read" if stated else "failed", detail="" if stated else str(error), error=describe_error(error)
    )


def describe_error(error: BetterAIError) -> dict[str, Any]:
    return {
        "class": type(error).__name__,
        "status": error.status,
        "code": error.code,
        "message": error.provider_message,
        "retryable": error.retryable,
        "retry_after": error.retry_after,
    }


def describe_response(report: ReplayReport, response: ProviderResponse) -> ReplayReport:
    return msgspec.structs.replace(
        report,
        verdict="read",
        content=response.content,
        reasoning=response.reasoning,
        tool_calls=tuple({"name": c.name, "arguments": _arguments(c)} for c in response.tool_calls if not c.server),
        finish_reason=response.finish_reason,
        raw_finish_reason=response.raw_finish_reason,
        usage=_usage(response.usage),
        media=tuple({"mime_type": m.mime_type, "bytes": _size(m)} for m in response.media),
    )


def _usage(usage: Usage | None) -> ReplayUsage | None:
    if usage is None:
        return None
    return ReplayUsage(
        input=usage.input_tokens,
        output=usage.output_tokens,
        cache_read=usage.cache_read_tokens if usage.cached else None,
        cache_write=usage.cache_write_tokens if usage.cache_write else None,
        reasoning=usage.reasoning,
    )


def _arguments(call: Any) -> Any:
    try:
        return call.parse_arguments()
    except ValueError:
        return call.arguments


def _size(media: Any) -> int | None:
    try:
        return len(media.to_bytes()) if media.form == "bytes" else None
    except ValueError:
        return None
