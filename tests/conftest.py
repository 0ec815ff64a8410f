"""For all tests: one case of those that run together, and code that is compiled once."""

from __future__ import annotations

import os
import sys

import pytest

import together

# Without the compiled files each worker, and each of the hundreds of processes that tests start, compiles all anew.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--case", default="", help="run only the cases with this text in their names, where many are in one test"
    )


def pytest_configure(config: pytest.Config) -> None:
    together.only = config.getoption("--case")
