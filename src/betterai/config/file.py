"""The configuration file: TOML, found by `environment.find_config_path`, read at first use and once a process.

timeout = 60                      # seconds of a whole call, or a table: connect, first_byte, idle, total
retries = 2                       # or a table: attempts, base, cap, longest
unsupported = "raise"             # or "warn"

[models]                          # the default model of a category
text = "PROVIDER/MODEL"

[providers.NAME]                  # any setting that `betterai providers` lists, and base_url
api_key = { env = "VARIABLE" }    # or the key itself, in a file that only you can read

[routers.NAME]                    # `router/NAME` wherever a model's name goes
targets = ["PROVIDER/MODEL", { model = "PROVIDER/MODEL", weight = 2, keys = [{ env = "VARIABLE" }] }]
on_break = "restart"
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias, get_args

import msgspec

from betterai.core.config import Retries, Timeout
from betterai.core.data import Data
from betterai.core.exceptions import ConfigurationError
from betterai.core.model import Category
from betterai.core.routing import Breaker, Choose, Hedge, OnBreak

if TYPE_CHECKING:
    from betterai.core.provider import Provider

SECRET_NAME = re.compile("key|token|secret|password")
"""Names of settings whose values are secrets."""

READABLE_BY_OTHERS = 0o044


class Reference(Data, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`{ env = "VARIABLE" }`: the value is in the environment."""

    env: str


Value: TypeAlias = str | Reference
Seconds: TypeAlias = Annotated[float, msgspec.Meta(gt=0)]
Times: TypeAlias = Annotated[int, msgspec.Meta(ge=0)]


class TargetTable(Data, frozen=True, kw_only=True):
    """One target of a router, as `betterai.Target` has it; how it is reached stands beside."""

    model: Annotated[str, msgspec.Meta(min_length=1)]
    weight: Annotated[float, msgspec.Meta(gt=0)] = 1.0
    keys: tuple[Value, ...] = ()
    concurrency: Annotated[int, msgspec.Meta(ge=1)] | None = None
    account: str = ""
    region: str = ""
    base_url: str | None = None
    protocol: str = ""
    timeout: Seconds | Timeout | None = None
    settings: Mapping[str, Any] = {}

    def __repr__(self) -> str:
        return f"TargetTable({self.model!r}, keys={len(self.keys)})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return [("model", self.model), ("keys", len(self.keys))]


class RouterTable(Data, frozen=True, kw_only=True):
    """A router, as `betterai.Router` has it."""

    targets: Annotated[tuple[str | TargetTable, ...], msgspec.Meta(min_length=1)]
    choose: Choose = "order"
    on_break: OnBreak = "fail"
    hedge: Hedge | None = None
    breaker: Breaker = Breaker()
    timeout: Seconds | Timeout | None = None
    retries: Times | Retries | None = None
    sticky: bool = False
    also_after: tuple[Literal["content_filter", "output"], ...] = ()
    queue: Annotated[int, msgspec.Meta(ge=0)] = 1024


class ConfigFile(Data, frozen=True, kw_only=True):
    """What one file says. `path` is "" where there is none."""

    path: str = ""
    models: Mapping[Category, str] = {}
    providers: Mapping[str, Mapping[str, Value]] = {}
    routers: Mapping[str, RouterTable] = {}
    timeout: Seconds | Timeout | None = None
    retries: Times | Retries | None = None
    unsupported: Literal["warn", "raise"] | None = None

    def __repr__(self) -> str:
        return f"ConfigFile(path={self.path!r})"

    def settings_of(self, provider: Provider) -> Mapping[str, Value]:
        """The provider's table. Raises `ConfigurationError` for a setting that the provider does not have."""
        table = self.providers.get(provider.name)
        if table is None:
            return {}
        known = {"base_url", *(setting.name for setting in provider.settings)}
        check_keys(table, known, self.path, f"providers.{provider.name}.")
        return table


def read_text(path: Path) -> str:
    """The file's text. Raises `ConfigurationError`."""
    try:
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{path} is not UTF-8: {error}", hint="save it as UTF-8") from None
    except OSError as error:
        hint = "correct the path, or unset BETTERAI_CONFIG" if isinstance(error, FileNotFoundError) else ""
        raise ConfigurationError(f"cannot read {path}: {error.strerror or error}", hint=hint) from None


@cache
def read_file(path: Path) -> ConfigFile:
    """The file, checked. Raises `ConfigurationError` that says where it is wrong; values are never shown."""
    import tomllib

    text = read_text(path)
    try:
        found = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{path} is not TOML: {error}") from None
    _check_tables(found, path)
    for place, value, kind in _list_values(found):
        _convert(value, kind, path, place)
    file: ConfigFile = _convert({**found, "path": str(path)}, ConfigFile, path)
    _warn_if_readable(path, file)
    return file


def _convert(value: Any, kind: Any, path: Path, place: str = "") -> Any:
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        said, _, within = str(error).partition(" - at ")
        where = place or within.strip("`").removeprefix("$").lstrip(".")
        raise ConfigurationError(f"{path}: {where}: {said[:1].lower()}{said[1:]}") from None


def _list_values(found: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """What stands in tables whose keys msgspec's errors do not name: place, value and type."""
    if isinstance(models := found.get("models"), dict):
        for name, value in models.items():
            yield f"models.{name}", value, str
    if isinstance(providers := found.get("providers"), dict):
        for name, table in providers.items():
            for setting, value in table.items() if isinstance(table, dict) else ():
                yield f"providers.{name}.{setting}", value, Value
    for name, table in _list_routers(found):
        targets = table.get("targets")
        for index, target in enumerate(targets if isinstance(targets, list) else ()):
            yield f"routers.{name}.targets[{index}]", target, str | TargetTable
        yield f"routers.{name}", table, RouterTable


def _list_routers(found: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    routers = found.get("routers")
    for name, table in routers.items() if isinstance(routers, dict) else ():
        if isinstance(table, dict):
            yield name, table


def _check_tables(found: Mapping[str, Any], path: Path) -> None:
    """Unknown keys are mistakes. A provider may be one that the program registers later, so only a near miss is one."""
    check_keys(found, [name for name in ConfigFile.__struct_fields__ if name != "path"], path)
    _check_kinds(found, path, "")
    for router, table in _list_routers(found):
        check_keys(table, RouterTable.__struct_fields__, path, f"routers.{router}.")
        _check_kinds(table, path, f"routers.{router}.")
        targets = table.get("targets")
        for index, target in enumerate(targets if isinstance(targets, list) else ()):
            if isinstance(target, dict):
                check_keys(target, TargetTable.__struct_fields__, path, f"routers.{router}.targets[{index}].")
    if isinstance(models := found.get("models"), dict):
        check_keys(models, get_args(Category), path, "models.")
    if isinstance(providers := found.get("providers"), dict):
        from betterai.providers import discover_names

        names = discover_names()
        check_keys([name for name in providers if near(name, names)], names, path, "providers.")


_KINDS = {"timeout": Timeout, "retries": Retries, "hedge": Hedge, "breaker": Breaker}


def _check_kinds(table: Mapping[str, Any], path: Path, prefix: str) -> None:
    """Unknown keys in tables that are values."""
    for name, kind in _KINDS.items():
        if isinstance(value := table.get(name), dict):
            check_keys(value, kind.__struct_fields__, path, f"{prefix}{name}.")


def check_keys(table: Iterable[str], known: Iterable[str], path: Path | str, prefix: str = "") -> None:
    known = sorted(known)
    for key in table:
        if key not in known:
            hint = f"did you mean {like}?" if (like := near(key, known)) else f"there are {', '.join(known)}"
            raise ConfigurationError(f"{path}: there is no {prefix}{key}", hint=hint)


def near(name: str, known: Iterable[str], cutoff: float = 0.7) -> str:
    """The known name most like this one; "" where none is."""
    return next(iter(get_close_matches(name, list(known), n=1, cutoff=cutoff)), "")


def _warn_if_readable(path: Path, file: ConfigFile) -> None:
    held = [
        f"providers.{name}.{setting}"
        for name, table in file.providers.items()
        for setting, value in table.items()
        if isinstance(value, str) and SECRET_NAME.search(setting)
    ]
    held += [
        f"routers.{name}.targets[{index}].keys"
        for name, router in file.routers.items()
        for index, target in enumerate(router.targets)
        if isinstance(target, TargetTable) and any(isinstance(key, str) for key in target.keys)
    ]
    if held and os.name == "posix" and path.stat().st_mode & READABLE_BY_OTHERS:
        from logging import getLogger

        getLogger("betterai").warning(
            "%s holds %s, and others can read it: run chmod 600 %s", path, ", ".join(held), path
        )
