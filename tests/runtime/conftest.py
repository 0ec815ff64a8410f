"""No key and no configuration file of this machine is seen by the tests, and no log setting stays behind."""

from __future__ import annotations

import os

import pytest


@pytest.fixture(autouse=True)
def _no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.endswith(("_API_KEY", "_BASE_URL")) or name.startswith("BETTERAI_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("BETTERAI_CONFIG", os.devnull)
