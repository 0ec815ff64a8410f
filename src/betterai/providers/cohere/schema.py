"""Schemas made from types, in the dialect that Cohere enforces."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from betterai.wire.json_schema import map_schemas

_REFUSED = frozenset(
    {
        "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minLength", "maxLength",
        "minItems", "maxItems", "uniqueItems", "minProperties", "maxProperties", "patternProperties", "default",
    }
)  # fmt: skip
"""Keywords that are not enforced, or turned down (https://docs.cohere.com/docs/structured-outputs)."""


def fit_schema(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The schema without what is not taken. The answer is checked against the type itself all the same."""
    return map_schemas({key: value for key, value in schema.items() if key not in _REFUSED}, _fit)


def _fit(value: Any) -> Any:
    return fit_schema(value) if isinstance(value, Mapping) else value
