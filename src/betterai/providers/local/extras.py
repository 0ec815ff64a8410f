"""Packages that an extra brings: imported at their first use, and named where they are missing."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from betterai.core.exceptions import ConfigurationError


def load_extra(package: str, extra: str, what: str, install: str = "") -> Any:
    """The package. Raises `ConfigurationError`, which says how to install it."""
    try:
        return import_module(package)
    except ImportError as error:
        hint = f"pip install 'betterai[{extra}]'" + (f" && pip install {install}" if install else "")
        raise ConfigurationError(f"{what} need the package {package}", hint=hint, provider="local") from error
