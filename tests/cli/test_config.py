"""`betterai config`, and what other commands make of the configuration file."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli.commands import Command
from cli.processes import Result

SECRET = "sk-canary-0123456789"
TEXT = f"""
timeout = 30.5
[retries]
attempts = 2
[models]
text = "local/echo"
[providers.groq]
api_key = "{SECRET}"
host = "https://user:{SECRET}@acme.example"
base_url = "https://acme.example/v1?key={SECRET}"
[providers.openai]
api_key = {{ env = "WORK_KEY" }}
"""


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: Command) -> Path:
    path = tmp_path / "config.toml"
    path.touch(mode=0o600)
    path.write_text(TEXT)
    monkeypatch.setenv("BETTERAI_CONFIG", str(path))
    return path


def hides(result: Result) -> bool:
    return SECRET not in result.stdout + result.stderr


def test_it_is_shown_as_toml_with_secrets_masked(file: Path, command: Command, monkeypatch: pytest.MonkeyPatch):
    result = command("config")
    assert (result.code, result.stderr, hides(result)) == (0, "", True)
    assert result.stdout.splitlines() == [
        f"# {file}",
        "timeout = 30.5",
        "",
        "[retries]",
        "attempts = 2",
        "base = 0.5",
        "cap = 8.0",
        "longest = 60.0",
        "throttle = true",
        "",
        "[models]",
        'text = "local/echo"',
        "",
        "[providers.groq]",
        'api_key = "***"',
        'host = "https://***@acme.example"',
        'base_url = "https://acme.example/v1?***"',
        "",
        "[providers.openai]",
        'api_key = { env = "WORK_KEY" }  # is not set',
    ]
    monkeypatch.setenv("WORK_KEY", SECRET)
    assert command("config").stdout.splitlines()[-1] == 'api_key = { env = "WORK_KEY" }'


def test_its_place_and_its_json(file: Path, command: Command):
    assert command("config", "path").stdout == f"{file}\n"
    found = command("config", "--json")
    assert (found.json["path"], found.json["exists"], hides(found)) == (str(file), True, True)
    assert found.json["config"]["providers"]["openai"] == {"api_key": {"env": "WORK_KEY", "set": False}}


def test_without_a_file_its_place_is_said(tmp_path: Path, command: Command, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("BETTERAI_CONFIG")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    result = command("config")
    assert (result.code, result.stdout) == (0, "")
    assert f"there is no {tmp_path / 'betterai' / 'config.toml'}" in result.stderr
    assert command("config", "--json").json["exists"] is False


def test_a_mistake_in_the_file_is_one_line(file: Path, command: Command):
    file.write_text("timeout = 1\nmodels = [1 2]\n")
    result = command("chat", "Hello")
    assert (result.code, result.stdout, result.stderr.count("\n")) == (2, "", 1)
    assert f"{file} is not TOML" in result.stderr
    assert "line 2" in result.stderr


def test_a_misspelt_setting_of_a_provider_is_a_mistake_too(file: Path, command: Command):
    file.write_text('[providers.groq]\napikey = "x"')
    said = f"betterai: error: {file}: there is no providers.groq.apikey – did you mean api_key?\n"
    assert (command("config").code, command("config").stderr) == (2, said)


def test_the_default_model_and_keys_are_the_files(file: Path, command: Command):
    answer = command("chat", "Hello")
    assert (answer.stdout, answer.stderr) == ("Hello\n", "")
    listed = command("providers")
    assert f"default text model: local/echo (from {file})" in listed.stdout
    (row,) = (line for line in listed.stdout.splitlines() if line.startswith("groq "))
    assert "ready" in row
    assert "api_key from the file; host from the file" in row
    assert hides(listed)
