"""The runner of jobs: submit, wait, fetch. A checkpoint is kept before the next step is taken."""

from __future__ import annotations

from asyncio import CancelledError, to_thread, wait_for
from collections.abc import Awaitable, Callable, Generator, Mapping
from contextlib import suppress
from random import uniform
from typing import Any, Generic, TypeVar, cast

import msgspec

from betterai.core.codec import Steps
from betterai.core.exceptions import (
    APIConnectionError,
    APITimeoutError,
    BetterAIError,
    JobInDoubt,
    ProviderError,
    TotalTimeout,
)
from betterai.core.response import Attempt, CallWarning
from betterai.core.settings import CallSettings
from betterai.core.wire import Call, Checkpoint, Wait, WireRequest, WireResponse
from betterai.runtime.attempts import SYSTEM_CLOCK, Attempts, Clock, was_not_taken
from betterai.runtime.connection import Connection, find_secrets
from betterai.runtime.encoding import LARGE, encode_request
from betterai.runtime.media.calls import find_call_media, media_bytes
from betterai.wire.errors import is_cut, make_unreadable
from betterai.wire.waits import parse_retry_after

C = TypeVar("C")
R = TypeVar("R")
State = Mapping[str, Any]
Job = Generator[WireRequest | Wait | Checkpoint, WireResponse | None, R]

SPREAD = 0.1
"""Waits are longer than asked for by up to this share, so that not all jobs are asked after at once."""

CANCEL_SECONDS = 5.0
"""How long a cancelled call may take to cancel its job at the provider."""

IN_BETWEEN = frozenset({502, 504})
"""Statuses with which a gateway says that the service behind it did not answer: it may have the job all the same."""


async def run_steps(
    codec: Steps[C, R],
    call: C,
    connection: Connection,
    *,
    state: State | None = None,
    total: float | None = None,
    cancels: bool = True,
    on_checkpoint: Callable[[State], Awaitable[None]] | None = None,
    on_progress: Callable[[float], None] | None = None,
    clock: Clock = SYSTEM_CLOCK,
) -> R:
    """Drive a job to its result, from the beginning or from a stored `state`. Raises `BetterAIError`.

    `total` is the most seconds that it may take, by default the connection's; beyond it `TotalTimeout` is raised, and
    the job goes on at the provider. Cancelling the call cancels the job there, unless `cancels` is False.
    Raises `JobInDoubt` where a submit may have been taken and cannot be repeated without paying twice.
    """
    job = StepsRun(codec, call, connection, state=state, total=total, clock=clock)
    job.on_checkpoint, job.on_progress = on_checkpoint, on_progress
    return await job.run(cancels=cancels)


class StepsRun(Generic[C, R]):
    """One run of a job. `state` is its last checkpoint, `records` and `headers` are its attempts and last reply."""

    def __init__(
        self,
        codec: Steps[C, R],
        call: C,
        connection: Connection,
        *,
        state: State | None = None,
        total: float | None = None,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self.state = state
        self.records: list[Attempt] = []
        self.headers: Mapping[str, str] = {}
        self.on_checkpoint: Callable[[State], Awaitable[None]] | None = None
        self.on_progress: Callable[[float], None] | None = None
        self.on_wait: Callable[[Wait], Awaitable[None]] | None = None
        self.on_request: Callable[[WireRequest], None] | None = None
        """Called with each request before it is sent; what it raises ends the job."""
        self.warnings: tuple[CallWarning, ...] = ()
        """Those of all requests so far."""
        self._codec = codec
        self._call = call
        self._extra_body: Mapping[str, Any] | None = None
        self._unsent: Mapping[str, Any] | None = None
        self._large = False
        """Whether the call holds so much media that requests are written in a thread."""
        self._secrets: list[str] = []
        """Those among the headers and parameters that the caller adds."""
        if isinstance(call, Call) and isinstance(call.settings, CallSettings):
            self._secrets = find_secrets(call.settings)
            self._extra_body = self._unsent = call.settings.extra_body
            self._large = media_bytes(find_call_media(call.input, call.settings)) > LARGE
        self._connection = connection
        self._clock = clock
        self._total = connection.timeout.total if total is None else total
        self._deadline = clock.monotonic() + self._total
        self.was_resumed = self._resumed = state is not None
        """Until the first checkpoint of this run: what is asked for before it may have been asked for already."""
        self.wait: Wait | None = None
        """What `begin` ended at."""
        self.refused: BetterAIError | None = None
        """The error of the last request that failed for good: what a codec raises by itself is another one."""

    async def run(self, *, cancels: bool = True) -> R:
        """The result of the job."""
        return cast(R, await self._drive(cancels=cancels, stops=False))

    async def begin(self) -> R | None:
        """Submit the job, and come back where it is to be waited for: `wait` and `state` are set then. The result where
        there is nothing to wait for.
        """
        return await self._drive(cancels=True, stops=True)

    async def _drive(self, *, cancels: bool, stops: bool) -> R | None:
        job = self._codec.run(self._call, self.state)
        reply: WireResponse | None = None
        failure: BetterAIError | None = None
        try:
            while True:
                step, result = await self._step(job, reply, failure)
                if step is None:
                    self._report_unsent()
                    return result
                reply, failure = None, None
                if isinstance(step, WireRequest):
                    try:
                        reply = await self._send(step)
                    except BetterAIError as error:
                        failure = self.refused = error
                elif isinstance(step, Wait) and stops:
                    self._report_unsent()
                    self.wait = step
                    return None
                elif isinstance(step, Wait):
                    await self.pause(step)
                else:
                    await self._keep(step)
        except CancelledError:
            if cancels:
                await self._cancel()
            raise
        except BetterAIError as error:
            raise self._locate(error) from error.__cause__
        finally:
            job.close()

    def _report_unsent(self) -> None:
        """A job that was begun by no request that takes `extra_body` did not send it: that is said."""
        if self._unsent and not self.was_resumed:
            unsent = CallWarning(code="dropped", field="extra_body", message="none of this job's requests takes it")
            self.warnings += (unsent,)
        self._unsent = None

    async def _step(
        self, job: Job[R], reply: WireResponse | None, failure: BetterAIError | None
    ) -> tuple[WireRequest | Wait | Checkpoint | None, R | None]:
        """What the codec wants next, or None and the result. What is large is read and written in a thread."""

        def go_on() -> tuple[WireRequest | Wait | Checkpoint | None, R | None]:
            try:
                return (job.send(reply) if failure is None else job.throw(failure)), None
            except StopIteration as ended:
                return None, ended.value

        large = self._large or (reply is not None and isinstance(reply.body, bytes) and len(reply.body) > LARGE)
        return await to_thread(go_on) if large else go_on()

    async def _encode(self, request: WireRequest) -> WireRequest:
        extra = None
        if request.begins_job:
            extra, self._unsent = self._extra_body, None
        if self._large:
            return await to_thread(encode_request, request, extra, large=True)
        return encode_request(request, extra)

    async def _keep(self, checkpoint: Checkpoint) -> None:
        self.state, self._resumed = checkpoint.state, False
        if self.on_checkpoint is not None:
            await self.on_checkpoint(checkpoint.state)

    async def pause(self, step: Wait) -> None:
        """At least as long as the codec and the provider's last Retry-After say."""
        if self.on_wait is not None:
            await self.on_wait(step)
        if self.on_progress is not None and step.progress is not None:
            self.on_progress(step.progress)
        asked = parse_retry_after(self.headers, now=self._clock.now()) or 0.0
        seconds = max(step.seconds, min(asked, self._connection.retries.longest))
        seconds += uniform(0, seconds * SPREAD)
        self._check_deadline(seconds)
        await Attempts(self._connection.retries, self._connection.timeout, self._clock).pause(seconds)

    def _check_deadline(self, seconds: float = 0.0) -> float:
        """The seconds that are left. Raises `TotalTimeout` where they are not enough."""
        left = self._deadline - self._clock.monotonic()
        if left <= seconds:
            raise TotalTimeout(
                f"the job took longer than {self._total:g} s",
                hint="it may go on at the provider: allow more time, or go on from its last checkpoint",
            )
        return left

    async def _send(self, request: WireRequest) -> WireResponse:
        """One request of a job, tried again as far as that cannot cost twice."""
        if self._resumed and not request.safe_to_repeat:
            raise JobInDoubt(
                "the job may have been submitted before, and the provider cannot tell",
                hint="look at the provider's list of jobs; to submit it once more, begin anew without a state",
            )
        if self.on_request is not None:
            self.on_request(request)
        self.warnings += request.warnings
        connection = self._connection
        limits = msgspec.structs.replace(
            connection.timeout, total=min(connection.timeout.total, self._check_deadline())
        )
        encoded, endpoint = await self._encode(request), connection.endpoint()
        alone = request.safe_to_repeat
        attempts = Attempts(connection.retries, limits, self._clock, connection.quota, alone=alone)
        while True:
            status = None
            try:
                reply = await connection.transport.send(encoded, endpoint, attempts.start())
                status, self.headers = reply.status, reply.headers
                if not 200 <= status < 300:
                    raise self._codec.parse_error(reply)
                if request.method == "GET" and request.reply == "json" and is_cut(reply.content):
                    raise make_unreadable(reply)
            except BetterAIError as error:
                wait = self._judge(error, request, attempts, status)
                if wait is None:
                    raise self._in_doubt(error, request, status) from error
                await attempts.pause(wait)
                continue
            attempts.record(*self._whom(), status)
            self.records.append(attempts.records[-1])
            return reply

    def _judge(
        self, error: BetterAIError, request: WireRequest, attempts: Attempts, status: int | None
    ) -> float | None:
        """Seconds until the next try; None to give up."""
        attempts.record(*self._whom(), status, type(error).__name__)
        self.records.append(attempts.records[-1])
        return (
            attempts.wait_after(error, repeatable=request.safe_to_repeat) if isinstance(error, ProviderError) else None
        )

    def _in_doubt(self, error: BetterAIError, request: WireRequest, status: int | None) -> BetterAIError:
        """The error of a request that may have begun a job, and was not answered; every other one as it is."""
        broke = status is None and isinstance(error, APIConnectionError | APITimeoutError)
        unsure = broke or status in IN_BETWEEN
        if request.safe_to_repeat or not unsure or (isinstance(error, ProviderError) and was_not_taken(error)):
            return error
        return JobInDoubt(
            f"the job may or may not have been submitted: {error.message}",
            hint="look at the provider's list of jobs before you submit it again: it could cost twice",
            status=error.status,
            code=error.code,
            provider_message=error.provider_message,
            request_id=error.request_id,
            headers=error.headers,
        )

    async def stop(self) -> bool:
        """Ask the provider to stop the job; False where there is nothing to ask for. Raises `BetterAIError`."""
        request = self._codec.cancel(self.state) if self.state is not None else None
        if request is None:
            return False
        self._resumed = False
        try:
            await self._send(request)
        except BetterAIError as error:
            raise self._locate(error) from error.__cause__
        return True

    async def _cancel(self) -> None:
        """Ask the provider to stop the job, once; that it did not work is no news to who left."""
        request = self._codec.cancel(self.state) if self.state is not None else None
        if request is None:
            return
        connection = self._connection
        sent = connection.transport.send(encode_request(request), connection.endpoint(), connection.timeout)
        with suppress(BetterAIError, TimeoutError):
            await wait_for(sent, CANCEL_SECONDS)

    def _whom(self) -> tuple[str, str]:
        model = self._call.model.id if isinstance(self._call, Call) else ""
        return self._connection.provider.name, model

    def _locate(self, error: BetterAIError) -> BetterAIError:
        self._connection.look_again()
        error.attempts = tuple(self.records)
        return error.locate(*self._whom()).redact([*self._connection.secrets(), *self._secrets])
