"""Settings that stand in the address, lists as one parameter several times."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import msgspec


def split_query(settings: Mapping[str, Any]) -> tuple[str, dict[str, str]]:
    """The lists, as the end of an address, and all others as texts."""
    lists = {name: list(map(as_text, value)) for name, value in settings.items() if isinstance(value, list | tuple)}
    plain = {name: as_text(value) for name, value in settings.items() if name not in lists and value is not None}
    written = urlencode({name: values for name, values in lists.items() if values}, doseq=True)
    return f"?{written}" if written else "", plain


def as_text(value: Any) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
