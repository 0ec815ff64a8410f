"""The one place that reads the environment."""

from __future__ import annotations

import os
from collections.abc import Mapping

from betterai.core.config import CoreConfig
from betterai.core.exceptions import ConfigurationError
from betterai.core.provider import Provider, Setting


def read_variable(*names: str) -> str | None:
    """The first of these variables that is set and not blank."""
    for name in names:
        if (value := os.environ.get(name)) and not value.isspace():
            return value
    return None


def read_variables(names: tuple[str, ...]) -> tuple[str | None, ...]:
    """These variables as they stand: to see whether one has changed."""
    return tuple(map(os.environ.get, names))


def read_setting(setting: Setting, config: CoreConfig) -> str | None:
    """A provider's setting: `CoreConfig`, else the environment, else its default. A blank one given on purpose is none:
    the environment's key is not sent in its place.
    """
    given = config.settings.get(setting.name)
    if given is None and setting.name == "api_key":
        given = config.api_key
    value = given if given is not None else read_variable(*setting.env) or setting.default
    if value is not None and setting.secret:
        value = value.strip()
    return value or None


def read_settings(provider: Provider, config: CoreConfig) -> dict[str, str]:
    """All settings that have a value. Raises `ConfigurationError` naming the variable of a required one without."""
    values: dict[str, str] = {}
    for setting in provider.settings:
        value = read_setting(setting, config)
        if value is not None:
            values[setting.name] = value
        elif setting.required and not (setting.name == "base_url" and config.base_url):
            raise missing(provider, setting)
    return values


def missing(provider: Provider, setting: Setting) -> ConfigurationError:
    what = "key" if setting.name == "api_key" else setting.name
    how = f"set {' or '.join(setting.env)}" if setting.env else f"pass settings={{'{setting.name}': …}}"
    if setting.name == "api_key":
        how += ", or pass CoreConfig(api_key=…)"
    where = f"; keys are made at {provider.docs}" if provider.docs and setting.secret else ""
    return ConfigurationError(
        f"no {what} for {provider.title or provider.name}", hint=how + where, provider=provider.name
    )


def missing_settings(provider: Provider, config: CoreConfig | None = None) -> list[Setting]:
    """The required settings that have no value."""
    config = config or CoreConfig()
    return [item for item in provider.settings if item.required and read_setting(item, config) is None]


def fill_template(template: str, values: Mapping[str, str]) -> str:
    """ "https://{resource}.example.com" with its settings; "" where one of them has no value."""
    try:
        return template.format_map(values)
    except KeyError:
        return ""
