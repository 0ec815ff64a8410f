"""The vendors, one folder each. They are discovered here, and listed nowhere."""

from __future__ import annotations

import pkgutil
from collections.abc import Iterable, Iterator
from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

import msgspec

from betterai.core.exceptions import ConfigurationError
from betterai.core.provider import Provider

GROUP = "betterai.providers"
"""The entry point group under which packages publish a `Provider`, or a class that is a provider."""

FOLDER = Path(__file__).parent
"""Where the built-in vendors' folders are."""


@cache
def built_in_names() -> tuple[str, ...]:
    """The folders beside this file, without importing any."""
    return tuple(sorted(module.name for module in pkgutil.iter_modules(__path__) if module.ispkg))


@cache
def _published() -> dict[str, EntryPoint]:
    """Installed packages' providers. A built-in name is not shadowed by an installed package."""
    return {point.name: point for point in entry_points(group=GROUP) if point.name not in built_in_names()}


@cache
def discover_names() -> tuple[str, ...]:
    """The names of all providers, built in and installed, without importing any."""
    return tuple(sorted((*built_in_names(), *_published())))


@cache
def load_provider(name: str) -> Provider | type:
    """The declaration in a vendor's folder, or what a package publishes; importing it is done at first use. Raises
    `ConfigurationError` for a package that cannot be imported, or publishes something else.
    """
    if name in built_in_names():
        declaration: Provider = import_module(f"{__name__}.{name}").PROVIDER
        return declaration
    return _load_published(name, _published()[name])


def _load_published(name: str, point: EntryPoint) -> Provider | type:
    package = point.dist.name if point.dist is not None else point.module
    try:
        published = point.load()
    except Exception as error:
        raise ConfigurationError(
            f"the provider {name!r} cannot be loaded from {point.value}: {type(error).__name__}: {error}",
            hint=f"update or remove the package {package}",
            provider=name,
        ) from error
    if isinstance(published, Provider):
        return msgspec.structs.replace(published, name=name)
    if isinstance(published, type):
        return published
    raise ConfigurationError(
        f"{point.value} is neither a Provider nor a class", hint=f"update the package {package}", provider=name
    )


def declared_providers(names: Iterable[str] | None = None) -> Iterator[Provider]:
    """All declarations, or those of some. An installed package that does not load is passed over with a warning in the
    log: it must not take the others away.
    """
    for name in discover_names() if names is None else names:
        try:
            provider = load_provider(name)
        except ConfigurationError as error:
            from logging import getLogger

            getLogger("betterai").warning("%s", error)
            continue
        if isinstance(provider, Provider):
            yield provider


def forget_discovered() -> None:
    """Look anew: for packages that were installed while the process ran."""
    for cached in (built_in_names, _published, discover_names, load_provider):
        cached.cache_clear()
