"""Routers of the configuration file: `router/NAME` wherever a model's name goes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from betterai.config.environment import read_config_file, read_value
from betterai.config.file import RouterTable, TargetTable, near
from betterai.core.config import CoreConfig
from betterai.core.exceptions import ConfigurationError, ModelNotFoundError, ValidationError
from betterai.core.routing import ROUTER_PREFIX, Target
from betterai.core.settings import GenerationSettings
from betterai.runtime.router.router import Router

if TYPE_CHECKING:
    from betterai.runtime.client import Client


def make_router(name: str, client: Client | None = None) -> Router:
    """The router that the file declares as `[routers.NAME]`. Raises `ModelNotFoundError` and `ConfigurationError`."""
    file = read_config_file()
    table = file.routers.get(name)
    if table is None:
        known = ", ".join(f"{ROUTER_PREFIX}{known}" for known in file.routers)
        like = near(name, file.routers)
        hint = f"did you mean {ROUTER_PREFIX}{like}?" if like else f"there are {known}" if known else ""
        raise ModelNotFoundError(
            f"no router {name!r} is declared in {file.path or 'a configuration file'}",
            hint=hint or f"write [routers.{name}] into it, or make one with betterai.Router",
            model=f"{ROUTER_PREFIX}{name}",
        )
    _check_circle([name], file.routers)
    base = client.config if client is not None else CoreConfig()
    targets = [
        _read_target(target, f"routers.{name}.targets[{index}]", base) for index, target in enumerate(table.targets)
    ]
    given = {field: getattr(table, field) for field in RouterTable.__struct_fields__ if field != "targets"}
    return Router(targets, **given, client=client, name=f"{ROUTER_PREFIX}{name}")


def _check_circle(path: list[str], known: Mapping[str, RouterTable]) -> None:
    """Raises `ConfigurationError` where a router is among its own targets, or theirs."""
    for target in known[path[-1]].targets:
        model = target if isinstance(target, str) else target.model
        name = model.removeprefix(ROUTER_PREFIX)
        if name == model or name not in known:
            continue
        if name in path:
            said = " → ".join([*path, name])
            raise ConfigurationError(f"routers.{path[0]}: a router is among its own targets: {said}")
        _check_circle([*path, name], known)


def _read_target(table: str | TargetTable, place: str, base: CoreConfig) -> Target:
    if isinstance(table, str):
        return Target(table)
    keys = [read_value(key) for key in table.keys]
    found = tuple(key for key in keys if key)
    if table.keys and not found:
        raise ConfigurationError(f"{place}: none of the variables of its keys is set")
    reached = {name: value for name in ("base_url", "protocol", "timeout") if (value := getattr(table, name))}
    return Target(
        table.model,
        weight=table.weight,
        keys=found,
        concurrency=table.concurrency,
        account=table.account,
        region=table.region,
        config=replace(base, **reached) if reached else None,
        settings=_read_settings(table.settings, place),
    )


def _read_settings(given: Mapping[str, Any], place: str) -> GenerationSettings | None:
    try:
        return GenerationSettings(**given) if given else None
    except ValidationError as error:
        raise ConfigurationError(f"{place}: {error}") from None
