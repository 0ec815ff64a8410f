"""`betterai models`: words, filters, order, one model in full, and a vendor's own list."""

from __future__ import annotations

from decimal import Decimal

import pytest

from betterai import ALL_MODELS, ModelCapabilities, ModelConfig, Price, Rates, Tier
from betterai.core.provider import Provider, Setting
from betterai.runtime.registry import register_provider
from cli.commands import Command
from cli.processes import Result, run
from runtime.subprocesses import check_python
from runtime.upstream import Upstream, reply

KEY = "sk-canary-0123456789"


def model(id: str, text_in: str | None, context: int | None, **capabilities: bool) -> ModelConfig:
    price = None
    if text_in is not None:
        rates = Rates(tokens={"text_in": Decimal(text_in), "text_out": Decimal(text_in) * 4})
        above = Tier(above=200_000, rates=Rates(tokens={"text_in": Decimal("9.5")}))
        batch = Price(rates=Rates(tokens={"text_in": Decimal("0.001")}, units={"search": Decimal("0.010")}))
        price = Price(rates=rates, tiers=(above,), variants={"batch": batch}, source="acme.example", as_of="2026-11-01")
    return ModelConfig(
        id=id,
        name=id.title(),
        provider="acme",
        capabilities=ModelCapabilities(context_window=context, **capabilities),
        price=price,
    )


@pytest.fixture(autouse=True)
def zzz_models():
    """Models that no vendor has, so that what vendors change changes no test."""
    found = [
        model("zzz-small", "0.3", 32_000, supports_vision=True, supports_tools=True),
        model("zzz-large", "2", 1_000_000, supports_vision=True, supports_reasoning=True),
        model("zzz-unknown", None, None),
        ModelConfig(
            id="yyy-voice", provider="acme", category="tts", price=Price(rates=Rates(units={"second": Decimal("0.10")}))
        ),
    ]
    ALL_MODELS.update({item.key: item for item in found})
    yield
    for item in found:
        del ALL_MODELS[item.key]


def names(result: Result) -> list[str]:
    return [line.split()[0].removeprefix("acme/zzz-") for line in result.stdout.splitlines()[1:]]


def test_all_words_are_in_the_name(command: Command):
    result = command("models", "ZZZ", "l")
    assert (result.code, names(result)) == (0, ["large", "small"])
    assert result.stdout.splitlines()[0].split() == ["MODEL", "CATEGORY", "CONTEXT", "IN", "$/M", "OUT", "$/M", "CAN"]
    assert result.stdout.splitlines()[2].split()[1:] == ["text", "32k", "0.30", "1.20", "vision", "tools"]


def test_what_is_not_paid_by_tokens_shows_its_unit(command: Command):
    line = command("models", "yyy-voice", "-c", "tts").stdout.splitlines()[1]
    assert line.split() == ["acme/yyy-voice", "tts", "–", "0.1/second", "–"]


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ((), ["large", "small", "unknown"]),
        (("--sort", "price"), ["small", "large", "unknown"]),
        (("--sort", "context"), ["large", "small", "unknown"]),
        (("--can", "vision"), ["large", "small"]),
        (("--can", "vision", "--can", "tools"), ["small"]),
        (("--context", "200k"), ["large"]),
        (("--context", "32000"), ["large", "small"]),
        (("--context", "1m"), ["large"]),
        (("--max-price-in", "$0.3"), ["small"]),
        (("--max-price-out", "8"), ["large", "small"]),
        (("--category", "text"), ["large", "small", "unknown"]),
    ],
)
def test_filters_leave_out_what_does_not_fit_and_what_is_not_known(
    filters: tuple[str, ...], found: list[str], command: Command
):
    assert names(command("models", "zzz", *filters)) == found


def test_json_holds_all_that_is_known(command: Command):
    (found,) = command("models", "zzz-small", "--json").json["models"]
    assert (found["model"], found["capabilities"]["context_window"]) == ("acme/zzz-small", 32_000)
    assert found["price"]["rates"]["tokens"] == {"text_in": 0.3, "text_out": 1.2}


def test_one_model_in_full(command: Command, monkeypatch: pytest.MonkeyPatch):
    shown = command("models", "show", "groq/openai/gpt-oss-120b").stdout
    assert "(set GROQ_API_KEY)" in shown
    assert "openai/gpt-oss-120b" in command("models", "show", "groq/openai/gpt-oss-120b", "--json").json["model"]
    lines = dict(line.split("  ", 1) for line in shown.splitlines())
    assert lines["price"].strip().startswith("text_in $")
    assert "20" in lines["price from"]


def test_a_model_of_a_provider_that_cannot_be_asked_yet_says_so(command: Command):
    provider = Provider(
        name="unasked",
        base_url="https://unasked.example",
        settings=(Setting(name="api_key", env=("UNASKED_KEY",), secret=True),),
        protocols={},
    )
    register_provider("text", "unasked", provider, replace=True)
    ALL_MODELS.update({"unasked/m": ModelConfig(id="m", provider="unasked")})
    shown = command("models", "show", "unasked/m").stdout
    assert "unasked (cannot be asked yet)" in shown
    assert "UNASKED_KEY" not in shown


def test_a_model_that_is_not_listed_is_an_error_with_near_names(command: Command):
    result = command("models", "show", "groq/openai/gpt-oss-120")
    assert (result.code, result.stdout) == (2, "")
    assert "there is no model" in result.stderr or "does not list" in result.stderr


def test_no_model_found_is_exit_code_1(command: Command):
    result = command("models", "no-such-model-anywhere")
    assert (result.code, result.stdout, "no model is like that" in result.stderr) == (1, "", True)
    assert command("models", "no-such-model-anywhere", "--json").json == {"models": []}
    assert "there is no provider 'nobody'" in command("models", "--provider", "nobody").stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--context", "many"), "'many' is not a number of tokens"),
        (("--max-price-in", "-1"), "--max-price-in"),
        (("--can", "fly"), "vision"),
        (("--live",), "--live asks one provider"),
    ],
)
def test_each_mistake_is_named(words: tuple[str, ...], said: str, command: Command):
    result = command("models", *words)
    assert (result.code, said in result.stderr, result.stderr.count("\n")) == (2, True, 1)


def test_searching_opens_no_socket():
    code = """
    import sys
    from betterai.cli import main

    def refuse(event, _):
        assert not event.startswith("socket."), event

    sys.addaudithook(refuse)
    for words in (["models", "gpt"], ["models", "show", "groq/openai/gpt-oss-120b"], ["providers"]):
        assert main(words) == 0, words
    """
    assert "groq/openai/gpt-oss-120b" in check_python(code)


LISTED = {"object": "list", "data": [{"id": "openai/gpt-oss-120b"}, {"id": "brand/new"}]}


def test_live_asks_the_vendor_and_says_what_the_catalogue_lacks(command: Command, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("GROQ_API_KEY", KEY)
    with Upstream(reply(200, LISTED)) as upstream:
        monkeypatch.setenv("GROQ_BASE_URL", upstream.url)
        table = command("models", "--live", "groq")
        found = command("models", "--live", "--provider", "groq", "brand", "--json").json
    assert table.stdout.splitlines()[1:] == ["brand/new            lacking", "openai/gpt-oss-120b  listed"]
    assert "groq has 2 models; the catalogue lacks 1 of them" in table.stderr
    assert (found["models"], found["lacking"]) == (["brand/new"], ["brand/new"])
    assert {request.headers["Authorization"] for request in upstream.requests} == {f"Bearer {KEY}"}
    assert {(request.method, request.path.rpartition("/")[2]) for request in upstream.requests} == {("GET", "models")}


def test_live_says_what_went_wrong(command: Command, monkeypatch: pytest.MonkeyPatch):
    assert "set GROQ_API_KEY" in command("models", "--live", "groq").stderr
    assert "has no list of models" in command("models", "--live", "local").stderr
    monkeypatch.setenv("GROQ_API_KEY", KEY)
    refused = {"error": {"message": f"Invalid API Key {KEY}", "code": "invalid_api_key"}}
    for script, said in ((reply(401, refused), "HTTP 401"), (reply(200, b"<html>"), "could not be read")):
        with Upstream(script) as upstream:
            monkeypatch.setenv("GROQ_BASE_URL", upstream.url)
            result = command("models", "--live", "groq")
        assert (result.code, said in result.stderr, KEY in result.stderr) == (1, True, False)
        assert len(upstream.requests) == 1


def test_the_command_line_finds_models_in_a_process_of_its_own():
    result = run("models", "gpt-oss-120b", "--provider", "groq")
    assert result.stdout.splitlines()[1].startswith("groq/openai/gpt-oss-120b ")
