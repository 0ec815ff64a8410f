"""The load of a soak: a process that calls BetterAI in every way while its upstream has bad days, and judges.

    python -m benchmarks.soak.load '{"phase": "calls", "url": …, "at_once": 128, "count": 1000000, "seconds": 600}'

It prints a JSON line now and then, and at last one with "done".
"""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import random
import sys
import threading
import time
from collections import Counter
from collections.abc import Sequence
from typing import Any

import betterai
from benchmarks.soak.faults import ANSWER, FAULTS, Fault
from benchmarks.soak.watch import Complaints, read_held, read_memory, settle
from betterai.runtime.client import default_client
from betterai.runtime.sync import run as run_sync

PROTOCOLS = {
    "openai_chat": "openai",
    "openai_responses": "openai",
    "anthropic_messages": "anthropic",
    "gemini": "google",
}
LIMITS = betterai.Timeout(connect=60, first_byte=60, idle=60, total=120)
"""Long ones: a busy machine must not look like a fault."""

SHORT = betterai.Timeout(connect=60, first_byte=2, idle=2, total=120)
"""For those whose upstream goes silent, so that they do not wait for long."""

BOUND = 240.0
"""Seconds after which a call is taken to hang: twice the total limit."""
PATIENT = betterai.Retries(attempts=3, base=0.002, cap=0.01)
MESSAGES = [{"role": "user", "content": "Why does the light of the stars tell us about their past?"}]
LEFT, CANCELLED = "left early", "cancelled"
START_WITHIN = 10.0
SYNC_THREADS = 2
SAMPLES = 200


class Soak:
    """One phase: `streams`, many slow streams at once, or `calls`, many mixed calls of every kind."""

    def __init__(self, command: dict[str, Any]) -> None:
        self.command = command
        self.streams_only = command["phase"] == "streams"
        pace = "slow" if self.streams_only else "fast"
        self.url = f"{command['url']}/{pace}/v1"
        self.random = random.Random(command.get("seed", 0))
        self.weights = [each.weight for each in FAULTS.values()]
        self.came: Counter[str] = Counter()
        self.ways: Counter[str] = Counter()
        self.wrong: Counter[str] = Counter()
        self.running: dict[int, tuple[float, str]] = {}
        self.started = self.finished = self.hung = 0
        self.longest = self.lag = 0.0
        self.samples: list[tuple[float, int, float]] = []
        self.complaints = Complaints()
        self.clients: dict[str, betterai.Client] = {}
        self.ends = 0.0

    # ── what is called ──

    def configure(self, protocol: str, fault: Fault, *, patient: bool, key: str) -> betterai.CoreConfig:
        timeout = SHORT if fault.name in ("silent", "stalled") else LIMITS
        retries = PATIENT if patient else 0
        return betterai.CoreConfig(protocol=protocol, base_url=self.url, api_key=key, timeout=timeout, retries=retries)

    def client(self, protocol: str, fault: Fault, patient: bool) -> betterai.Client:
        config = self.configure(protocol, fault, patient=patient, key="soak-key")
        name = f"{protocol} {config.timeout} {patient}"
        if name not in self.clients:
            self.clients[name] = betterai.Client(config)
        return self.clients[name]

    def more(self) -> bool:
        return self.started < self.command["count"] and time.monotonic() < self.ends

    async def work(self) -> None:
        """One of those at once: call after call."""
        if self.streams_only:
            await asyncio.sleep(self.random.random() * START_WITHIN)  # conversations do not begin all at once
        while self.more():
            self.started += 1
            await self.take(self.started)

    async def take(self, number: int) -> None:
        draw = self.random
        fault = draw.choices(list(FAULTS.values()), self.weights)[0]
        protocol = draw.choice(list(PROTOCOLS))
        streaming = self.streams_only or draw.random() < 0.4
        way = draw.choices(("whole", LEFT, CANCELLED, "routed"), (84, 6, 6, 4))[0]
        label = f"{fault.name} {protocol} {'stream' if streaming else 'call'} {way}"
        self.running[number] = (time.monotonic(), label)
        if way == CANCELLED:
            came = await self.cancel(number, fault, protocol, streaming)
        elif way == "routed" and hasattr(betterai, "Router"):
            came = await self.settle_call(self.route(number, fault, protocol, streaming))
        else:
            came = await self.settle_call(self.ask(number, fault, protocol, streaming, leave=way == LEFT))
        self.judge(number, label, came, self.allowed(fault, streaming, way))

    def allowed(self, fault: Fault, streaming: bool, way: str) -> frozenset[str]:
        wanted = fault.stream if streaming else fault.whole
        if way == CANCELLED:
            return wanted | {CANCELLED}
        if way == LEFT:
            return wanted | {LEFT}
        return wanted | {ANSWER} if way == "routed" else wanted

    def judge(self, number: int, label: str, came: str, allowed: frozenset[str]) -> None:
        began, _ = self.running.pop(number)
        seconds = time.monotonic() - began
        self.longest = max(self.longest, seconds)
        self.finished += 1
        self.came[came] += 1
        self.ways[label.rpartition(" ")[2]] += 1
        if came.partition(":")[0] not in allowed:
            self.wrong[f"{label}: {came}"] += 1

    async def settle_call(self, call: Any) -> str:
        """What a call ended with: an answer, or the class of its error."""
        try:
            return str(await call)
        except betterai.BetterAIError as error:
            return type(error).__name__

    async def ask(self, number: int, fault: Fault, protocol: str, streaming: bool, *, leave: bool = False) -> str:
        patient = number % 4 == 0
        client = self.client(protocol, fault, patient)
        unique = number % 2 == 0
        model = f"{PROTOCOLS[protocol]}/soak-{fault.name}-{number if unique else 0}"
        config = None
        if number % 8 == 1:
            config = self.configure(protocol, fault, patient=False, key=f"key-{number}")
        if not streaming:
            response = await client.generate(model, MESSAGES, config=config, max_tokens=100)
            return ANSWER if response.content else "nothing"
        stream = client.stream(model, MESSAGES, config=config, max_tokens=100)
        return await self.read(stream, random.randint(1, 8) if leave else 0, closing=number % 3 == 0)

    async def read(self, stream: Any, leave_after: int, closing: bool) -> str:
        """A stream to its end, or left after a few chunks: closed, or only forgotten."""
        chunks, text = 0, 0
        async for chunk in stream:
            chunks += 1
            text += len(chunk.content or "")
            if chunks == leave_after:
                if closing:
                    await stream.aclose()
                return LEFT
        return ANSWER if text else "nothing"

    async def route(self, number: int, fault: Fault, protocol: str, streaming: bool) -> str:
        targets = [  # in regions of their own: else a silence is taken to be that of both
            betterai.Target(f"{PROTOCOLS[protocol]}/soak-{name}-{number}", region=f"{place}")
            for place, name in enumerate((fault.name, "well"))
        ]
        router = betterai.Router(targets, client=self.client(protocol, fault, False), timeout=LIMITS, retries=PATIENT)
        if streaming:
            return await self.read(betterai.stream(router, MESSAGES, max_tokens=100), 0, False)
        response = await betterai.generate(router, MESSAGES, max_tokens=100)
        return ANSWER if response.content else "nothing"

    async def cancel(self, number: int, fault: Fault, protocol: str, streaming: bool) -> str:
        task = asyncio.ensure_future(self.settle_call(self.ask(number, fault, protocol, streaming)))
        await asyncio.sleep(self.random.random() * (8.0 if self.streams_only else 0.02))
        task.cancel()
        try:
            return await task
        except asyncio.CancelledError:
            return CANCELLED

    def call_in_thread(self) -> None:
        """The synchronous face, beside the rest."""
        draw = random.Random(threading.get_ident())
        while self.more():
            self.started += 1
            number = -self.started
            fault = draw.choices(list(FAULTS.values()), self.weights)[0]
            protocol = draw.choice(list(PROTOCOLS))
            label = f"{fault.name} {protocol} call sync"
            self.running[number] = (time.monotonic(), label)
            config = self.configure(protocol, fault, patient=False, key="sync-key")
            model = f"{PROTOCOLS[protocol]}/soak-{fault.name}-{number % 100}"
            try:
                betterai.sync.generate(model, MESSAGES, config=config, max_tokens=100)
                came = ANSWER
            except betterai.BetterAIError as error:
                came = type(error).__name__
            except Exception as error:
                came = f"{type(error).__name__}: {error}"
            self.judge(number, label, came, fault.whole)

    # ── watching ──

    async def watch(self) -> None:
        """Sample memory, look for calls that hang, tell how far it is."""
        began = told = time.monotonic()
        every = max(0.5, self.command["seconds"] / SAMPLES)
        while True:
            asked = time.monotonic()
            await asyncio.sleep(every)
            now = time.monotonic()
            self.lag = max(self.lag, now - asked - every)
            gc.collect()
            self.samples.append((now - began, self.finished, read_memory()))
            for number, (since, label) in list(self.running.items()):
                if now - since > BOUND:
                    self.hung += 1
                    self.wrong[f"hangs: {label}"] += 1
                    del self.running[number]
            if now - told > 10:
                told = now
                print(json.dumps({"finished": self.finished, "memory": self.samples[-1][2]}), flush=True)

    async def run(self) -> dict[str, Any]:
        logging.getLogger("betterai").addHandler(logging.NullHandler())  # what a router says of each failure
        loop = asyncio.get_running_loop()
        self.complaints.listen(loop)
        betterai.sync.generate("local/eliza", "Hello")  # its loop and its thread stay
        before = read_held()
        began = time.monotonic()
        self.ends = began + self.command["seconds"]
        watching = asyncio.ensure_future(self.watch())
        threads = (
            [] if self.streams_only else [threading.Thread(target=self.call_in_thread) for _ in range(SYNC_THREADS)]
        )
        for thread in threads:
            thread.start()
        workers = [asyncio.ensure_future(self.work()) for _ in range(self.command["at_once"])]
        failures = [error for error in await asyncio.gather(*workers, return_exceptions=True) if error is not None]
        for thread in threads:
            await asyncio.to_thread(thread.join)
        seconds = time.monotonic() - began
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        for client in self.clients.values():
            await client.aclose()
        await asyncio.to_thread(run_sync, default_client().aclose())
        await loop.shutdown_default_executor()
        after = await settle(before)
        for error in failures:
            self.wrong[f"a worker ended: {type(error).__name__}: {error!s:.200}"] += 1
        return self.report(seconds, before, after)

    def report(self, seconds: float, before: Sequence[int], after: Sequence[int]) -> dict[str, Any]:
        return {
            "done": True,
            "phase": self.command["phase"],
            "at_once": self.command["at_once"],
            "seconds": seconds,
            "calls": self.finished,
            "came": dict(self.came.most_common()),
            "ways": dict(self.ways.most_common()),
            "hung": self.hung,
            "longest": self.longest,
            "lag": self.lag,
            "wrong": dict(self.wrong.most_common(20)),
            "complaints": dict(self.complaints.counted.most_common(20)),
            "held_before": list(before),
            "held_after": list(after),
            "samples": self.samples,
        }


if __name__ == "__main__":
    soak = Soak(json.loads(sys.argv[1]))
    print(json.dumps(asyncio.run(soak.run())), flush=True)
