"""For all tests: one case of those that run together, code that is compiled once, and nothing that stays behind."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Generator

import pytest

import together

# Without the compiled files each worker, and each of the hundreds of processes that tests start, compiles all anew.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False
# More threads than there are cores wait for each other by spinning: an answer of a GGUF file took twenty times the CPU.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--case", default="", help="run only the cases with this text in their names, where many are in one test"
    )


def pytest_configure(config: pytest.Config) -> None:
    together.only = config.getoption("--case")


def pytest_collection(session: pytest.Session) -> None:
    gc.disable()


def pytest_collection_finish(session: pytest.Session) -> None:
    """What was imported and recorded stays: the many tests that look for what is left do not look through it again."""
    gc.enable()
    gc.collect()
    gc.freeze()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> Generator[None, object, object]:
    try:
        return (yield)
    finally:
        if nextitem is None or nextitem.path != item.path:
            forget_registered()


def forget_registered() -> None:
    """Whichever module of tests comes next in this process: it finds no provider and no model of the last one."""
    registry, config = sys.modules.get("betterai.runtime.registry"), sys.modules.get("betterai.config.providers")
    if registry is not None and registry._registered:
        registry._registered.clear()
        registry._version += 1
    kept = (
        (config.ALL_MODELS._added, config.ALL_MODELS._removed, config.ALL_MODELS._aliases) if config is not None else ()
    )
    if config is not None and any(kept):
        for names in kept:
            names.clear()
        config.ALL_MODELS._change()
