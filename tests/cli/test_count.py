"""`betterai count`: tokens, whether they were counted, and what they cost."""

from __future__ import annotations

import json
from pathlib import Path

from cli.commands import Command

MODEL = "groq/openai/gpt-oss-120b"


def test_an_estimate_is_called_one_and_priced(command: Command) -> None:
    result = command("count", "-m", MODEL, "Hello", "there")
    assert result.code == 0
    assert result.stdout.startswith("10 tokens (estimated), $0.0000015 of input")


def test_stdin_system_and_attachments_count(command: Command, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("word " * 100)
    words = ("count", "-m", MODEL, "--json", "-s", "Be brief.", "-a", str(tmp_path / "notes.txt"))
    said = json.loads(command(*words, stdin=b"More words here").stdout)
    assert said["model"] == MODEL
    assert said["estimated"] is True
    assert 110 <= said["tokens"] <= 130
    assert said["cost"]["status"] == "estimated"


def test_nothing_to_count_is_an_error(command: Command) -> None:
    result = command("count", "-m", MODEL)
    assert result.code == 2
    assert "there is no prompt" in result.stderr


def test_the_embedded_provider_asks_for_no_key(command: Command) -> None:
    assert "tokens (estimated)" in command("count", "-m", "local/echo", "Hello").stdout
