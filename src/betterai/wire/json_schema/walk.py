"""Where schemas stand inside a schema, and what they refer to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

_NAMED = frozenset({"properties", "$defs", "definitions", "patternProperties", "dependentSchemas"})
"""Keywords that hold schemas by name; the others hold one, or a list."""
_HOLDING = frozenset(
    {"items", "prefixItems", "anyOf", "oneOf", "allOf", "not", "if", "then", "else", "additionalProperties",
     "propertyNames", "contains", "unevaluatedItems", "unevaluatedProperties"}
)  # fmt: skip


def map_schemas(schema: Mapping[str, Any], change: Callable[[Any], Any]) -> dict[str, Any]:
    """The schema with each schema directly inside it changed; values that are no schemas stay."""
    changed: dict[str, Any] = {}
    for key, value in schema.items():
        if key in _NAMED and isinstance(value, Mapping):
            changed[key] = {name: change(inner) for name, inner in value.items()}
        elif key in _HOLDING and isinstance(value, list | tuple):
            changed[key] = [change(inner) for inner in value]
        else:
            changed[key] = change(value) if key in _HOLDING and isinstance(value, Mapping) else value
    return changed


def inline_root(schema: Mapping[str, Any]) -> dict[str, Any]:
    """msgspec gives `{"$ref": "#/$defs/X", "$defs": …}`; the root must be the object itself."""
    root = dict(schema)
    ref = root.pop("$ref", None)
    definitions = root.get("$defs", {})
    if isinstance(ref, str) and (name := ref.removeprefix("#/$defs/")) in definitions:
        root = {**definitions[name], "$defs": definitions}
        if ref not in find_references(root):
            kept = {key: value for key, value in definitions.items() if key != name}
            root = {**root, "$defs": kept} if kept else {key: value for key, value in root.items() if key != "$defs"}
    return root


def find_references(value: Any) -> set[str]:
    """All that is referred to with `$ref`."""
    if isinstance(value, Mapping):
        own = {ref} if isinstance(ref := value.get("$ref"), str) else set()
        return own.union(*(find_references(item) for item in value.values()))
    return set().union(*map(find_references, value)) if isinstance(value, list | tuple) else set()


def is_object(schema: Mapping[str, Any]) -> bool:
    kind = schema.get("type")
    return kind == "object" or "properties" in schema or (isinstance(kind, list) and "object" in kind)
