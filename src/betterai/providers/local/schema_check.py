"""Does a JSON value fit a JSON Schema? What the example generator needs to know of it, no more."""

from __future__ import annotations

import re
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from betterai.providers.local.schema_merge import Schema, resolve_reference

_TYPES: Mapping[str, type | tuple[type, ...]] = {
    "object": Mapping, "array": list, "string": str, "number": (int, float), "boolean": bool, "null": type(None),
}  # fmt: skip


def fits(value: Any, schema: Schema | bool, root: Schema | bool) -> bool:
    """True where `value` fits `schema`; its references are looked up in `root`. `format` is not checked.

    Raises `Unsatisfiable` for a reference that points nowhere, `RecursionError` for one that points to itself.
    """
    if isinstance(schema, bool):
        return schema
    if "$ref" in schema and not fits(value, resolve_reference(root, schema["$ref"]), root):
        return False
    return (
        _fits_type(value, schema)
        and _fits_choice(value, schema, root)
        and _fits_number(value, schema)
        and _fits_string(value, schema)
        and _fits_array(value, schema, root)
        and _fits_object(value, schema, root)
    )


def same(left: Any, right: Any) -> bool:
    """Equal as JSON has it: 1 is 1.0, but it is not true."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        return left.keys() == right.keys() and all(same(item, right[key]) for key, item in left.items())
    return bool(left == right)


def _fits_type(value: Any, schema: Schema) -> bool:
    kinds = schema.get("type")
    if kinds is None or (value is None and schema.get("nullable")):
        return True
    return any(_is(value, kind) for kind in ([kinds] if isinstance(kinds, str) else kinds))


def _is(value: Any, kind: str) -> bool:
    if isinstance(value, bool):
        return kind == "boolean"
    if kind == "integer":
        return isinstance(value, int) or (isinstance(value, float) and value.is_integer())
    return isinstance(value, _TYPES.get(kind, ()))


def _fits_choice(value: Any, schema: Schema, root: Schema | bool) -> bool:
    if "const" in schema and not same(value, schema["const"]):
        return False
    if "enum" in schema and not any(same(value, item) for item in schema["enum"]):
        return False
    if not all(fits(value, item, root) for item in schema.get("allOf", ())):
        return False
    if "anyOf" in schema and not any(fits(value, item, root) for item in schema["anyOf"]):
        return False
    if "oneOf" in schema and sum(fits(value, item, root) for item in schema["oneOf"]) != 1:
        return False
    if "not" in schema and fits(value, schema["not"], root):
        return False
    if "if" in schema:
        return fits(value, schema.get("then" if fits(value, schema["if"], root) else "else", True), root)
    return True


def _fits_number(value: Any, schema: Schema) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return True
    low, high = schema.get("exclusiveMinimum"), schema.get("exclusiveMaximum")
    step = schema.get("multipleOf")
    return (
        ("minimum" not in schema or (value > schema["minimum"] if low is True else value >= schema["minimum"]))
        and ("maximum" not in schema or (value < schema["maximum"] if high is True else value <= schema["maximum"]))
        and (low is None or isinstance(low, bool) or value > low)
        and (high is None or isinstance(high, bool) or value < high)
        and (step is None or (Fraction(str(value)) / Fraction(str(step))).denominator == 1)
    )


def _fits_string(value: Any, schema: Schema) -> bool:
    if not isinstance(value, str):
        return True
    if not schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", len(value)):
        return False
    return "pattern" not in schema or matches(schema["pattern"], value)


def matches(pattern: str, text: str) -> bool:
    """True where the pattern is found in the text, and where it is not one that Python can read."""
    try:
        return re.search(pattern, text) is not None
    except re.error:
        return True


def _fits_array(value: Any, schema: Schema, root: Schema | bool) -> bool:
    if not isinstance(value, list):
        return True
    if not schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", len(value)):
        return False
    if schema.get("uniqueItems") and any(same(a, b) for i, a in enumerate(value) for b in value[:i]):
        return False
    if "contains" in schema:
        found = sum(fits(item, schema["contains"], root) for item in value)
        if not schema.get("minContains", 1) <= found <= schema.get("maxContains", found):
            return False
    first, rest = split_items(schema)
    return all(fits(item, first[place] if place < len(first) else rest, root) for place, item in enumerate(value))


def split_items(schema: Schema) -> tuple[list[Any], Any]:
    """The schemas of the first items, and that of all others; older drafts wrote the first ones as `items`."""
    items = schema.get("items", True)
    if isinstance(items, list):
        return items, schema.get("additionalItems", True)
    return list(schema.get("prefixItems", ())), items


def _fits_object(value: Any, schema: Schema, root: Schema | bool) -> bool:
    if not isinstance(value, Mapping):
        return True
    if not schema.get("minProperties", 0) <= len(value) <= schema.get("maxProperties", len(value)):
        return False
    if any(name not in value for name in schema.get("required", ())):
        return False
    if any(n not in value for key, names in schema.get("dependentRequired", {}).items() if key in value for n in names):
        return False
    if "propertyNames" in schema and not all(fits(name, schema["propertyNames"], root) for name in value):
        return False
    return all(fits(item, part, root) for name, item in value.items() for part in schemas_of(name, schema))


def schemas_of(name: str, schema: Schema) -> list[Any]:
    """Every schema that the value of this property has to fit."""
    properties: Schema = schema.get("properties") or {}
    patterns: Schema = schema.get("patternProperties") or {}
    found = [properties[name]] if name in properties else []
    found += [part for pattern, part in patterns.items() if matches(pattern, name)]
    return found or [schema.get("additionalProperties", True)]
