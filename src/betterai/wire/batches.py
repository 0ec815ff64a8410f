"""What the codecs of batches do alike: submit once, look, read answers line by line. Vendors state what differs."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Generator, Iterable, Mapping
from typing import Any, ClassVar

import msgspec

from betterai.core.batches import BatchAnswer, BatchCounts, BatchLimits, BatchPart, BatchState, LineState
from betterai.core.codec import BatchCall
from betterai.core.exceptions import JobInDoubt, ProviderError, UnsupportedParam
from betterai.core.model import Category
from betterai.core.wire import Checkpoint, Wait, WireRequest, WireResponse
from betterai.wire.error_bodies import UNREADABLE, read_error, read_error_value
from betterai.wire.errors import make_stated_error, make_unreadable
from betterai.wire.files import need_reply
from betterai.wire.lenient import Reader

State = Mapping[str, Any]
Step = WireRequest | Wait | Checkpoint
Answers = Generator[WireRequest | BatchAnswer, WireResponse | None, None]
_encode = msgspec.json.Encoder().encode


class BatchSteps(ABC):
    """A batch as a job. The state holds ids, never a URL."""

    protocol: ClassVar[str]
    limits: ClassVar[BatchLimits] = BatchLimits()
    carries: ClassVar[Mapping[Category, Mapping[str, str]]]
    frame: ClassVar[tuple[bytes, bytes, bytes]] = (b"", b"\n", b"\n")
    partial: ClassVar[bool] = False
    reads: ClassVar[Mapping[str, str]] = {}
    states: ClassVar[Mapping[str, BatchState]]
    """The vendor's words for a batch; one that is not here is running."""
    settle_seconds: ClassVar[float] = 1.0
    """How long to wait before a submit that was not answered is looked for."""
    id_field: ClassVar[str] = "id"
    headers_of_all: ClassVar[frozenset[str]] = frozenset()
    """Headers, in lower case, that a whole batch may be sent with."""
    query_of_ours: ClassVar[frozenset[str]] = frozenset()
    """Parameters that our codecs put on a plain call, and that lines do without."""

    # ── lines ──

    def build_line(self, id: str, request: WireRequest, target: str) -> bytes:
        for name in request.query:
            if name not in self.query_of_ours:
                raise UnsupportedParam(f"extra_query: a line of a batch has no {name}", param="extra_query")
        if not isinstance(request.body, bytes):
            raise UnsupportedParam("a line of a batch is JSON, and this call is a form", param="media")
        body = request.body.replace(b"\r", b" ").replace(b"\n", b" ") if b"\n" in request.body else request.body
        return _encode(self.wrap(id, msgspec.Raw(body), target))

    @abstractmethod
    def wrap(self, id: str, body: msgspec.Raw, target: str) -> Any:
        """A line with the body of a plain call."""

    def shared_headers(self, request: WireRequest) -> Mapping[str, str]:
        shared = {}
        for name, value in request.headers.items():
            if name.lower() in self.headers_of_all:
                shared[name.lower()] = value
            elif name.lower() != "content-type":
                raise UnsupportedParam(f"extra_headers: a line of a batch has no {name}", param="extra_headers")
        return shared

    # ── submitting ──

    def run(self, call: BatchCall, state: State | None = None) -> Generator[Step, WireResponse | None, State]:
        resumed = state is not None
        if state is None:
            state = yield from self.prepare(call)
            yield Checkpoint(state=state)
        if "id" not in state:
            id = yield from self._submit(call, state, resumed=resumed)
            state = {**state, "id": id}
            yield Checkpoint(state=state)
        return state

    def prepare(self, call: BatchCall) -> Generator[Step, WireResponse | None, State]:
        """What comes before the submit and costs nothing, such as an upload: the first state."""
        yield from ()
        return {}

    @abstractmethod
    def build_submit(self, call: BatchCall, state: State) -> WireRequest:
        """The one request that begins it."""

    def read_submitted(self, state: State, reply: WireResponse) -> str:
        """The batch's id. Raises `JobInDoubt`: it was taken, whatever is wrong with the reply."""
        id = (find_object(reply) or {}).get(self.id_field)
        if not isinstance(id, str) or not id:
            raise JobInDoubt(
                "the batch was submitted, and the reply does not say which it is",
                hint="look at the provider's list of batches before you submit it again: it could cost twice",
                status=reply.status,
                body=reply.content[:65536],
            )
        return id

    def search(self, call: BatchCall, state: State) -> Generator[Step, WireResponse | None, str]:
        """The id of a batch of which we do not know whether it was submitted; "" where it is not found, or where the
        vendor cannot tell.
        """
        yield from ()
        return ""

    def _submit(self, call: BatchCall, state: State, *, resumed: bool) -> Generator[Step, WireResponse | None, str]:
        if resumed and (found := (yield from self.search(call, state))):
            return found
        try:
            return self.read_submitted(state, need_reply((yield self.build_submit(call, state))))
        except JobInDoubt as doubt:
            if resumed:
                raise
            yield Wait(seconds=self.settle_seconds)
            try:
                found = yield from self.search(call, state)
            except ProviderError:
                found = ""
            if not found:
                raise doubt from doubt.__cause__
            return found

    # ── how it stands ──

    @abstractmethod
    def build_look(self, state: State) -> WireRequest: ...

    def parse_look(self, reply: WireResponse) -> BatchPart:
        return self.read_look(decode(reply))

    @abstractmethod
    def read_look(self, fields: Mapping[str, Any]) -> BatchPart:
        """How the batch of an object stands."""

    def find_state(self, word: Any) -> BatchState:
        return self.states.get(word, "running") if isinstance(word, str) else "running"

    @abstractmethod
    def fetch(self, state: State, look: WireResponse) -> Answers:
        """The answers: requests for them, and each of them as it is read."""

    @abstractmethod
    def cancel(self, state: State) -> WireRequest | None: ...

    def parse_error(self, reply: WireResponse) -> ProviderError:
        return make_stated_error(read_error(reply.content), reply)


NOTHING = msgspec.Raw(b"null")
"""What a field of a line holds where it is not there: msgspec knows no `Raw | None`."""


def is_given(value: msgspec.Raw) -> bool:
    return bytes(value) != b"null"


class _Inner(msgspec.Struct):
    status_code: int = 200
    request_id: str | None = None
    body: msgspec.Raw = NOTHING


class AnswerLine(msgspec.Struct):
    """A line as OpenAI has it: a response with its status, or an error."""

    custom_id: str
    response: _Inner | None = None
    error: Any = None


_decode_line = Reader(AnswerLine).decode
STATES_OF_LINES: Mapping[str, LineState] = {"batch_expired": "expired", "batch_cancelled": "cancelled"}
JSON_REPLY = {"content-type": "application/json"}


def read_lines(lines: Iterable[bytes]) -> Generator[BatchAnswer, None, None]:
    """The answers of JSON lines. One that is broken says nothing of whose it is: its request is found missing."""
    for line in lines:
        try:
            found = _decode_line(line)
        except UNREADABLE:
            continue
        yield read_line(found)


def read_line(line: AnswerLine) -> BatchAnswer:
    inner = line.response
    stated = read_error_value(line.error) if line.error else None
    if inner is not None and (stated is None or inner.status_code >= 400) and is_given(inner.body):
        reply = WireResponse(status=inner.status_code, headers=JSON_REPLY, body=bytes(inner.body))
        return BatchAnswer(id=line.custom_id, reply=reply, request_id=inner.request_id or "")
    code = stated.code if stated is not None else ""
    return BatchAnswer(
        id=line.custom_id,
        state=STATES_OF_LINES.get(code, "failed"),
        code=code,
        message=stated.message if stated is not None else "",
        request_id=(inner.request_id if inner is not None else "") or "",
    )


def decode(reply: WireResponse) -> Mapping[str, Any]:
    """A reply that is a JSON object. Raises `ProviderError`."""
    found = find_object(reply)
    if found is None:
        raise make_unreadable(reply)
    return found


def find_object(reply: WireResponse) -> Mapping[str, Any] | None:
    """The JSON object that a reply is; None where it is none."""
    try:
        found = msgspec.json.decode(reply.content)
    except UNREADABLE:
        return None
    return found if isinstance(found, dict) else None


def items_in(fields: Any, name: str) -> list[Any]:
    """The list of that name in an object; empty where there is none."""
    found = fields.get(name) if isinstance(fields, Mapping) else None
    return found if isinstance(found, list) else []


def count(fields: Any, **names: str) -> BatchCounts:
    """The counts that an object states, by our names; what it does not state, or not as a number, is 0."""
    fields = fields if isinstance(fields, Mapping) else {}
    found = {}
    for ours, theirs in names.items():
        try:
            found[ours] = max(int(fields.get(theirs) or 0), 0)
        except (TypeError, ValueError, OverflowError):
            found[ours] = 0
    return BatchCounts(**found)
