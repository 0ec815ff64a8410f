"""Commands run in this process: quick, for what needs no process of its own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from betterai.cli import main
from cli.processes import Result

Command = Callable[..., Result]


def make_command(folder: Path, monkeypatch: pytest.MonkeyPatch, captured: pytest.CaptureFixture[str]) -> Command:
    """`command("models", "gpt", stdin=b"", NAME="value")`: run it to its end, with stdin from a file."""

    def run(*words: str, stdin: bytes = b"", **variables: str) -> Result:
        source = folder / "stdin"
        source.write_bytes(stdin)
        with source.open() as file, monkeypatch.context() as patch:
            patch.setattr("sys.stdin", file)
            for name, value in variables.items():
                patch.setenv(name, value)
            code = main(words)
        written = captured.readouterr()
        return Result(code, written.out.encode(), written.err.encode())

    return run
