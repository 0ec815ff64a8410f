"""JSON Schemas as data: follow a `$ref`, and make one schema of two that must both hold."""

from __future__ import annotations

from collections.abc import Mapping
from math import lcm
from typing import Any, TypeAlias
from urllib.parse import unquote

Schema: TypeAlias = Mapping[str, Any]

_GREATEST = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties", "minContains")
_LEAST = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties", "maxContains")
_MAPS = ("properties", "patternProperties", "dependentSchemas", "$defs", "definitions")
_SCHEMAS = ("items", "additionalProperties", "contains", "propertyNames")
_CHOICES = ("anyOf", "oneOf")


class Unsatisfiable(Exception):
    """No value fits, or none that ends."""


def resolve_reference(root: Schema | bool, reference: str) -> Schema | bool:
    """What a `$ref` inside `root` points to: "#", "#/$defs/name" or "#anchor". Raises `Unsatisfiable` for any other."""
    if not reference.startswith("#"):
        raise Unsatisfiable(f"$ref {reference!r} points outside the schema")
    if not reference.startswith("#/"):
        return root if reference == "#" else _find_anchor(root, reference[1:])
    found: Any = root
    for token in reference[2:].split("/"):
        name = unquote(token).replace("~1", "/").replace("~0", "~")
        try:
            found = found[int(name)] if isinstance(found, list) else found[name]
        except (KeyError, IndexError, ValueError, TypeError):
            raise Unsatisfiable(f"$ref {reference!r} points nowhere") from None
    return as_schema(found)


def as_schema(value: Any) -> Schema | bool:
    """The value, if it is a schema. Raises `Unsatisfiable` if not."""
    if not isinstance(value, Mapping | bool):
        raise Unsatisfiable(f"{value!r:.60} is not a schema")
    return value


def _find_anchor(node: Any, anchor: str) -> Schema:
    if isinstance(node, Mapping):
        if node.get("$anchor") == anchor or node.get("$dynamicAnchor") == anchor:
            return node
        node = list(node.values())
    for child in node if isinstance(node, list) else ():
        try:
            return _find_anchor(child, anchor)
        except Unsatisfiable:
            continue
    raise Unsatisfiable(f"there is no $anchor {anchor!r}")


def merge_schemas(left: Schema, right: Schema) -> dict[str, Any]:
    """One schema for what fits both. Where that cannot be said exactly (two patterns), the left one stays."""
    merged = dict(left)
    for name, value in _give_way(left, right).items():
        merged[name] = _merge(name, merged[name], value) if name in merged else value
    return merged


def _give_way(left: Schema, right: Schema) -> Schema:
    """The right schema, said differently where it has a reference or a condition and the left one has too."""
    if "$ref" in left and "$ref" in right and left["$ref"] != right["$ref"]:
        rest = {name: value for name, value in right.items() if name != "$ref"}
        right = {**rest, "allOf": [*right.get("allOf", ()), {"$ref": right["$ref"]}]}
    if "if" in left and "if" in right:
        rest = {name: value for name, value in right.items() if name not in ("if", "then", "else")}
        met = _both(right["if"], right.get("then", True))
        unmet = _both({"not": right["if"]}, right.get("else", True))
        right = merge_schemas(rest, {"anyOf": [met, unmet]})
    return right


def _merge(name: str, left: Any, right: Any) -> Any:
    if left == right and type(left) is type(right):
        return left
    if name in _GREATEST:
        return max(left, right)
    if name in _LEAST:
        return min(left, right)
    if name in _MAPS:
        return {**right, **{key: _both(value, right[key]) if key in right else value for key, value in left.items()}}
    if name in _SCHEMAS and isinstance(left, Mapping | bool) and isinstance(right, Mapping | bool):
        return _both(left, right)
    if name in _CHOICES:
        return [_both(one, other) for one in left for other in right]
    if name == "allOf":
        return [*left, *right]
    if name == "required":
        return [*left, *(key for key in right if key not in left)]
    return _merge_values(name, left, right)


def _merge_values(name: str, left: Any, right: Any) -> Any:
    if name == "enum":
        return [value for value in left if value in right]
    if name == "not":
        return {"anyOf": [left, right]}
    if name == "const":
        raise Unsatisfiable(f"const is both {left!r:.40} and {right!r:.40}")
    if name == "type":
        return _merge_types(left, right)
    if name == "prefixItems":
        longer, shorter = (left, right) if len(left) >= len(right) else (right, left)
        return [_both(*pair) for pair in zip(shorter, longer, strict=False)] + list(longer[len(shorter) :])
    if name == "multipleOf" and isinstance(left, int) and isinstance(right, int):
        return lcm(left, right)
    return left


def _both(left: Any, right: Any) -> dict[str, Any]:
    return {"allOf": [left, right]}


def _merge_types(left: Any, right: Any) -> list[str]:
    lefts = [left] if isinstance(left, str) else list(left)
    rights = [right] if isinstance(right, str) else list(right)
    kinds = [kind for kind in lefts if kind in rights or (kind == "integer" and "number" in rights)]
    if "number" in lefts and "integer" in rights and "integer" not in kinds:
        kinds.append("integer")
    if not kinds:
        raise Unsatisfiable(f"the type is both {left!r} and {right!r}")
    return kinds
