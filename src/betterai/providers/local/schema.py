"""Makes a JSON value that fits a JSON Schema, the same one each time: arguments of tool calls, structured output."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from betterai.core.exceptions import ValidationError
from betterai.providers.local.schema_check import fits, same, schemas_of, split_items
from betterai.providers.local.schema_merge import (
    Schema,
    Unsatisfiable,
    as_schema,
    merge_schemas,
    resolve_reference,
)
from betterai.providers.local.schema_values import build_number, build_string

MAX_NODES = 20_000
MAX_ITEMS = 1_000
LEAN_AFTER = 500
"""Past so many schemas looked at, optional properties are left out."""

_SIGNS = {
    "object": ("properties", "required", "additionalProperties", "patternProperties", "minProperties", "propertyNames"),
    "array": ("items", "prefixItems", "minItems", "maxItems", "contains", "uniqueItems"),
    "string": ("minLength", "maxLength", "pattern", "format"),
    "number": ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
}
"""Keywords from which a type is guessed where none is given."""


def build_example(schema: Schema | bool) -> Any:
    """A value that fits. `const`, `default`, `examples` and the first of `enum` go first; references to a schema that
    is being built end it: optional properties and lists are left empty there, `anyOf` takes its next branch.

    Raises `ValidationError` where nothing fits, or nothing that ends, or nothing of a reasonable size.
    """
    try:
        value = _Builder(schema).build(schema, frozenset())
        if fits(value, schema, schema):
            return value
        problem = "it has keywords, or combinations of them, that are beyond this generator"
    except Unsatisfiable as reason:
        problem = str(reason)
    except RecursionError:
        problem = "it is nested too deeply"
    except (TypeError, AttributeError, KeyError, OverflowError) as reason:
        problem = f"it is not well formed ({reason})"
    raise ValidationError(
        f"no value can be made for the JSON Schema: {problem}", hint=f"the schema is {schema!r:.200}", provider="local"
    )


class _Builder:
    """Builds one value. `active` are the references being built; `variant` asks for another value, for unique items."""

    def __init__(self, root: Schema | bool) -> None:
        self.root = root
        self.nodes = 0

    def build(self, schema: Any, active: frozenset[str], variant: int = 0) -> Any:
        self.nodes += 1
        if self.nodes > MAX_NODES:
            raise ValidationError("the JSON Schema asks for too large a value", provider="local")
        whole, active = self._flatten(schema, active)
        stated = self._find_stated(whole)
        if stated:
            return stated[variant % len(stated)]
        if "const" in whole or "enum" in whole:
            raise Unsatisfiable("no value of const or enum fits the rest")
        branches = _list_branches(whole)
        if not branches:
            return self._build_plain(whole, active, variant)
        return self._build_branch(whole, branches, active, variant)

    def _build_branch(self, whole: Schema, branches: list[Any], active: frozenset[str], variant: int) -> Any:
        """The first branch that can be built and fits; another variant begins with another branch."""
        turn, deeper = variant % len(branches), variant // len(branches)
        problems: list[str] = []
        for branch in branches[turn:] + branches[:turn]:
            try:
                value = self.build(branch, active, deeper)
            except Unsatisfiable as problem:
                problems.append(str(problem))
                continue
            if fits(value, whole, self.root):
                return value
        raise Unsatisfiable(problems[0] if problems else "no branch of anyOf, oneOf or if fits alone")

    def _flatten(self, schema: Any, active: frozenset[str]) -> tuple[Schema, frozenset[str]]:
        """The schema with its references and `allOf` worked in."""
        whole, here = as_schema(schema), set[str]()
        while True:
            if isinstance(whole, bool):
                if not whole:
                    raise Unsatisfiable("a schema is false")
                return {}, active | here
            rest = dict(whole)
            if "$ref" in rest:
                reference = rest.pop("$ref")
                if reference in active:
                    raise Unsatisfiable(f"{reference} contains itself without end")
                target = {} if reference in here else resolve_reference(self.root, reference)
                here.add(reference)
                parts: list[Any] = [target]
            elif "allOf" in rest:
                parts = rest.pop("allOf")
            else:
                return whole, active | here
            whole = rest
            for part in parts:
                whole = _join(whole, as_schema(part))

    def _find_stated(self, schema: Schema) -> list[Any]:
        """Values that the schema itself names, as far as they fit."""
        if "const" in schema:
            values = [schema["const"]]
        elif "enum" in schema:
            values = list(schema["enum"])
            if "default" in schema:
                values.sort(key=lambda value: not same(value, schema["default"]))
        else:
            values = [schema["default"]] if "default" in schema else []
            values += schema.get("examples", ())
        return [value for value in values if fits(value, schema, self.root)]

    def _build_plain(self, schema: Schema, active: frozenset[str], variant: int) -> Any:
        kinds = schema.get("type") or _guess_type(schema)
        problem: Unsatisfiable | None = None
        for kind in [kinds] if isinstance(kinds, str) else kinds:
            try:
                return self._build_type(kind, schema, active, variant)
            except Unsatisfiable as reason:
                problem = problem or reason
        raise problem or Unsatisfiable("the list of types is empty")

    def _build_type(self, kind: str, schema: Schema, active: frozenset[str], variant: int) -> Any:
        makers: Mapping[str, Callable[[], Any]] = {
            "object": lambda: self._build_object(schema, active),
            "array": lambda: self._build_array(schema, active, variant),
            "string": lambda: build_string(schema, variant),
            "number": lambda: build_number(schema, variant, whole=False),
            "integer": lambda: build_number(schema, variant, whole=True),
            "boolean": lambda: variant % 2 == 0,
            "null": lambda: None,
        }
        if kind not in makers:
            raise Unsatisfiable(f"there is no type {kind!r}")
        value = makers[kind]()
        if "not" in schema and fits(value, schema["not"], self.root):
            raise Unsatisfiable("the value made is one that 'not' forbids")
        return value

    def _build_array(self, schema: Schema, active: frozenset[str], variant: int) -> list[Any]:
        contained = schema.get("minContains", 1) if "contains" in schema else 0
        least = max(schema.get("minItems", 0), contained)
        first, rest = split_items(schema)
        most = schema.get("maxItems", max(least, len(first) + contained, 1))
        if least > min(most, MAX_ITEMS):
            raise Unsatisfiable(f"an array of {least} items is asked for")
        wanted = min(most, max(least, len(first) + contained, 1))
        items: list[Any] = []
        for place in range(wanted):
            item = first[place] if place < len(first) else rest
            if place >= wanted - contained:
                item = {"allOf": [item, schema["contains"]]}
            try:
                items.append(self._build_item(item, items, active, variant, schema.get("uniqueItems") is True))
            except Unsatisfiable:
                if len(items) < least:
                    raise
                break
        return items

    def _build_item(self, schema: Any, others: list[Any], active: frozenset[str], variant: int, unique: bool) -> Any:
        value = self.build(schema, active, variant)
        for attempt in range(1, len(others) + 2 if unique else 0):
            if not any(same(value, other) for other in others):
                break
            value = self.build(schema, active, variant + attempt)
        if unique and any(same(value, other) for other in others):
            raise Unsatisfiable("there are not enough different items")
        return value

    def _build_object(self, schema: Schema, active: frozenset[str]) -> dict[str, Any]:
        required = list(schema.get("required", ()))
        optional = [name for name in schema.get("properties") or {} if name not in required]
        order = [name for name in schema.get("properties") or {} if name in required]
        order += [name for name in required if name not in order]
        value = {name: self._build_property(name, schema, active) for name in order}
        least, most = schema.get("minProperties", 0), schema.get("maxProperties", MAX_ITEMS)
        for name in optional:
            if len(value) >= most or (self.nodes > LEAN_AFTER and len(value) >= least):
                break
            try:
                value[name] = self._build_property(name, schema, active)
            except Unsatisfiable:
                continue
        self._fill(value, schema, active, min(most, max(least, _wants_entry(schema, value))))
        names = [*(schema.get("properties") or {}), *value]
        return {name: value[name] for name in names if name in value}

    def _build_property(self, name: str, schema: Schema, active: frozenset[str]) -> Any:
        return self.build({"allOf": schemas_of(name, schema)}, active)

    def _fill(self, value: dict[str, Any], schema: Schema, active: frozenset[str], least: int) -> None:
        """Adds properties without a name in the schema, until there are `least`."""
        names = {"allOf": [{"type": "string"}, schema.get("propertyNames", True)]}
        pattern = next(iter(schema.get("patternProperties") or {}), None)
        if pattern is not None:
            names["allOf"].append({"pattern": pattern})
        for variant in range(min(least, MAX_ITEMS) + len(value) + 1):
            if len(value) >= least:
                return
            try:
                name = self.build(names, active, variant)
                value.setdefault(name, self._build_property(name, schema, active))
            except Unsatisfiable:
                if len(value) >= schema.get("minProperties", 0):
                    return
                raise
        if len(value) < schema.get("minProperties", 0):
            raise Unsatisfiable(f"an object of {least} properties is asked for")


def _join(left: Schema | bool, right: Schema | bool) -> Schema | bool:
    if isinstance(left, bool) or isinstance(right, bool):
        return right if left is True else left if right is True else False
    return merge_schemas(left, right)


def _list_branches(schema: Schema) -> list[dict[str, Any]]:
    """The schema once for each way that its first `anyOf`, `oneOf` or `if` leaves open; none where it has none."""
    if "anyOf" in schema:
        rest = {key: value for key, value in schema.items() if key != "anyOf"}
        return [{"allOf": [rest, branch]} for branch in schema["anyOf"]]
    if "oneOf" in schema:
        rest = {key: value for key, value in schema.items() if key != "oneOf"}
        return [{"allOf": [rest, branch, _none_but(branch, schema["oneOf"])]} for branch in schema["oneOf"]]
    if "if" not in schema:
        return []
    rest = {key: value for key, value in schema.items() if key not in ("if", "then", "else")}
    met = [rest, schema["if"], schema.get("then", True)]
    return [{"allOf": met}, {"allOf": [rest, {"not": schema["if"]}, schema.get("else", True)]}]


def _none_but(branch: Any, branches: list[Any]) -> dict[str, Any]:
    others = [other for other in branches if other is not branch]
    return {"not": {"anyOf": others}} if others else {}


def _guess_type(schema: Schema) -> list[str]:
    kinds = [kind for kind, signs in _SIGNS.items() if any(sign in schema for sign in signs)]
    others = ("string", "number", "boolean", "null", "object", "array")
    return kinds + [kind for kind in others if kind not in kinds]


def _wants_entry(schema: Schema, value: Mapping[str, Any]) -> int:
    """1 for a map without entries, so that its example shows one."""
    values = schema.get("additionalProperties") or schema.get("patternProperties")
    return int(not value and isinstance(values, Mapping) and not schema.get("properties"))
