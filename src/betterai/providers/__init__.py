"""The vendors, one folder each. They are discovered here, and listed nowhere."""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points

from betterai.core.provider import Provider

GROUP = "betterai.providers"
"""The entry point group under which packages publish a `Provider`, or a class that is a provider."""


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
    """The declaration in a vendor's folder, or what a package publishes; importing it is done at first use."""
    if name in built_in_names():
        declaration: Provider = import_module(f"{__name__}.{name}").PROVIDER
        return declaration
    published: Provider | type = _published()[name].load()
    return published


def forget_discovered() -> None:
    """Look anew: for packages that were installed while the process ran."""
    for cached in (built_in_names, _published, discover_names, load_provider):
        cached.cache_clear()
