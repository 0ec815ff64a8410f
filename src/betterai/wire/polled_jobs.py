"""Jobs that are submitted with one request and asked after until they are done: what all such codecs do alike."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Generator, Mapping
from typing import Any, ClassVar, Never, TypeVar

import msgspec

from betterai.core.exceptions import ProviderError, UnsupportedParam
from betterai.core.wire import Call, Checkpoint, Wait, WireRequest, WireResponse
from betterai.wire.error_bodies import UNREADABLE
from betterai.wire.errors import make_unreadable
from betterai.wire.exchanges import OneExchange
from betterai.wire.residue import merge_extra
from betterai.wire.waits import parse_retry_after

C = TypeVar("C", bound=Call[Any, Any])
R = TypeVar("R")
Step = WireRequest | Wait | Checkpoint
State = Mapping[str, Any]


class PolledJob(OneExchange[C, R, Never]):
    """A codec states the request that submits (`begin_body`, `fields` … as for one request), what the reply to it says
    (`read_job`), where the job is asked after (`build_poll`), and what that says (`read_poll`).

    The state holds ids, and where they need it regions: no URL and no secret.
    """

    first_wait: ClassVar[float] = 2.0
    longest_wait: ClassVar[float] = 15.0
    growth: ClassVar[float] = 1.3
    """Seconds between two looks: short at first, and longer for what takes longer; Retry-After is kept."""
    idempotency_header: ClassVar[str] = ""
    """The header whose value makes a second submit the same job; "" where the vendor knows none."""

    @abstractmethod
    def read_job(self, call: C, reply: WireResponse) -> dict[str, Any]:
        """The state of a job that was taken. What decoding raises is left to the caller."""

    @abstractmethod
    def build_poll(self, call: C, state: State) -> WireRequest:
        """The request that looks after the job: it is safe to repeat."""

    @abstractmethod
    def read_poll(self, call: C, state: State, reply: WireResponse) -> R | WireRequest | float | None:
        """The result; the request for its content, which `read_content` reads; how far the job is, from 0 to 1; or None
        where that is not said. A word that is not known means that it goes on. Raises `ProviderError` where it failed.
        """

    def read_content(self, call: C, state: State, reply: WireResponse) -> R:
        """The result of a content that was asked for."""
        raise NotImplementedError

    def cancel(self, state: State) -> WireRequest | None:
        """Nothing, unless the vendor can stop jobs."""
        return None

    def read(self, call: C, reply: WireResponse) -> R:
        raise NotImplementedError

    def build_submit(self, call: C) -> WireRequest:
        """The request with the caller's own fields, and a key where the vendor takes one."""
        request = self.build_request(call)
        extra = call.settings.extra_body
        if extra and isinstance(request.body, dict):
            body = dict(request.body)
            merge_extra(body, dict(extra))
            request = msgspec.structs.replace(request, body=body)
        elif extra:
            raise UnsupportedParam("extra_body: the job is submitted as a form here", param="extra_body")
        if self.idempotency_header:
            headers = {self.idempotency_header: call.id, **request.headers}
            request = msgspec.structs.replace(request, headers=headers, safe_to_repeat=True)
        return request

    def run(self, call: C, state: State | None = None) -> Generator[Step, WireResponse | None, R]:
        """From the intent to the result; see `core.codec.Steps`."""
        if state is None:
            submit = self.build_submit(call)
            yield Checkpoint(state={"call": call.id})
        elif "job" not in state:
            submit = self.build_submit(call)
        if state is None or "job" not in state:
            reply = _need((yield submit))
            state = {"call": call.id, "job": _read(reply, lambda: self.read_job(call, reply))}
            yield Checkpoint(state=state)
        job, wait = state["job"], self.first_wait
        while True:
            reply = _need((yield self.build_poll(call, job)))
            found = _read(reply, lambda: self.read_poll(call, job, reply))  # noqa: B023 - called at once
            if isinstance(found, WireRequest):
                content = _need((yield found))
                return self.read_content(call, job, content)
            if found is not None and not isinstance(found, float):
                result: R = found
                return result
            yield Wait(seconds=max(wait, parse_retry_after(reply.headers) or 0.0), progress=found)
            wait = min(wait * self.growth, self.longest_wait)


def _need(reply: WireResponse | None) -> WireResponse:
    if reply is None:
        raise ProviderError("the job was continued without the reply that it asked for", retryable=False)
    return reply


def _read(reply: WireResponse, read: Any) -> Any:
    try:
        return read()
    except UNREADABLE as error:
        raise make_unreadable(reply) from error
