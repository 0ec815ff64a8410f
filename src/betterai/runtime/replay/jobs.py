"""Recorded steps of jobs: a reply to a submit, or to a look, read by the codec that asks so."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from betterai.core.exceptions import ConfigurationError, ProviderError
from betterai.core.media import Media
from betterai.core.settings import VideoSettings
from betterai.core.wire import Call, Checkpoint, Wait, WireRequest, WireResponse
from betterai.runtime.registry import get_provider
from betterai.runtime.replay.round_trip import find_model

FETCHED = WireResponse(status=200, headers={"content-type": "video/mp4"})
"""In place of a film that another exchange holds, if any."""


def find_job_codec(provider: str, exchange: Mapping[str, Any]) -> tuple[Any, str]:
    """The provider's codec of films that asks at the recorded address; else None and why."""
    try:
        declared = get_provider(provider).protocols.get("video", {})
    except ConfigurationError:
        return None, f"no provider {provider}"
    path = urlsplit(str((exchange.get("request") or {}).get("url") or "")).path
    if not path:
        return None, "where it was asked for was not recorded"
    found = next((codec for codec in declared.values() if codec.answers(path)), None)
    return found, "" if found is not None else f"no codec for {path}"


def read_step(codec: Any, exchange: Mapping[str, Any], reply: WireResponse) -> dict[str, Any]:
    """What a reply says of its job, as fields of a report. Raises the error that it is, where it is one."""
    if not 200 <= reply.status < 300:
        raise codec.parse_error(reply)
    request = exchange["request"]
    url, method = urlsplit(str(request["url"])), str(request.get("method") or "GET")
    model = find_model(str(exchange.get("provider", "")), str(exchange.get("model") or ""))
    place = {"base_url": f"{url.scheme}://{url.netloc}"}
    call: Call[Any, Any] = Call(model=model, input="", settings=VideoSettings(), id="replay", provider_settings=place)
    if reply.headers.get("content-type", "").startswith("video/"):
        return {"job": {"step": "fetched"}, "media": ({"mime_type": reply.headers["content-type"], "bytes": None},)}
    state = {"call": "replay", "id": next((value for _, value in parse_qsl(url.query)), url.path.rpartition("/")[2])}
    look = codec.run(call, state)
    asked = next(look)
    if method == asked.method and (method == "GET" or url.path.endswith(urlsplit(asked.url).path)):
        return _read_look(look, reply)
    return _read_submit(codec.run(call), reply)


def _read_look(job: Generator[Any, Any, Any], reply: WireResponse) -> dict[str, Any]:
    try:
        step = job.send(reply)
        if isinstance(step, Wait):
            return {"job": {"step": "running", "progress": step.progress}}
        while isinstance(step, WireRequest):
            step = job.send(FETCHED)
    except StopIteration as ended:
        films = ended.value.videos
        return {"job": {"step": "made"}, "media": tuple(map(_describe, films))}
    raise ProviderError("the job did not end where it should", code="unreadable_reply")


def _read_submit(job: Generator[Any, Any, Any], reply: WireResponse) -> dict[str, Any]:
    step = next(job)
    while not isinstance(step, WireRequest):
        step = job.send(None)
    step = job.send(reply)
    if not isinstance(step, Checkpoint):
        raise ProviderError("the submit gave no job", code="unreadable_reply")
    return {"job": {"step": "submitted", "id": step.state["id"]}}


def _describe(film: Media) -> dict[str, Any]:
    return {"mime_type": film.mime_type, "bytes": len(film.to_bytes()) or None if film.form == "bytes" else None}
