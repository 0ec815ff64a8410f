"""Completion: what may stand where the cursor is, and the scripts that ask for it."""

from __future__ import annotations

import shutil
import subprocess
import sys

import pytest

from betterai.cli.complete import find_candidates, split_line
from betterai.cli.parser import build_parser
from cli.commands import Command
from cli.processes import make_environment
from together import each


def complete(line: str) -> list[str]:
    return [candidate.value for candidate in find_candidates(split_line(line), *build_parser())]


@each(
    ("line", "found"),
    [
        ("betterai ch", ["chat"]),
        ("betterai --ver", ["--version"]),
        ("betterai chat --atta", ["--attach"]),
        ("betterai chat --no-s", ["--no-stream"]),
        ("betterai models s", ["show"]),
        ("betterai models show --js", ["--json"]),
        ("betterai models --can v", ["vision"]),
        ("betterai models --can=v", ["--can=vision"]),
        ("betterai models --sort ", ["name", "price", "context"]),
        ("betterai completion ", ["bash", "zsh", "fish"]),
        ("betterai models --provider gro", ["groq"]),
        ("betterai chat -m local/e", ["local/echo", "local/eliza", "local/espeak"]),
        ("betterai chat 'unfinished -m local/ec", ["local/echo"]),
        ("betterai models show local/ec", ["local/echo"]),
        ("betterai chat --attach ", []),
        ("betterai replay ", []),
        ("betterai nonsense ", []),
    ],
)
def test_candidates(line: str, found: list[str]):
    assert complete(line) == found


def test_all_commands_are_offered_but_the_hidden_one():
    offered = complete("betterai ")
    assert {"chat", "models", "providers", "config", "new-provider", "completion", "replay"} <= set(offered)
    assert "complete" not in offered


def test_each_shell_gets_its_own_form(command: Command):
    assert command("complete", "bash", "--", "betterai chat --model=local/ec").stdout == "local/echo\n"
    assert command("complete", "fish", "--", "betterai comp").stdout.startswith("completion\tPrint the script")
    assert command("complete", "zsh", "--", "betterai comp").stdout.startswith("completion:Print the script")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_scripts_are_of_their_shells_language(shell: str, command: Command):
    script = command("completion", shell).stdout
    assert f"betterai complete {shell}" in script or f"complete {shell}" in script
    if program := shutil.which(shell):
        subprocess.run([program, "-n"], input=script, text=True, check=True, env=make_environment())


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
def test_bash_completes_by_the_script(command: Command):
    program = f"""
    betterai() {{ {sys.executable} -m betterai "$@"; }}
    {command("completion", "bash").stdout}
    complete -p betterai
    COMP_LINE="betterai chat -m local/e rest" COMP_POINT=24
    _betterai betterai
    echo "${{COMPREPLY[@]}}"
    """
    done = subprocess.run(["bash", "-c", program], capture_output=True, text=True, env=make_environment())
    assert done.stdout.splitlines() == [
        "complete -o default -F _betterai betterai",
        "local/echo local/eliza local/espeak",
    ], done.stderr
