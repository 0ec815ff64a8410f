"""The configuration file: what it may say, what counts when others say otherwise, and what is said of mistakes."""

from __future__ import annotations

import os
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

import betterai
from betterai.config import load_config
from betterai.config.defaults import chosen_model, default_model
from betterai.config.environment import (
    complete_config,
    find_config_path,
    missing_settings,
    read_base_url,
    read_config_file,
    read_setting,
    read_settings,
)
from betterai.core.config import CoreConfig, Retries, Timeout
from betterai.core.exceptions import ConfigurationError
from betterai.core.provider import Provider, Setting
from betterai.runtime.registry import get_provider
from runtime.subprocesses import check_python
from runtime.upstream import Upstream, answer

CANARY = "sk-canary-0123456789"
KEY = Setting(name="api_key", env=("ACME_API_KEY",), secret=True)
HOST = Setting(name="host", env=("ACME_HOST",), default="https://acme.example.com")
ACME = Provider(name="acme", title="Acme", base_url="{host}/v1", settings=(KEY, HOST))

Write = Callable[[str], Path]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Write the user's file; each one in a place of its own, as a file is read once."""

    def write(text: str) -> Path:
        path = tmp_path / str(len(list(tmp_path.iterdir()))) / "config.toml"
        path.parent.mkdir()
        path.touch(mode=0o600)
        path.write_text(textwrap.dedent(text))
        monkeypatch.setenv("BETTERAI_CONFIG", str(path))
        return path

    return write


def test_the_file_is_in_the_users_configuration_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("BETTERAI_CONFIG")
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert find_config_path() == tmp_path / ".config" / "betterai" / "config.toml"
    assert read_config_file().path == ""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "xdg"))
    place = tmp_path / "xdg" / "betterai" / "config.toml"
    assert find_config_path() == place
    place.parent.mkdir(parents=True)
    place.write_text('models.text = "acme/one"')
    monkeypatch.setenv("BETTERAI_CONFIG", "~/other.toml")
    assert find_config_path() == tmp_path / "other.toml"
    monkeypatch.delenv("BETTERAI_CONFIG")
    assert chosen_model() == ("acme/one", str(place))


def test_a_file_in_the_working_directory_is_not_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "betterai.toml").write_text('providers.groq.base_url = "https://evil.example.com"')
    monkeypatch.chdir(tmp_path)
    assert read_config_file().providers == {}


def test_each_setting_is_the_arguments_then_the_environments_then_the_files_then_the_default(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert read_setting(HOST, CoreConfig(), ACME) == "https://acme.example.com"
    write('providers.acme.host = "https://file"')
    assert read_setting(HOST, CoreConfig(), ACME) == "https://file"
    monkeypatch.setenv("ACME_HOST", "https://environment")
    assert read_setting(HOST, CoreConfig(), ACME) == "https://environment"
    several = CoreConfig(providers={"acme": {"host": "https://config"}})
    assert read_setting(HOST, several, ACME) == "https://config"
    assert read_setting(HOST, CoreConfig(settings={"host": "https://argument"}), ACME) == "https://argument"


def test_a_key_may_be_in_a_variable_of_the_users_choice(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    write('[providers.acme]\napi_key = { env = "WORK_KEY" }\n')
    with pytest.raises(ConfigurationError, match="set WORK_KEY"):
        read_settings(ACME, CoreConfig())
    assert missing_settings(ACME) == [KEY]
    monkeypatch.setenv("WORK_KEY", f" {CANARY}\n")
    assert read_settings(ACME, CoreConfig())["api_key"] == CANARY
    assert load_config().providers == {"acme": {"api_key": f" {CANARY}\n"}}


def test_a_whole_base_url_gives_way_to_a_variable_that_says_another(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    write('providers.acme.base_url = "https://file/v2"')
    assert read_base_url(ACME, CoreConfig()) == "https://file/v2"
    assert read_base_url(ACME, CoreConfig(base_url="https://argument")) == "https://argument"
    monkeypatch.setenv("ACME_HOST", "https://environment")
    assert read_base_url(ACME, CoreConfig()) is None


def test_default_models_by_category(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write('[models]\ntext = "local/echo"\ntts = "acme/voice"\n')
    assert (default_model(), default_model("tts"), chosen_model()) == (
        "local/echo",
        "acme/voice",
        ("local/echo", str(path)),
    )
    assert betterai.sync.generate("", "Hello").content == "Hello"
    monkeypatch.setenv("BETTERAI_MODEL", "acme/other")
    assert chosen_model() == ("acme/other", "BETTERAI_MODEL")


def test_limits_come_from_the_call_then_the_environment_then_the_file(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    write('retries = 5\nunsupported = "raise"\n[timeout]\nidle = 3\n')
    assert complete_config(CoreConfig()) == CoreConfig(timeout=Timeout(idle=3), retries=5, unsupported="raise")
    for name, text in (("TIMEOUT", "7.5"), ("RETRIES", "0"), ("UNSUPPORTED", "warn")):
        monkeypatch.setenv(f"BETTERAI_{name}", text)
    assert complete_config(CoreConfig()) == CoreConfig(timeout=7.5, retries=0, unsupported="warn")
    given = CoreConfig(timeout=1.0, retries=Retries(attempts=2), unsupported="raise")
    assert complete_config(given) == given


async def test_a_call_is_made_as_the_file_says(write: Write) -> None:
    with Upstream(answer()) as upstream:
        write(f"""
            unsupported = "raise"
            [models]
            text = "groq"
            [providers.groq]
            api_key = "{CANARY}"
            base_url = "{upstream.url}"
        """)
        async with betterai.Client() as client:
            assert (await client.generate("", "Hello")).provider == "groq"
            with pytest.raises(betterai.UnsupportedParam):
                await client.generate("", "Hello", verbosity="low")
    (request,) = upstream.requests
    assert request.headers["Authorization"] == f"Bearer {CANARY}"


def test_a_file_can_be_handed_to_a_client(write: Write, tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.touch(mode=0o600)
    with Upstream(answer()) as upstream:
        own.write_text(f'models.text = "groq"\nproviders.groq = {{ api_key = "{CANARY}", host = "{upstream.url}" }}')
        config = load_config(own)
        assert CANARY not in repr(config)
        assert betterai.sync.generate("", "Hello", config=config).provider == "groq"
    assert upstream.requests[0].headers["Authorization"] == f"Bearer {CANARY}"


MISTAKES = {
    "timout = 3": "there is no timout – did you mean timeout?",
    "[timeout]\nfirst_bite = 3": "there is no timeout.first_bite – did you mean first_byte?",
    'models.txt = "a/b"': "there is no models.txt – did you mean text?",
    'providers.acme.api_key = "x"\nproviders.grroq.api_key = "x"': "there is no providers.grroq – did you mean groq?",
    "models.text = 5": "models.text: expected `str`, got `int`",
    "timeout = -1": "timeout: expected `float` > 0",
    'unsupported = "ignore"': "unsupported: invalid enum value 'ignore'",
    'providers.groq.api_key = { env = "A", or = "B" }': "providers.groq.api_key: object contains unknown field `or`",
    "retries = 1\nretries 2": "is not TOML: Expected '=' after a key in a key/value pair (at line 2, column 9)",
}


@pytest.mark.parametrize("text", MISTAKES)
def test_a_mistake_is_named_with_its_place(text: str, write: Write) -> None:
    path = write(text)
    with pytest.raises(ConfigurationError) as caught:
        read_config_file()
    assert str(path) in str(caught.value)
    assert MISTAKES[text] in str(caught.value)


def test_a_setting_that_a_provider_does_not_have_is_named_at_its_first_use(write: Write) -> None:
    write(f'providers.groq.api_kye = "{CANARY}"')
    assert betterai.sync.generate("local/echo", "Hello").content == "Hello"
    with pytest.raises(
        ConfigurationError, match=r"there is no providers.groq.api_kye – did you mean api_key\?"
    ) as caught:
        read_settings(get_provider("groq"), CoreConfig())
    assert CANARY not in str(caught.value)


def test_files_that_cannot_be_read_are_named(write: Write, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = write("")
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigurationError, match="is not UTF-8"):
        read_config_file()
    path.write_bytes(b"\xef\xbb\xbfretries = 2")
    assert read_config_file().retries == 2
    monkeypatch.setenv("BETTERAI_CONFIG", str(tmp_path / "gone.toml"))
    with pytest.raises(ConfigurationError, match=r"cannot read .*gone.toml: No such file.* unset BETTERAI_CONFIG"):
        read_config_file()
    monkeypatch.setenv("BETTERAI_CONFIG", str(tmp_path))
    with pytest.raises(ConfigurationError, match=r"cannot read .*: Is a directory"):
        read_config_file()


def test_no_value_of_a_file_shows_in_its_repr(write: Write) -> None:
    path = write(f'[providers.groq]\napi_key = "{CANARY}"')
    assert repr(read_config_file()) == f"ConfigFile(path='{path}')"


@pytest.mark.skipif(os.name != "posix", reason="permissions are otherwise there")
def test_a_key_that_others_can_read_is_warned_of(write: Write, caplog: pytest.LogCaptureFixture) -> None:
    path = write(f'providers.acme = {{ api_key = "{CANARY}", host = "https://h" }}')
    read_config_file()
    assert caplog.text == ""
    path = write(f'providers.acme = {{ api_key = "{CANARY}", host = "https://h" }}')
    path.chmod(0o644)
    read_config_file()
    assert f"holds providers.acme.api_key, and others can read it: run chmod 600 {path}" in caplog.text
    assert CANARY not in caplog.text


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("TIMEOUT", "long", "a number of seconds"),
        ("RETRIES", "2.5", "how many times"),
        ("UNSUPPORTED", "no", "warn or raise"),
    ],
)
def test_a_variable_that_cannot_be_read_is_named(
    name: str, text: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"BETTERAI_{name}", text)
    with pytest.raises(ConfigurationError, match=f"BETTERAI_{name} is {text!r} – it is {said}"):
        complete_config(CoreConfig())


def test_importing_reads_no_file(tmp_path: Path) -> None:
    (tmp_path / "wrong.toml").write_text("= 3")
    code = """
    import betterai
    client, config = betterai.Client(), betterai.CoreConfig(model="local/echo")
    try:
        betterai.sync.generate("local/echo", "Hello")
    except betterai.ConfigurationError as error:
        print(error.message)
    """
    said = check_python(code, env={"BETTERAI_CONFIG": str(tmp_path / "wrong.toml")})
    assert "is not TOML" in said
    assert "line 1" in said
