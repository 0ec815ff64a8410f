"""A submit that is killed at every step: what was begun is ended, and nothing is submitted twice."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

import betterai
from runtime.batches.services import ALL, serving

TESTS = Path(__file__).parents[2]
STEPS = ("add 1 after", "keep 1 before", "keep 1 after", "keep 2 before", "keep 2 after", "keep 3 after")
"""A checkpoint stands before the submit, one after it, and the part is noted as submitted."""
IN_DOUBT = {"openai": {2}, "anthropic": {2, 3}}
"""Where the vendor has nothing of ours, it may be on its way; Anthropic never tells."""


@pytest.mark.parametrize("name", IN_DOUBT)
async def test_j2_a_submit_survives_kill_9_at_every_step_and_is_never_sent_twice(name: str, tmp_path: Path) -> None:
    async with serving(name) as (client, service, model, _):
        url = client.config.base_url
        assert url is not None
        process = await asyncio.create_subprocess_exec(
            sys.executable, str(TESTS / "runtime" / "batches" / "kill_batches.py"), model, url, str(tmp_path), *STEPS,
            env={**os.environ, "PYTHONPATH": str(TESTS)}, stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        output, _ = await process.communicate()
        assert output.decode().split() == [str(-signal.SIGKILL)] * len(STEPS)
        for number in range(len(STEPS)):
            store = betterai.BatchStore(tmp_path / f"{number}.sqlite")
            ((stored),) = store.jobs()
            before = len(service.submitted)
            batch = client.batches.resume(stored.handle.id, store=store)
            status = await batch.wait()
            if number in IN_DOUBT[name]:
                assert status.state == "in_doubt", STEPS[number]
                assert len(service.submitted) == before
                batch = client.batches.resume(stored.handle.id, store=store, retry_in_doubt=True)
                status = await batch.wait()
            assert status.state == "done", STEPS[number]
            assert {line.state for line in (await batch.collect()).values()} == {"succeeded"}
        asked_twice = 1 if name == "anthropic" else 0
        assert len(service.submitted) == len(STEPS) + asked_twice, "the one that could not be told, and was asked for"
        assert ALL[name].named or asked_twice
