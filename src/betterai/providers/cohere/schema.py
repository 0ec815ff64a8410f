"""Schemas made from types, in the dialect that Cohere enforces."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_REFUSED = frozenset(
    {
        "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minLength", "maxLength",
        "minItems", "maxItems", "uniqueItems", "minProperties", "maxProperties", "patternProperties", "default",
    }
)  # fmt: skip
"""Keywords that are not enforced, or turned down (https://docs.cohere.com/docs/structured-outputs)."""
_NAMED = frozenset({"properties", "$defs", "definitions"})
_LITERAL = frozenset({"const", "enum", "examples", "required"})


def fit_schema(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The schema without what is not taken. The answer is checked against the type itself all the same."""
    return {key: _fit(key, value) for key, value in schema.items() if key not in _REFUSED}


def _fit(key: str, value: Any) -> Any:
    if key in _LITERAL:
        return value
    if key in _NAMED and isinstance(value, Mapping):
        return {name: _fit("", item) for name, item in value.items()}
    if isinstance(value, Mapping):
        return fit_schema(value)
    return [_fit("", item) for item in value] if isinstance(value, list | tuple) else value
