"""No key and no configuration file of this machine is seen by the tests, and no log setting stays behind."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

import betterai
from betterai.runtime.observing.listeners import is_heard
from runtime.listening import Telemetry, Told


@pytest.fixture(autouse=True)
def _no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.endswith(("_API_KEY", "_BASE_URL")) or name.startswith("BETTERAI_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("BETTERAI_CONFIG", os.devnull)


@pytest.fixture
def told() -> Iterator[Told]:
    events = Told()
    with betterai.observe(events.append):
        yield events
    assert not is_heard(None)


@pytest.fixture
def telemetry() -> Iterator[Telemetry]:
    made = Telemetry()
    made.instrument()
    yield made
    betterai.opentelemetry.uninstrument()
