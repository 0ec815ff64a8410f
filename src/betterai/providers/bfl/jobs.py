"""Jobs at Black Forest Labs: submitted anywhere, looked at where the reply says, fetched from a signed address.

Sources: https://docs.bfl.ai; vercel/ai, packages/black-forest-labs (2026-08); litellm 1.109.1.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Generator, Mapping
from decimal import Decimal
from typing import Any, ClassVar, Generic, Literal, Never, TypeVar
from urllib.parse import SplitResult, parse_qsl, urlsplit

import msgspec
from msgspec import Struct

from betterai.core.exceptions import AuthenticationError, ContentFilterError, ProviderError
from betterai.core.media import Media
from betterai.core.results import Result
from betterai.core.usage import Usage
from betterai.core.wire import Call, Checkpoint, Wait, WireRequest, WireResponse
from betterai.wire.error_bodies import UNREADABLE, read_error
from betterai.wire.errors import make_stated_error, make_unreadable
from betterai.wire.exchanges import OneExchange
from betterai.wire.files import Step, need_reply
from betterai.wire.lenient import Reader
from betterai.wire.report import Report

C = TypeVar("C", bound=Call[Any, Any])
R = TypeVar("R", bound=Result)

CREDIT = Decimal("0.01")
"""US dollars (https://bfl.ai/pricing): `cost` is in credits."""
LOOK_PATH = "/v1/get_result"
FAILED = frozenset({"error", "failed", "task not found"})
MODERATED = frozenset({"request moderated", "content moderated"})
GONE = frozenset({401, 403, 404, 410})
"""What the storage says of an address that no longer holds."""


class TakenShape(Struct):
    id: str
    polling_url: str | None = None
    cost: Decimal | None = None


class ResultShape(Struct):
    sample: str | None = None
    prompt: str | None = None


class LookShape(Struct):
    status: str | None = None
    state: str | None = None
    result: ResultShape | None = None
    progress: float | None = None
    details: Any = None
    cost: Decimal | None = None

    @property
    def word(self) -> str:
        return self.status or self.state or ""


_decode_taken = Reader(TakenShape).decode
_decode_look = Reader(LookShape).decode


class FluxJobs(OneExchange[C, R, Never], Generic[C, R]):
    """Submit, look, fetch. The state holds where to look, as a host and a path: which region has the job, only the
    reply to its submit says. A status that is not known counts as not ready.
    """

    path: ClassVar[str] = "/v1/"
    waits: ClassVar[tuple[float, ...]] = (0.5, 0.5, 0.5, 0.5, 1.0)
    """Seconds between looks; the last again and again."""
    fetched_as: ClassVar[Literal["bytes", "file"]] = "bytes"

    @abstractmethod
    def complete(self, result: R, call: C, found: ResultShape) -> R:
        """The result with what the last look says of it, and with what is counted."""

    @abstractmethod
    def read(self, call: C, reply: WireResponse) -> R:
        """What was fetched. What decoding raises is left to the caller."""

    def run(self, call: C, state: Mapping[str, Any] | None = None) -> Generator[Step, WireResponse | None, R]:
        if state is None:
            yield Checkpoint(state={"call": call.id})
        looks = 0
        if state is None or "id" not in state:
            submit = msgspec.structs.replace(self.build_request(call), begins_job=True)
            state = read_taken(call, need_reply((yield submit)))
            yield Checkpoint(state=state)
            yield Wait(seconds=self.waits[0])
            looks = 1
        while True:
            reply = need_reply((yield make_look(call, state)))
            found = read_look(reply)
            if found.word.lower() == "ready" and found.result is not None and found.result.sample:
                break
            yield Wait(seconds=self.waits[min(looks, len(self.waits) - 1)], progress=_progress(found))
            looks += 1
        fetched = yield from self._fetch(call, found.result.sample)
        result = self.complete(self._read(call, fetched), call, found.result)
        cost = found.cost if found.cost is not None else read_cost(state)
        return msgspec.structs.replace(result, body=reply.content, usage=with_cost(result.usage, cost))

    def _fetch(self, call: C, url: str) -> Generator[Step, WireResponse | None, WireResponse]:
        """Without the key, unless the provider's own address serves it."""
        own = origin_of(url) == origin_of(base_of(call))
        try:
            return need_reply(
                (
                    yield WireRequest(
                        url=url,
                        method="GET",
                        reply=self.fetched_as,
                        trust="provider" if own else "foreign",
                        safe_to_repeat=True,
                    )
                )
            )
        except ProviderError as error:
            if error.status not in GONE:
                raise
            message = "the result can no longer be fetched: its address holds for ten minutes"
            raise ProviderError(message, status=error.status, provider_message=error.provider_message) from error

    def _read(self, call: C, reply: WireResponse) -> R:
        try:
            return self.read(call, reply)
        except UNREADABLE as error:
            raise make_unreadable(reply) from error

    def answers(self, path: str) -> bool:
        return self.path in path

    def address(self, call: C) -> str:
        return f"/{call.model.id}"

    def parse_error(self, reply: WireResponse) -> ProviderError:
        """A key that is wrong comes with status 403 as well."""
        found = read_error(reply.content)
        unknown = reply.status == 403 and "not authenticated" in found.message.lower()
        return make_stated_error(found, reply, kind=AuthenticationError if unknown else None)

    def write_n(self, body: dict[str, Any], value: Any, call: C, report: Report) -> None:
        if value not in (None, 1):
            report.drop("n", "there is one result a request", hint="ask more than once")

    def cancel(self, state: Mapping[str, Any]) -> WireRequest | None:
        return None


def read_taken(call: Call[Any, Any], reply: WireResponse) -> dict[str, Any]:
    """The state of a job that was taken. Raises `ProviderError` for a reply that names none."""
    try:
        taken = _decode_taken(reply.content)
    except UNREADABLE as error:
        found = read_error(reply.content)
        if found.message:
            raise make_stated_error(found, reply, status=found.likely_status) from error
        raise make_unreadable(reply) from error
    state: dict[str, Any] = {"call": call.id, "id": taken.id}
    if taken.cost is not None:
        state["cost"] = str(taken.cost)
    return state | _read_place(taken.polling_url, base_of(call)) if taken.polling_url else state


def _read_place(url: str, base_url: str) -> dict[str, Any]:
    """Where to look at a job, without the provider's own address, and without the job's id."""
    place = _split(url)
    found: dict[str, Any] = {"path": place.path}
    if origin_of(url) != origin_of(base_url):
        if place.scheme != "https" or not place.hostname:
            raise ProviderError("where to look at the job is no https address", code="unreadable_reply")
        found["host"] = place.netloc.rpartition("@")[2]
    query = {name: value for name, value in parse_qsl(place.query) if name != "id"}
    return {**found, "query": query} if query else found


def make_look(call: Call[Any, Any], state: Mapping[str, Any]) -> WireRequest:
    """The look at a job. The key goes to no other host than those that the provider names."""
    origin = f"https://{state['host']}" if "host" in state else origin_of(base_of(call))
    return WireRequest(
        url=f"{origin}{state.get('path', LOOK_PATH)}",
        method="GET",
        query={**state.get("query", {}), "id": state["id"], **(call.settings.extra_query or {})},
        headers=call.settings.extra_headers or {},
        safe_to_repeat=True,
    )


def read_look(reply: WireResponse) -> LookShape:
    """What a look says. Raises `ContentFilterError` for what was moderated, `ProviderError` for what failed."""
    try:
        found = _decode_look(reply.content)
    except UNREADABLE as error:
        raise make_unreadable(reply) from error
    word, details = found.word, found.details
    if not word:
        raise make_unreadable(reply)
    said = details if isinstance(details, str) else msgspec.json.encode(details).decode() if details else ""
    fields: dict[str, Any] = {
        "status": reply.status,
        "code": word,
        "provider_message": said,
        "body": reply.content[:65536],
    }
    if word.lower() in MODERATED:
        what = "the request" if word.lower().startswith("request") else "what came of it"
        raise ContentFilterError(f"{what} was moderated{': ' if said else ''}{said}", **fields)
    if word.lower() in FAILED or (word.lower() == "ready" and not (found.result and found.result.sample)):
        raise ProviderError(f"the job ended as {word!r}{': ' if said else ''}{said}", **fields)
    return found


def _progress(found: LookShape) -> float | None:
    """UNVERIFIED that it goes from 0 to 1: other values are left out."""
    return found.progress if found.progress is not None and 0 <= found.progress <= 1 else None


def read_cost(state: Mapping[str, Any]) -> Decimal | None:
    return Decimal(state["cost"]) if "cost" in state else None


def with_cost(usage: Usage | None, credits: Decimal | None) -> Usage | None:
    return usage if usage is None or credits is None else msgspec.structs.replace(usage, stated_cost=credits * CREDIT)


def write_media(media: Media) -> str:
    """A URL, or base64 without what data URLs begin with."""
    return media.url if media.url is not None else media.to_base64()


def base_of(call: Call[Any, Any]) -> str:
    return call.provider_settings.get("base_url", "")


def origin_of(url: str) -> str:
    parts = _split(url)
    return f"{parts.scheme}://{parts.netloc}".lower()


def _split(url: str) -> SplitResult:
    try:
        return urlsplit(url)
    except ValueError as error:
        raise ProviderError(f"an address in the reply cannot be read: {error}", code="unreadable_reply") from error
