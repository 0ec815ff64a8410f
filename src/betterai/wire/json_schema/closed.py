"""The dialects in which every object is closed, and properties may be left out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from betterai.core.data import Data
from betterai.wire.json_schema.walk import find_references, inline_root, is_object, map_schemas


def close_objects(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The schema with every object that names its properties closed, and no other change
    (https://docs.aws.amazon.com/bedrock/latest/userguide/structured-output.html, 2026-11).
    """
    return dict(_close_named(inline_root(schema)))


def _close_named(value: Any) -> Any:
    if not isinstance(value, Mapping):
        return value
    closed = map_schemas(value, _close_named)
    if "properties" in closed and closed.get("additionalProperties", True) is True:
        closed["additionalProperties"] = False
    return closed


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
    """The schema in the dialect in which limits on numbers, texts and lists are told in descriptions besides, as they
    are not enforced.
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
        told = {key: item for key, item in value.items() if _is_told(key, item)}
        kept = {key: item for key, item in value.items() if key not in told}
        if "oneOf" in kept and "anyOf" not in kept:
            kept = {"anyOf" if key == "oneOf" else key: item for key, item in kept.items()}
        closed = map_schemas(kept, self.close)
        if is_object(closed):
            self._close_object(closed)
        if told:
            self.told.update(told)
            said = ", ".join(f"{key}: {item}" for key, item in told.items())
            closed["description"] = "\n\n".join(filter(None, (closed.get("description"), f"{{{said}}}")))
        return closed

    def _close_object(self, closed: dict[str, Any]) -> None:
        more = closed.get("additionalProperties", True)
        if more is not False:
            if isinstance(more, Mapping) or "properties" not in closed:
                self.problem = self.problem or "an object with keys of any name cannot be enforced here"
            self.closed = True
        closed["additionalProperties"] = False
        closed.setdefault("properties", {})


def _is_told(key: str, item: Any) -> bool:
    if key == "minItems":
        return item not in (0, 1)
    if key == "format":
        return not isinstance(item, str) or item not in _FORMATS
    if key == "enum":
        return not isinstance(item, list | tuple) or any(isinstance(member, Mapping | list) for member in item)
    return key in _UNENFORCED


def _refers(value: Any) -> bool:
    return isinstance(value, Mapping) and "$ref" in value


def _is_circular(definitions: Mapping[str, Any]) -> bool:
    leads = {
        name: {ref.rpartition("/")[2] for ref in find_references(inner)} & definitions.keys()
        for name, inner in definitions.items()
    }
    while free := [name for name, others in leads.items() if not others & leads.keys()]:
        for name in free:
            del leads[name]
    return bool(leads)
