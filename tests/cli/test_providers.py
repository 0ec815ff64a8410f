"""`betterai providers`: what is configured and what is missing, without showing any value."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli.processes import Result, run
from cli.terminal import Terminal

CANARY = "sk-canary-0123456789"
KEYS = {"GROQ_API_KEY": CANARY, "GROQ_BASE_URL": f"https://{CANARY}.example.com"}


def row(result: Result, name: str) -> str:
    (line,) = [line for line in result.stdout.splitlines() if line.startswith(f"{name} ")]
    return line


def test_the_table_says_what_is_missing_and_what_to_set():
    result = run("providers")
    assert (result.code, result.stderr) == (0, "")
    assert row(result, "groq").split()[1:4] == ["missing", "set", "GROQ_API_KEY"]
    assert row(result, "local").split()[1] == "ready"
    assert "default text model: local/eliza (BETTERAI_MODEL is not set)" in result.stdout
    last = result.stdout.splitlines()[-1]
    assert last.startswith("next: export ")
    assert "ANTHROPIC_API_KEY=…  # keys: https://" in last, "the first that needs one setting only, and not azure"


def test_only_what_is_missing_is_asked_for():
    result = run("providers")
    assert "set AWS_REGION or AWS_DEFAULT_REGION  " in row(result, "bedrock")
    assert "set GOOGLE_CLOUD_PROJECT or GOOGLE_VERTEX_PROJECT  " in row(result, "vertex"), "its address is made of it"
    assert "AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN may be set" in row(run("providers", AWS_REGION="x"), "bedrock")


def test_the_table_says_where_a_value_is_from_and_never_the_value():
    result = run("providers", **KEYS)
    assert "ready" in row(result, "groq")
    assert "api_key from GROQ_API_KEY; host from GROQ_BASE_URL" in row(result, "groq")
    assert result.stdout.splitlines()[-1] == "next: export BETTERAI_MODEL=groq/openai/gpt-oss-120b"
    assert CANARY not in result.stdout + result.stderr


def test_a_chosen_model_whose_key_is_missing_is_what_to_set_next():
    last = run("providers", BETTERAI_MODEL="openai", **KEYS).stdout.splitlines()[-1]
    assert last.startswith("next: export OPENAI_API_KEY=…")


def test_a_provider_that_cannot_be_asked_yet_is_listed_after_those_that_can():
    providers = run("providers", "--json").json["providers"]
    order = ["ready", "missing", "listed", "broken"]
    assert [order.index(provider["status"]) for provider in providers] == sorted(
        order.index(provider["status"]) for provider in providers
    )
    assert {provider["status"] for provider in providers if not provider["categories"]} <= {"listed", "broken"}


def test_json_holds_the_same_without_values():
    result = run("providers", "--json", BETTERAI_MODEL="local/echo", **KEYS)
    found = result.json
    assert (found["default_text_model"], found["source"]) == ("local/echo", "BETTERAI_MODEL")
    providers = {provider["name"]: provider for provider in found["providers"]}
    assert providers["groq"]["status"] == "ready"
    assert providers["openai"]["status"] == "missing"
    key = providers["groq"]["settings"][0]
    assert (key["name"], key["source"], key["secret"]) == ("api_key", "GROQ_API_KEY", True)
    assert CANARY not in result.stdout + result.stderr


@pytest.fixture
def packages(tmp_path: Path) -> str:
    """An installed package with two providers: one that is a class, and one that cannot be imported."""
    info = tmp_path / "acme-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[betterai.providers]\nacme = acme:Acme\nzebra = no_such_module:Zebra\n")
    (tmp_path / "acme.py").write_text(
        "from betterai import BaseTextProvider, ProviderResponse\n"
        "class Acme(BaseTextProvider):\n"
        "    def __init__(self, api_key='', **options): pass\n"
        "    async def generate(self, messages, model, settings):\n"
        "        return ProviderResponse(content=f'{model} heard {messages[-1][\"content\"]}', model=model)\n"
    )
    return str(tmp_path)


def test_installed_providers_are_there_and_a_broken_one_is_no_crash(packages: str):
    result = run("providers", PYTHONPATH=packages)
    assert result.code == 0, result
    assert "ACME_API_KEY may be set" in row(result, "acme")
    assert row(result, "zebra").split()[1:] == ["broken", "does", "not", "load", "–", "–"]
    assert "ModuleNotFoundError" in result.stdout


def test_an_installed_class_answers_beside_a_broken_one(packages: str):
    result = run("chat", "-m", "acme/one", "Hello", PYTHONPATH=packages)
    assert (result.code, result.stdout) == (0, "one heard Hello\n"), result


async def test_status_is_coloured_on_a_terminal_unless_no_color_is_set():
    async with Terminal("providers") as terminal:
        code, seen = await terminal.end()
    assert (code, "\x1b[33mmissing" in seen, "\x1b[32mready" in seen) == (0, True, True)
    async with Terminal("providers", NO_COLOR="1") as terminal:
        code, seen = await terminal.end()
    assert (code, "\x1b" in seen, "missing" in seen) == (0, False, True)
