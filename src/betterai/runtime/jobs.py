"""Jobs: submitted, stored, waited for, resumed in another process, cancelled. Never submitted twice."""

from __future__ import annotations

from asyncio import CancelledError, to_thread, wait_for
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Generic, TypeVar

import msgspec

from betterai.core.config import CoreConfig
from betterai.core.exceptions import (
    BetterAIError,
    ConfigurationError,
    JobInDoubt,
    ProviderError,
    TotalTimeout,
    ValidationError,
)
from betterai.core.jobs import JobHandle, JobStatus, read_handle
from betterai.core.provider import Provider
from betterai.core.response import CallWarning
from betterai.core.results import Result
from betterai.core.wire import Call, Wait
from betterai.runtime.connection import TransportSource
from betterai.runtime.exchange import ExchangeRunner, Plan
from betterai.runtime.factory import find_provider
from betterai.runtime.job_calls import SETTINGS, dump_call, load_call
from betterai.runtime.job_store import JobStore, StoredJob
from betterai.runtime.steps import CANCEL_SECONDS, StepsRun

R = TypeVar("R", bound=Result)
Progress = Callable[[float], None]


class Job(Generic[R]):
    """A job at a provider. `handle` is a word that another process can go on with: `Job.resume(handle)`.

    `status` is running, done, failed, cancelled or in_doubt; `progress` from 0 to 1, None where the provider is silent.
    """

    def __init__(
        self,
        runner: ExchangeRunner[Any, Any, R, Any],
        plan: Plan,
        handle: JobHandle,
        store: JobStore | None,
        revision: int = 0,
    ) -> None:
        self._runner = runner
        self._plan = plan
        self._handle = handle
        self._store = store
        self._revision = revision
        self._first_wait: Wait | None = None
        self._warnings: tuple[CallWarning, ...] = ()
        """Those of earlier runs."""
        self._attempts = runner.open_attempts(since=plan.call.now)
        """Those of all runs in this process. The call's own time is that of its start, where it is known."""
        self._result: R | None = None
        self.status: JobStatus = "running"
        self.progress: float | None = None
        self.error = ""

    @property
    def id(self) -> str:
        """The call's own id, by which the store knows the job."""
        return self._handle.id

    @property
    def handle(self) -> str:
        """All that is needed to go on, as one word. It holds no URL and no secret."""
        return self._handle.to_text()

    @property
    def provider(self) -> str:
        return self._handle.provider

    @property
    def model(self) -> str:
        return self._handle.model

    def __repr__(self) -> str:
        return f"Job({self.provider}/{self.model}, id={self.id!r}, status={self.status!r})"

    @classmethod
    async def start(
        cls, runner: ExchangeRunner[Any, Any, R, Any], input: Any, model: str, settings: Any, store: JobStore | None
    ) -> Job[R]:
        """Submit a call, and come back as soon as it is to be waited for. Raises `BetterAIError`."""
        plan = await runner.plan(input, model, settings)
        provider = runner.provider
        if plan.request is not None:
            who = provider.title or provider.name
            raise ConfigurationError(f"{who} answers at once here: there is no job", hint="await the result itself")
        handle = JobHandle(
            id=plan.call.id,
            provider=provider.name,
            model=plan.call.model.id,
            category=runner.category,
            protocol=_find_name(provider, runner.category, plan.codec),
            account=runner.connection.account(),
        )
        if store is not None:
            await to_thread(store.add, handle, dump_call(plan.call))
        job = cls(runner, plan, handle, store)
        await job._submit()
        return job

    @classmethod
    def resume(
        cls,
        handle: str,
        *,
        config: CoreConfig | None = None,
        store: JobStore | msgspec.UnsetType | None = msgspec.UNSET,
        transport: TransportSource | None = None,
    ) -> Job[R]:
        """A job of another process, by its handle, or by its id in the store. What the store knows since counts.

        Raises `ValidationError`, and `ConfigurationError` where the keys are not those that it was submitted with.
        """
        kept = JobStore() if isinstance(store, msgspec.UnsetType) else store
        found = kept.find(handle) if kept is not None and isinstance(handle, str) else None
        read = found.handle if found is not None else read_handle(handle)
        if found is None and kept is not None:
            found = kept.find(read.id)
        read = found.handle if found is not None else read
        if read.category == "batch":
            raise ValidationError("this is the handle of a batch, not of a job", hint="use betterai.batches.resume")
        if found is None and read.state is None:
            raise ValidationError("nothing of this job was submitted, and the store does not know it")
        named = CoreConfig(model=f"{read.provider}/{read.model}", protocol=read.protocol)
        chosen = msgspec.structs.replace(config, model=named.model, protocol=named.protocol) if config else named
        runner, _, _ = find_provider(read.category, chosen, transport=transport)
        plan = _plan_again(runner, read, found)
        job = cls(runner, plan, read, kept if found is not None else None, found.revision if found is not None else 0)
        if found is not None:
            job.status, job.progress, job.error = found.status, found.progress, found.error
            job._warnings = found.warnings
        return job

    async def wait(self, *, timeout: float | None = None, on_progress: Progress | None = None) -> R:
        """The result, once it is there. `timeout` are seconds, by default the total limit of a call; the job goes on at
        the provider when it is over, and when the waiting is cancelled. Raises `BetterAIError`.
        """
        if self._result is not None:
            return self._result
        self._check_open()
        run = self._open_run(timeout)

        async def note(wait: Wait) -> None:
            if wait.progress is not None and wait.progress != self.progress:
                self.progress = wait.progress
                await self._note("running")
                if on_progress is not None:
                    on_progress(wait.progress)

        run.on_wait = note
        try:
            if self._first_wait is not None:
                first, self._first_wait = self._first_wait, None
                await run.pause(first)
            result = await run.run(cancels=False)
        except BetterAIError as error:
            await self._note_failure(error, run)
            raise
        finally:
            self._attempts.records += run.records
        return await self._finish(result, run)

    async def finish(self) -> R:
        """The result, as `wait` gives it; when the waiting is cancelled, the job is cancelled as well."""
        try:
            return await self.wait()
        except CancelledError:
            with suppress(BetterAIError, TimeoutError):
                await wait_for(self.cancel(), CANCEL_SECONDS)
            raise

    async def cancel(self) -> None:
        """Stop the job at the provider. Raises `ProviderError` where it cannot be stopped there."""
        self._check_open()
        run = self._open_run(None)
        if not await run.stop() and self._handle.state is not None:
            raise ProviderError(
                "the provider cannot stop this job", provider=self.provider, model=self.model, hint="wait for its end"
            )
        await self._note("cancelled")

    async def _submit(self) -> None:
        run = self._open_run(None)
        try:
            result = await run.begin()
        except BetterAIError as error:
            await self._note_failure(error, run)
            raise
        finally:
            self._attempts.records += run.records
        self._first_wait, self._warnings = run.wait, run.warnings
        if run.wait is not None and run.wait.progress is not None:
            self.progress = run.wait.progress
            await self._note("running")
        if result is not None:
            await self._finish(result, run)

    def _open_run(self, total: float | None) -> StepsRun[Any, R]:
        run = self._runner.open_job(self._plan, self._handle.state, total)
        run.warnings = self._warnings

        async def keep(state: Mapping[str, Any]) -> None:
            """Store a checkpoint, before the next step is taken."""
            handle = msgspec.structs.replace(self._handle, state=state)
            if self._store is not None:
                self._revision = await to_thread(self._store.keep, handle, self._revision, run.warnings)
            self._handle = handle

        run.on_checkpoint = keep
        return run

    async def _finish(self, result: R, run: StepsRun[Any, R]) -> R:
        self._result = self._runner.finish_job(result, self._plan, run, self._attempts)
        self.progress = 1.0
        await self._note("done")
        return self._result

    async def _note_failure(self, error: BetterAIError, run: StepsRun[Any, R]) -> None:
        """What ended the waiting, and whether it ended the job: a look that went wrong does not.
        What was refused before it was sent is no job.
        """
        accepted = run.was_resumed or any(not record.error for record in run.records)
        status: JobStatus = "running"
        if isinstance(error, JobInDoubt):
            status = "in_doubt"
        elif isinstance(error, ProviderError) and not isinstance(error, TotalTimeout):
            status = "running" if run.refused is error and accepted else "failed"
        elif isinstance(error, ValidationError) and not accepted:
            status = "failed"
        await self._note(status, str(error))

    async def _note(self, status: JobStatus, error: str = "") -> None:
        self.status, self.error = status, error
        if self._store is not None:
            await to_thread(self._store.note, self.id, status, progress=self.progress, error=error)

    def _check_open(self) -> None:
        whom: dict[str, Any] = {"provider": self.provider, "model": self.model}
        if self.status == "in_doubt":
            raise JobInDoubt(self.error or "the job may or may not have been submitted", **whom)
        if self.status in ("failed", "cancelled"):
            raise ProviderError(self.error or f"the job was {self.status}", **whom)


def _find_name(provider: Provider, category: str, codec: Any) -> str:
    return next((name for name, known in provider.protocols.get(category, {}).items() if known is codec), "")


def _plan_again(runner: Any, handle: JobHandle, found: StoredJob | None) -> Plan:
    """The call as it was, as far as it was stored. Raises `ConfigurationError` for another account than the job's."""
    connection = getattr(runner, "connection", None)
    if connection is None or handle.category not in SETTINGS:
        raise ConfigurationError(f"{handle.provider} works on no jobs here")
    if connection.account() != handle.account:
        raise ConfigurationError(
            "the job belongs to another account or address",
            hint="use the key and the base URL that it was submitted with",
            provider=handle.provider,
            model=handle.model,
        )
    input, settings, now, warnings = (
        load_call(found.call, handle.category) if found is not None else ("", SETTINGS[handle.category](), 0.0, ())
    )
    call: Call[Any, Any] = Call(
        model=runner.model,
        input=input,
        settings=settings,
        id=handle.id,
        now=now,
        warnings=warnings,
        provider_settings=connection.codec_settings(),
    )
    return Plan(codec=runner.codec, call=call, request=None)
