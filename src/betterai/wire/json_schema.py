"""Dialects of JSON Schema: what providers that enforce a schema take."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from betterai.core.data import Data


class StrictSchema(Data, frozen=True, kw_only=True):
    schema: Mapping[str, Any]
    strict: bool | None


_LITERAL = frozenset({"const", "enum", "examples", "required"})
_NAMED = frozenset({"properties", "$defs", "definitions"})
_NOT_STRICT = frozenset(
    {"allOf", "oneOf", "not", "if", "then", "else", "dependentRequired", "dependentSchemas", "patternProperties",
     "propertyNames", "unevaluatedProperties", "default"}
)  # fmt: skip
"""Keywords that strict endpoints turn down (https://platform.openai.com/docs/guides/structured-outputs, 2026-11-22)."""


def make_strict(schema: Mapping[str, Any]) -> StrictSchema:
    """The schema in the strict dialect (https://platform.openai.com/docs/guides/structured-outputs): every object
    closed, every property required. Where that would change its meaning, the schema as it is, not strict.
    """
    root = inline_root(schema)
    closed, exact = _close(root, root.get("$defs", {}), frozenset())
    if exact and closed.get("type") == "object" and "anyOf" not in closed:
        return StrictSchema(schema=closed, strict=True)
    return StrictSchema(schema=root, strict=None)


def inline_root(schema: Mapping[str, Any]) -> dict[str, Any]:
    """msgspec gives `{"$ref": "#/$defs/X", "$defs": …}`; the root must be the object itself."""
    root = dict(schema)
    ref = root.pop("$ref", None)
    definitions = root.get("$defs", {})
    if isinstance(ref, str) and (name := ref.removeprefix("#/$defs/")) in definitions:
        root = {**definitions[name], "$defs": definitions}
        if not _refers_to(root, ref):
            kept = {key: value for key, value in definitions.items() if key != name}
            root = {**root, "$defs": kept} if kept else {key: value for key, value in root.items() if key != "$defs"}
    return root


def _refers_to(value: Any, ref: str) -> bool:
    if isinstance(value, Mapping):
        return value.get("$ref") == ref or any(_refers_to(item, ref) for item in value.values())
    return isinstance(value, list | tuple) and any(_refers_to(item, ref) for item in value)


def _close(value: Any, definitions: Mapping[str, Any], inlined: frozenset[str]) -> tuple[Any, bool]:
    """The value with closed objects, and whether that kept its meaning. A reference with words of its own beside it,
    which the dialect does not take, is replaced by what it refers to.
    """
    if isinstance(value, list | tuple):
        items = [_close(item, definitions, inlined) for item in value]
        return [item for item, _ in items], all(exact for _, exact in items)
    if not isinstance(value, Mapping):
        return value, True
    if "$ref" in value and len(value) > 1:
        name = str(value["$ref"]).removeprefix("#/$defs/")
        if name in inlined or not isinstance(definitions.get(name), Mapping):
            return value, False
        beside = {key: item for key, item in value.items() if key != "$ref"}
        return _close({**definitions[name], **beside}, definitions, inlined | {name})
    closed: dict[str, Any] = {}
    exact = not value.keys() & _NOT_STRICT
    for key, item in value.items():
        if key in _NAMED and isinstance(item, Mapping):
            pairs = {name: _close(inner, definitions, inlined) for name, inner in item.items()}
            closed[key] = {name: inner for name, (inner, _) in pairs.items()}
            exact &= all(kept for _, kept in pairs.values())
        elif key in _LITERAL:
            closed[key] = item
        else:
            closed[key], kept = _close(item, definitions, inlined)
            exact &= kept
    return _close_object(closed, exact) if _is_object(closed) else (closed, exact)


def _is_object(schema: Mapping[str, Any]) -> bool:
    kind = schema.get("type")
    return kind == "object" or "properties" in schema or (isinstance(kind, list) and "object" in kind)


def _close_object(schema: dict[str, Any], exact: bool) -> tuple[dict[str, Any], bool]:
    """An object without `properties` takes any: it cannot be closed."""
    names = list(schema.get("properties", {}))
    exact &= "properties" in schema and set(schema.get("required", ())) == set(names)
    exact &= schema.get("additionalProperties", False) is False
    return {**schema, "additionalProperties": False, "required": names}, exact


def close_objects(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The schema with every object that names its properties closed, none of them made required
    (https://docs.aws.amazon.com/bedrock/latest/userguide/structured-output.html, 2026-11).
    """
    closed: dict[str, Any] = _close_named(inline_root(schema))
    return closed


def _close_named(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_close_named(item) for item in value]
    if not isinstance(value, Mapping):
        return value
    closed: dict[str, Any] = {}
    for key, item in value.items():
        if key in _NAMED and isinstance(item, Mapping):
            closed[key] = {name: _close_named(inner) for name, inner in item.items()}
        else:
            closed[key] = item if key in _LITERAL else _close_named(item)
    if "properties" in closed and closed.get("additionalProperties", True) is True:
        closed["additionalProperties"] = False
    return closed


_SCHEMAS = frozenset({"items", "additionalProperties", "not", "contains"})
_LISTS = frozenset({"anyOf", "oneOf", "allOf", "prefixItems"})


def _map_schemas(schema: Mapping[str, Any], change: Callable[[Any], Any]) -> dict[str, Any]:
    """The schema with each schema directly inside it changed; values that are no schemas stay."""
    changed: dict[str, Any] = {}
    for key, value in schema.items():
        if key in _NAMED and isinstance(value, Mapping):
            changed[key] = {name: change(inner) for name, inner in value.items()}
        elif key in _LISTS and isinstance(value, list | tuple):
            changed[key] = [change(inner) for inner in value]
        else:
            changed[key] = change(value) if key in _SCHEMAS and isinstance(value, Mapping) else value
    return changed


def from_openapi(schema: Any) -> Any:
    """A schema of the OpenAPI subset (https://ai.google.dev/api/caching#Schema) as JSON Schema: types in lower case,
    and `nullable` as a type.
    """
    if not isinstance(schema, Mapping):
        return schema
    read = _map_schemas(schema, from_openapi)
    if isinstance(kind := read.get("type"), str):
        read["type"] = kind.lower()
        if read.get("nullable") is True:
            del read["nullable"]
            read["type"] = [kind.lower(), "null"]
    return read


def to_openapi(schema: Any) -> Any:
    """The inverse: types in upper case, and a second type "null" as `nullable`."""
    if not isinstance(schema, Mapping):
        return schema
    written = _map_schemas(schema, to_openapi)
    kind = written.get("type")
    if isinstance(kind, list) and len(kind) == 2 and kind[1] == "null":
        kind, written["nullable"] = kind[0], True
    if isinstance(kind, str):
        written["type"] = kind.upper()
    return written


def fit_gemini_schema(schema: Mapping[str, Any]) -> dict[str, Any]:
    """A derived schema in the subset that `responseJsonSchema` enforces: `const` as an `enum` of one, nothing beside a
    `$ref`, a sole `allOf` as what it holds (https://ai.google.dev/api/generate-content#GenerationConfig, 2026-11-22).
    """
    return dict(_fit(inline_root(schema)))


def _fit(value: Any) -> Any:
    if not isinstance(value, Mapping):
        return value
    fitted = _map_schemas(value, _fit)
    if "const" in fitted:
        fitted["enum"] = [fitted.pop("const")]
    parts = fitted.get("allOf")
    if isinstance(parts, list) and len(parts) == 1 and isinstance(only := parts[0], dict) and not only.keys() & fitted:
        del fitted["allOf"]
        fitted = {**only, **fitted}
    if "$ref" in fitted and any(not name.startswith("$") for name in fitted):
        fitted = {"anyOf": [{"$ref": fitted.pop("$ref")}], **fitted}
    return fitted


class ClosedSchema(Data, frozen=True, kw_only=True):
    """`changes` says what is otherwise than it was; `problem` what the dialect cannot say at all, "" for nothing."""

    schema: Mapping[str, Any]
    changes: tuple[str, ...] = ()
    problem: str = ""


_UNENFORCED = frozenset(
    {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minLength", "maxLength", "maxItems",
     "uniqueItems", "contains", "minContains", "maxContains", "prefixItems", "minProperties", "maxProperties",
     "patternProperties", "propertyNames", "unevaluatedProperties", "unevaluatedItems", "dependentRequired",
     "dependentSchemas", "not", "if", "then", "else"}
)  # fmt: skip
"""Keywords that the endpoints with closed schemas turn down; their SDK tells them in descriptions instead
(https://platform.claude.com/docs/en/build-with-claude/structured-outputs, 2026-11-22).
"""
_FORMATS = frozenset(
    {"date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"}
)  # fmt: skip


def close_schema(schema: Mapping[str, Any]) -> ClosedSchema:
    """The schema in the dialect in which every object is closed, properties may be left out, and limits on numbers,
    texts and lists are told in descriptions, as they are not enforced.
    """
    root = inline_root(schema)
    closer = _Closer()
    closed = closer.close(root)
    definitions = root.get("$defs") or root.get("definitions") or {}
    if isinstance(definitions, Mapping) and _is_circular(definitions):
        closer.problem = "a schema that refers to itself cannot be enforced here"
    changes = []
    if closer.closed:
        changes.append("objects were closed")
    if closer.told:
        changes.append(f"{', '.join(sorted(closer.told))} told in descriptions, as they are not enforced")
    return ClosedSchema(schema=closed, changes=tuple(changes), problem=closer.problem)


class _Closer:
    def __init__(self) -> None:
        self.closed = False
        self.told: set[str] = set()
        self.problem = ""

    def close(self, value: Any) -> Any:
        if isinstance(value, list | tuple):
            return [self.close(item) for item in value]
        if not isinstance(value, Mapping):
            return value
        if isinstance(parts := value.get("allOf"), list | tuple) and any(_refers(part) for part in parts):
            if len(parts) > 1:
                self.problem = self.problem or "a reference among several parts of allOf cannot be enforced here"
            else:
                value = {**value, **parts[0]}
        if "$ref" in value:
            self.told.update(value.keys() - {"$ref", "$defs", "definitions", "title"})
            return {"$ref": value["$ref"]}
        closed: dict[str, Any] = {}
        told: dict[str, Any] = {}
        for key, item in value.items():
            if self._is_told(key, item):
                told[key] = item
            elif key in _NAMED and isinstance(item, Mapping):
                closed[key] = {name: self.close(inner) for name, inner in item.items()}
            elif key == "oneOf" and "anyOf" not in value:
                closed["anyOf"] = self.close(item)
            else:
                closed[key] = item if key in _LITERAL or key == "default" else self.close(item)
        if _is_object(closed):
            self._close_object(closed)
        if told:
            self.told.update(told)
            said = ", ".join(f"{key}: {item}" for key, item in told.items())
            closed["description"] = "\n\n".join(filter(None, (closed.get("description"), f"{{{said}}}")))
        return closed

    def _is_told(self, key: str, item: Any) -> bool:
        if key == "minItems":
            return item not in (0, 1)
        if key == "format":
            return item not in _FORMATS
        if key == "enum":
            return any(isinstance(member, Mapping | list) for member in item)
        return key in _UNENFORCED

    def _close_object(self, closed: dict[str, Any]) -> None:
        more = closed.get("additionalProperties", True)
        if more is not False:
            if isinstance(more, Mapping) or "properties" not in closed:
                self.problem = self.problem or "an object with keys of any name cannot be enforced here"
            self.closed = True
        closed["additionalProperties"] = False
        closed.setdefault("properties", {})


def _refers(value: Any) -> bool:
    return isinstance(value, Mapping) and "$ref" in value


def _is_circular(definitions: Mapping[str, Any]) -> bool:
    def names(value: Any) -> set[str]:
        if isinstance(value, Mapping):
            own = {str(value["$ref"]).rpartition("/")[2]} if "$ref" in value else set()
            return own.union(*(names(item) for item in value.values()))
        return set().union(*(names(item) for item in value)) if isinstance(value, list | tuple) else set()

    leads = {name: names(inner) & definitions.keys() for name, inner in definitions.items()}
    while free := [name for name, others in leads.items() if not others & leads.keys()]:
        for name in free:
            del leads[name]
    return bool(leads)
