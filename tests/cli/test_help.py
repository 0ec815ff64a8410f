"""Help, version, and what is not loaded for them."""

from __future__ import annotations

import subprocess
import sys

import pytest

import betterai
from betterai.cli import main
from betterai.cli.parser import build_parser
from cli.processes import make_environment, run

COMMANDS = [name for name, parser in build_parser()[1].parsers.items() if parser.description]


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_explains_itself_with_an_example(
    name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("COLUMNS", "80")
    assert main([*name.split(), "--help"]) == 0
    shown = capsys.readouterr().out
    assert f"usage: betterai {name}" in shown
    assert f"betterai {name} " in shown.partition("example: ")[2]
    assert all(len(line) <= 80 for line in shown.partition("\n\n")[2].splitlines())


def test_help_lists_the_commands_and_the_exit_codes():
    result = run("--help")
    assert (result.code, result.stderr) == (0, "")
    for word in (*COMMANDS, "exit codes", "example: betterai chat"):
        assert word in result.stdout


def test_no_command_shows_the_help_and_is_an_error():
    result = run()
    assert (result.code, result.stdout) == (2, "")
    assert "usage: betterai" in result.stderr


def test_an_unknown_command_names_those_there_are():
    result = run("caht")
    assert (result.code, result.stderr.count("\n")) == (2, 1)
    assert "chat" in result.stderr


def test_version():
    assert run("--version").stdout == f"betterai {betterai.__version__}\n"


@pytest.mark.parametrize("word", ["--help", "--version"])
def test_help_and_version_load_nothing_heavy(word: str):
    look = (
        "import sys; from betterai.cli import main; main([sys.argv[1]]);"
        "print([name for name in ('asyncio', 'aiohttp', 'msgspec', 'tenacity', 'json') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", look, word], capture_output=True, text=True, check=True, env=make_environment()
    )
    assert done.stdout.splitlines()[-1] == "[]"
