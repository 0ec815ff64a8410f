"""`betterai demo` shows each embedded model, and goes on where one is not installed."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from cli.commands import Command
from providers.local.engines import need


def test_what_is_not_installed_is_named_and_the_rest_is_shown(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    need("painter")
    for package in ("espeakng_loader", "pocketsphinx"):
        monkeypatch.setitem(sys.modules, package, None)
    monkeypatch.setattr("betterai.providers.local.espeak._library", None)
    result = command("demo", "--save", str(tmp_path / "shown"))
    lines = result.stdout.splitlines()
    assert result.code == 0
    named = [line.split()[0] for line in lines]
    assert named == [
        "local/eliza", "local/painter", "local/espeak", "local/pocketsphinx", "cascade",
        "local/hashing", "local/flipbook",
    ]  # fmt: skip
    assert "betterai[local-speech]" in lines[2]
    assert "nothing was spoken" in lines[3]
    assert "nothing was spoken" in lines[4]
    assert "0.80" in lines[5]
    assert {path.name.partition(".")[0] for path in (tmp_path / "shown").iterdir()} == {"picture", "film"}
