"""Settings and defaults: where a value comes from, and what is said when there is none."""

from __future__ import annotations

import pytest

import betterai
from betterai.config import defaults
from betterai.config.environment import fill_template, missing_settings, read_setting, read_settings, read_variable
from betterai.core.config import CoreConfig
from betterai.core.exceptions import ConfigurationError
from betterai.core.provider import Provider, Setting

KEY = Setting(name="api_key", env=("ACME_API_KEY", "ACME_TOKEN"), secret=True)
REGION = Setting(name="region", env=("ACME_REGION",), default="north")
PROJECT = Setting(name="project", required=False)
ACME = Provider(name="acme", title="Acme", docs="https://acme.example.com/keys", settings=(KEY, REGION, PROJECT))


@pytest.mark.parametrize(
    ("environment", "value"),
    [
        ({}, None),
        ({"ACME_API_KEY": "one"}, "one"),
        ({"ACME_TOKEN": "two"}, "two"),
        ({"ACME_API_KEY": "one", "ACME_TOKEN": "two"}, "one"),
        ({"ACME_API_KEY": "", "ACME_TOKEN": "two"}, "two"),
        ({"ACME_API_KEY": " \n", "ACME_TOKEN": "two"}, "two"),
        ({"ACME_API_KEY": " one\n"}, "one"),
    ],
)
def test_the_first_variable_that_says_something_counts(
    environment: dict[str, str], value: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, text in environment.items():
        monkeypatch.setenv(name, text)
    assert read_setting(KEY, CoreConfig()) == value


@pytest.mark.parametrize(
    ("config", "value"),
    [
        (CoreConfig(), "environment"),
        (CoreConfig(api_key="argument"), "argument"),
        (CoreConfig(settings={"api_key": "setting"}), "setting"),
        (CoreConfig(api_key="argument", settings={"api_key": "setting"}), "setting"),
        (CoreConfig(api_key=""), None),
        (CoreConfig(api_key=" "), None),
    ],
)
def test_what_the_caller_says_goes_before_the_environment_even_where_it_is_blank(
    config: CoreConfig, value: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACME_API_KEY", "environment")
    assert read_setting(KEY, config) == value


def test_defaults_fill_in_and_optional_ones_may_be_missing() -> None:
    assert read_settings(ACME, CoreConfig(api_key="k")) == {"api_key": "k", "region": "north"}
    assert read_settings(ACME, CoreConfig(api_key="k", settings={"region": "south", "project": "p"})) == {
        "api_key": "k",
        "region": "south",
        "project": "p",
    }


def test_a_missing_key_is_named_with_its_variables_and_where_to_get_one() -> None:
    with pytest.raises(ConfigurationError, match="no key for Acme") as caught:
        read_settings(ACME, CoreConfig())
    assert caught.value.hint == (
        "set ACME_API_KEY or ACME_TOKEN, or pass CoreConfig(api_key=…); keys are made at https://acme.example.com/keys"
    )
    assert caught.value.provider == "acme"
    assert [setting.name for setting in missing_settings(ACME)] == ["api_key"]
    assert missing_settings(ACME, CoreConfig(api_key="k")) == []


def test_a_missing_setting_without_a_variable_says_how_to_pass_it() -> None:
    provider = Provider(name="p", settings=(Setting(name="resource"),))
    with pytest.raises(ConfigurationError, match="no resource for p") as caught:
        read_settings(provider, CoreConfig())
    assert caught.value.hint == "pass settings={'resource': …}"


def test_a_base_url_that_is_given_needs_no_setting() -> None:
    provider = Provider(name="p", settings=(Setting(name="base_url", env=("P_BASE_URL",)),))
    assert read_settings(provider, CoreConfig(base_url="https://h")) == {}
    with pytest.raises(ConfigurationError, match="P_BASE_URL"):
        read_settings(provider, CoreConfig())


@pytest.mark.parametrize(
    ("template", "values", "filled"),
    [
        ("https://{resource}.example.com", {"resource": "mine"}, "https://mine.example.com"),
        ("https://{resource}.example.com", {}, ""),
        ("https://example.com", {}, "https://example.com"),
        ("{a}", {"a": "{b}", "b": "secret"}, "{b}"),
    ],
)
def test_templates_are_filled_once_or_not_at_all(template: str, values: dict[str, str], filled: str) -> None:
    assert fill_template(template, values) == filled


def test_the_first_variable_that_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("B_TEST", "b")
    assert read_variable("A_TEST", "B_TEST") == "b"
    assert read_variable("A_TEST") is None
    assert read_variable() is None


@pytest.mark.parametrize("name", ["NEWPROVIDER_API_KEY", "NEWPROVIDER_STT_MODEL", "NEWPROVIDER_BASE_URL"])
def test_handbook_defaults_are_read_when_they_are_asked_for(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert getattr(defaults, name) == ""
    monkeypatch.setenv(name, "now")
    assert getattr(defaults, name) == "now"


@pytest.mark.parametrize("name", ["PATH", "HOME", "newprovider_api_key", "_API_KEYS", "SOMETHING"])
def test_defaults_give_no_other_variable_away(name: str) -> None:
    with pytest.raises(AttributeError):
        getattr(defaults, name)


@pytest.mark.parametrize(("category", "variable"), defaults.MODEL_VARIABLES.items())
def test_the_default_model_of_a_category_is_its_variables(
    category: betterai.core.model.Category, variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = defaults.default_model(category)
    assert before.startswith("local/") or before == ""
    monkeypatch.setenv(variable, "acme/best")
    assert defaults.default_model(category) == "acme/best"


def test_without_anything_text_comes_from_the_embedded_provider() -> None:
    assert defaults.default_model() == "local/eliza"
    assert betterai.sync.generate("", "Hello").provider == "local"
