"""The vendors, one folder each. They are discovered here, and listed nowhere."""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module

from betterai.core.provider import Provider


@cache
def discover_names() -> tuple[str, ...]:
    """The names of the built-in providers, without importing any."""
    return tuple(sorted(module.name for module in pkgutil.iter_modules(__path__) if module.ispkg))


@cache
def load_provider(name: str) -> Provider:
    """The declaration in a vendor's folder; importing it is what costs, so it is done at first use."""
    declaration: Provider = import_module(f"{__name__}.{name}").PROVIDER
    return declaration
