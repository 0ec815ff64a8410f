"""The one place that reads the environment, and knows where a value is from.

The first that has one: argument or `CoreConfig`, environment, configuration file, default.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

import msgspec

from betterai.config.file import ConfigFile, Reference, Value, near, read_file
from betterai.core.config import CoreConfig
from betterai.core.exceptions import ConfigurationError
from betterai.core.model import Category
from betterai.core.provider import Provider, Setting

CONFIG_VARIABLE = "BETTERAI_CONFIG"
STATE_VARIABLE = "BETTERAI_STATE"
TIMEOUT_VARIABLE = "BETTERAI_TIMEOUT"
RETRIES_VARIABLE = "BETTERAI_RETRIES"
UNSUPPORTED_VARIABLE = "BETTERAI_UNSUPPORTED"

_PLACES = (CONFIG_VARIABLE, "XDG_CONFIG_HOME", "HOME", "USERPROFILE")
_file: tuple[tuple[str | None, ...], ConfigFile] | None = None


def read_variable(*names: str) -> str | None:
    """The first of these variables that is set and not blank."""
    for name in names:
        if (value := os.environ.get(name)) and not value.isspace():
            return value
    return None


def read_variables(names: tuple[str, ...]) -> tuple[str | None, ...]:
    """These variables as they stand: to see whether one has changed."""
    return tuple(map(os.environ.get, names))


def find_config_path() -> Path | None:
    """BETTERAI_CONFIG, else `betterai/config.toml` in XDG_CONFIG_HOME or ~/.config, on every system; None without a
    home. A file in the working directory is not looked for: whoever wrote it could have keys sent elsewhere.
    """
    if chosen := read_variable(CONFIG_VARIABLE):
        return Path(chosen).expanduser()
    try:
        root = Path(read_variable("XDG_CONFIG_HOME") or Path.home() / ".config")
    except RuntimeError:
        return None
    return root / "betterai" / "config.toml"


def find_state_folder() -> Path:
    """Where what must outlive a process is kept: BETTERAI_STATE, else `betterai` in XDG_STATE_HOME or ~/.local/state.
    Raises `ConfigurationError` without a home.
    """
    if chosen := read_variable(STATE_VARIABLE):
        return Path(chosen).expanduser()
    try:
        return Path(read_variable("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "betterai"
    except RuntimeError:
        raise ConfigurationError("there is no home folder", hint=f"set {STATE_VARIABLE} to a folder") from None


def read_config_file() -> ConfigFile:
    """The user's file, or an empty one; read anew only when another path is chosen. Raises `ConfigurationError`, also
    where BETTERAI_CONFIG names a file that is not there.
    """
    global _file
    places = read_variables(_PLACES)
    if _file is None or _file[0] != places:
        path = find_config_path()
        there = path is not None and (read_variable(CONFIG_VARIABLE) or path.exists())
        _file = places, read_file(path) if path is not None and there else ConfigFile()
    return _file[1]


def load_config(path: str | Path | None = None, *, category: Category = "text") -> CoreConfig:
    """A file as a `CoreConfig`, for `Client(config)` or a call: `path`, else the user's own file. Its model is the
    category's default. Raises `ConfigurationError`.
    """
    if category not in get_args(Category):
        like = near(category, get_args(Category)) if isinstance(category, str) else ""
        hint = f"did you mean {like}?" if like else f"there are {', '.join(get_args(Category))}"
        raise ConfigurationError(f"there is no category {category!r:.60}", hint=hint)
    file = read_config_file() if path is None else read_file(Path(path))
    tables = {
        name: {key: value for key, given in table.items() if (value := read_value(given)) is not None}
        for name, table in file.providers.items()
    }
    return CoreConfig(
        model=file.models.get(category, ""),
        timeout=file.timeout,
        retries=file.retries,
        unsupported=file.unsupported,
        providers=tables,
    )


def complete_config(config: CoreConfig) -> CoreConfig:
    """Time limits, retries and `unsupported` that the caller left open, from the environment, else the file."""
    open_ones = [name for name in ("timeout", "retries", "unsupported") if getattr(config, name) is None]
    if not open_ones:
        return config
    file = read_config_file()
    found = {name: given for name in open_ones if (given := _READERS[name]()) is not None}
    found |= {name: given for name in open_ones if name not in found and (given := getattr(file, name)) is not None}
    return msgspec.structs.replace(config, **found) if found else config


def _read_number(variable: str, kind: type[Any], what: str) -> Any:
    text = read_variable(variable)
    try:
        return None if text is None else kind(text)
    except ValueError:
        raise ConfigurationError(f"{variable} is {text!r}", hint=f"it is {what}") from None


def _read_unsupported() -> Any:
    text = read_variable(UNSUPPORTED_VARIABLE)
    if text not in (None, "warn", "raise"):
        raise ConfigurationError(f"{UNSUPPORTED_VARIABLE} is {text!r}", hint="it is warn or raise")
    return text


_READERS: Mapping[str, Any] = {
    "timeout": lambda: _read_number(TIMEOUT_VARIABLE, float, "a number of seconds"),
    "retries": lambda: _read_number(RETRIES_VARIABLE, int, "how many times to try again"),
    "unsupported": _read_unsupported,
}


def read_value(value: Value | None) -> str | None:
    """A value of the file; what it refers to is read now."""
    return read_variable(value.env) if isinstance(value, Reference) else value


def read_setting(setting: Setting, config: CoreConfig, provider: Provider | None = None) -> str | None:
    """A provider's setting: `CoreConfig`, else the environment, else the file, else its default. A blank one given on
    purpose is none: the environment's key is not sent in its place.
    """
    given = _read_given(setting, config, provider)
    value = given if given is not None else read_variable(*setting.env)
    if value is None and provider is not None:
        value = read_value(read_config_file().settings_of(provider).get(setting.name))
    if value is None:
        value = setting.default
    if value is not None and setting.secret:
        value = value.strip()
    if value and setting.read is not None:
        value = setting.read(value)
    return value or None


def _read_given(setting: Setting, config: CoreConfig, provider: Provider | None) -> str | None:
    given = config.settings.get(setting.name)
    if given is None and setting.name == "api_key":
        given = config.api_key
    if given is None and provider is not None:
        given = config.providers.get(provider.name, {}).get(setting.name)
    return given


def read_base_url(provider: Provider, config: CoreConfig) -> str | None:
    """The whole base URL where one is given: by `CoreConfig`, or by the file where no variable says another."""
    setting = provider.setting("base_url")
    if config.base_url and setting is not None and setting.read is not None:
        return setting.read(config.base_url)
    if config.base_url or setting is not None:
        return config.base_url
    if given := config.providers.get(provider.name, {}).get("base_url"):
        return given
    placed = [setting for setting in provider.settings if f"{{{setting.name}}}" in provider.base_url]
    if any(read_variable(*setting.env) for setting in placed):
        return None
    return read_value(read_config_file().settings_of(provider).get("base_url"))


def setting_variables(provider: Provider, config: CoreConfig) -> tuple[str, ...]:
    """The variables that this provider's settings are read from, for one configuration."""
    names: list[str] = []
    table = read_config_file().settings_of(provider)
    for setting in provider.settings:
        given = config.base_url if setting.name == "base_url" else _read_given(setting, config, provider)
        if given is None:
            names += setting.env
            if isinstance(reference := table.get(setting.name), Reference):
                names.append(reference.env)
    return tuple(names)


def read_settings(provider: Provider, config: CoreConfig) -> dict[str, str]:
    """All settings that have a value. Raises `ConfigurationError` naming the variable of a required one without."""
    values: dict[str, str] = {}
    for setting in provider.settings:
        value = read_setting(setting, config, provider)
        if value is None and setting.derive is not None:
            value = setting.derive(values) or None
        if value is not None:
            values[setting.name] = value
        elif setting.name == "base_url" and config.base_url:
            continue
        elif setting.required and setting.instead not in values:
            raise missing(provider, setting)
    return values


def missing(provider: Provider, setting: Setting) -> ConfigurationError:
    what = "key" if setting.name == "api_key" else setting.name
    reference = read_config_file().settings_of(provider).get(setting.name)
    variables = (reference.env,) if isinstance(reference, Reference) else setting.env
    how = f"set {' or '.join(variables)}" if variables else f"pass settings={{'{setting.name}': …}}"
    if setting.name == "api_key":
        how += ", or pass CoreConfig(api_key=…)"
    where = f"; keys are made at {provider.docs}" if provider.docs and setting.secret else ""
    return ConfigurationError(
        f"no {what} for {provider.title or provider.name}", hint=how + where, provider=provider.name
    )


def missing_settings(provider: Provider, config: CoreConfig | None = None) -> list[Setting]:
    """The required settings that have no value."""
    config = config or CoreConfig()
    unset = {item.name: item for item in provider.settings if read_setting(item, config, provider) is None}
    wanted = [item for item in unset.values() if item.required and item.derive is None]
    return [item for item in wanted if not (item.instead and item.instead not in unset)]


def fill_template(template: str, values: Mapping[str, str]) -> str:
    """ "https://{resource}.example.com" with its settings; "" where one of them has no value."""
    try:
        return template.format_map(values)
    except KeyError:
        return ""
