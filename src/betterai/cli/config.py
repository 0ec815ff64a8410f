"""`betterai config`: where the configuration file is, and what it says. Secrets are not shown."""

from __future__ import annotations

from argparse import Namespace
from typing import Any

import msgspec

from betterai.cli.control import one_line
from betterai.cli.output import Output
from betterai.config.environment import find_config_path, read_config_file, read_variable
from betterai.config.file import SECRET_NAME, ConfigFile, Reference, RouterTable, TargetTable, Value
from betterai.core.data import Data
from betterai.runtime.registry import get_provider, provider_names

SECRET = "***"
_REFERENCE = {"env", "set"}


def run(arguments: Namespace, output: Output) -> int:
    path, file = find_config_path(), None
    if arguments.what == "show":
        file = read_config_file()
        for name in file.providers.keys() & set(provider_names()):
            file.settings_of(get_provider(name))
    if arguments.json:
        there = path is not None and path.exists()
        found = {"path": str(path) if path else None, "exists": there}
        output.write_json({**found, "config": describe_file(file)} if file else found)
    elif file is None:
        output.answers.write(f"{path or 'there is no home directory'}\n")
    elif not file.path:
        output.note(f"there is no {path}: nothing is configured but by the environment")
    else:
        output.answers.write(f"# {one_line(file.path)}\n")
        _write_table("", describe_file(file), output)
    return 0


def describe_file(file: ConfigFile) -> dict[str, Any]:
    """What the file says, as JSON values, with secrets masked."""
    found = {
        "timeout": msgspec.to_builtins(file.timeout),
        "retries": msgspec.to_builtins(file.retries),
        "unsupported": file.unsupported,
        "models": dict(file.models),
        "providers": {
            name: {setting: _mask(value, secret=_is_secret(name, setting)) for setting, value in table.items()}
            for name, table in file.providers.items()
        },
        "routers": {name: _describe_router(table) for name, table in file.routers.items()},
    }
    return {name: value for name, value in found.items() if value not in (None, {})}


def _describe_router(table: RouterTable) -> dict[str, Any]:
    """As it is written: what has its default is left out."""
    targets = [target if isinstance(target, str) else _describe_target(target) for target in table.targets]
    written = {name: getattr(table, name) for name in table.__struct_fields__ if name != "targets"}
    return {"targets": targets, **_without_defaults(table, written)}


def _describe_target(target: TargetTable) -> dict[str, Any]:
    written = {name: getattr(target, name) for name in target.__struct_fields__ if name not in ("keys", "base_url")}
    keys = [_mask(key, secret=True) for key in target.keys]
    url = {"base_url": _hide_login(target.base_url)} if target.base_url else {}
    return {**_without_defaults(target, written), **url, **({"keys": keys} if keys else {})}


def _without_defaults(table: Data, written: dict[str, Any]) -> dict[str, Any]:
    defaults = {field.name: field.default for field in msgspec.structs.fields(table)}
    changed = {name: msgspec.to_builtins(value) for name, value in written.items() if value != defaults[name]}
    return {name: _without_none(value) for name, value in changed.items()}


def _without_none(value: Any) -> Any:
    """TOML knows none."""
    return {key: item for key, item in value.items() if item is not None} if isinstance(value, dict) else value


def _is_secret(provider: str, setting: str) -> bool:
    """By its name, or as the provider declares it."""
    if SECRET_NAME.search(setting):
        return True
    declared = get_provider(provider).setting(setting) if provider in provider_names() else None
    return declared is not None and declared.secret


def _mask(value: Value, *, secret: bool) -> Any:
    if isinstance(value, Reference):
        return {"env": value.env, "set": read_variable(value.env) is not None}
    return SECRET if secret else _hide_login(value)


def _hide_login(value: str) -> str:
    """A URL may hold a user and a password, or a key in its query."""
    scheme, slashes, rest = value.partition("://")
    if not slashes:
        return value
    rest, mark, _ = rest.partition("?")
    login, at, host = rest.rpartition("@")
    return f"{scheme}://{SECRET + at if login else ''}{host}{mark and mark + SECRET}"


def _write_table(name: str, table: dict[str, Any], output: Output) -> None:
    """As TOML: plain values first, then tables."""
    plain = {key: value for key, value in table.items() if not isinstance(value, dict) or value.keys() == _REFERENCE}
    if name and plain:
        output.answers.write(f"\n[{name}]\n")
    for key, value in plain.items():
        output.answers.write(f"{key} = {_write_value(value)}\n")
    for key, value in table.items():
        if key not in plain:
            _write_table(f"{name}.{key}" if name else key, value, output)


def _write_value(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(_write_value(item).partition('  #')[0] for item in value)}]"
    if isinstance(value, dict) and value.keys() != _REFERENCE:
        return f"{{ {', '.join(f'{key} = {_write_value(item)}' for key, item in value.items())} }}"
    if isinstance(value, dict):
        state = "" if value["set"] else "  # is not set"
        return f'{{ env = "{value["env"]}" }}{state}'
    return msgspec.json.encode(value).decode()
