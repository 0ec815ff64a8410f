"""The runner of jobs: submit, wait, fetch. A checkpoint is kept before the next step is taken."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

from betterai.core.codec import Steps
from betterai.core.exceptions import BetterAIError, ProviderError
from betterai.core.wire import Checkpoint, Wait, WireRequest, WireResponse
from betterai.runtime.attempts import SYSTEM_CLOCK, Attempts, Clock
from betterai.runtime.connection import Connection
from betterai.runtime.encoding import encode_request

C = TypeVar("C")
R = TypeVar("R")


async def run_steps(
    codec: Steps[C, R],
    call: C,
    connection: Connection,
    *,
    state: Mapping[str, Any] | None = None,
    on_checkpoint: Callable[[Mapping[str, Any]], Awaitable[None]] | None = None,
    on_progress: Callable[[float], None] | None = None,
    clock: Clock = SYSTEM_CLOCK,
) -> R:
    """Drive a job to its result, from the beginning or from a stored `state`. Raises `BetterAIError`."""
    job = codec.run(call, state)
    waits = Attempts(connection.retries, connection.timeout, clock)
    reply: WireResponse | None = None
    try:
        while True:
            try:
                step = job.send(reply)
            except StopIteration as ended:
                result: R = ended.value
                return result
            reply = None
            if isinstance(step, WireRequest):
                reply = await _send(codec, step, connection, clock)
            elif isinstance(step, Wait):
                if on_progress is not None and step.progress is not None:
                    on_progress(step.progress)
                await waits.pause(step.seconds)
            elif isinstance(step, Checkpoint) and on_checkpoint is not None:
                await on_checkpoint(step.state)
    finally:
        job.close()


async def _send(codec: Steps[C, R], request: WireRequest, connection: Connection, clock: Clock) -> WireResponse:
    """One request of a job, tried again as far as that cannot cost twice."""
    attempts = Attempts(connection.retries, connection.timeout, clock)
    encoded, endpoint = encode_request(request), connection.endpoint()
    while True:
        status = None
        try:
            reply = await connection.transport.send(encoded, endpoint, attempts.start())
            status = reply.status
            if 200 <= status < 300:
                return reply
            raise codec.parse_error(reply)
        except BetterAIError as error:
            attempts.record(connection.provider.name, "", status, type(error).__name__)
            wait = None
            if isinstance(error, ProviderError):
                wait = attempts.wait_after(error, repeatable=request.safe_to_repeat)
            if wait is None:
                error.attempts = tuple(attempts.records)
                raise error.locate(connection.provider.name, "").redact(connection.secrets()) from None
            await attempts.pause(wait)
