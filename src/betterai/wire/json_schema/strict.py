"""The strict dialect (https://platform.openai.com/docs/guides/structured-outputs)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from betterai.core.data import Data
from betterai.core.tools import JsonSchema
from betterai.wire.json_schema.walk import inline_root, is_object, map_schemas

_NOT_STRICT = frozenset(
    {"allOf", "oneOf", "not", "if", "then", "else", "dependentRequired", "dependentSchemas", "patternProperties",
     "propertyNames", "unevaluatedProperties", "default"}
)  # fmt: skip
"""Keywords that strict endpoints turn down (https://platform.openai.com/docs/guides/structured-outputs, 2026-11-22)."""


class StrictSchema(Data, frozen=True, kw_only=True):
    schema: Mapping[str, Any]
    strict: bool | None


def make_strict(schema: Mapping[str, Any]) -> StrictSchema:
    """The schema in the strict dialect: every object closed, every property required. Where that would change its
    meaning, the schema as it is, not strict.
    """
    root = inline_root(schema)
    closer = _Closer(root.get("$defs", {}))
    closed = closer.close(root)
    if closer.exact and closed.get("type") == "object" and "anyOf" not in closed:
        return StrictSchema(schema=closed, strict=True)
    return StrictSchema(schema=root, strict=None)


def write_strict(value: JsonSchema) -> JsonSchema:
    """What was made from a type in the strict dialect; what a caller wrote, as it is."""
    if not value.derived or value.strict is not None or value.schema is None:
        return value
    written = make_strict(value.schema)
    return msgspec.structs.replace(value, schema=written.schema, strict=written.strict)


class _Closer:
    """Closes objects; `exact` says whether that kept the meaning."""

    def __init__(self, definitions: Mapping[str, Any]) -> None:
        self.exact = True
        self._definitions = definitions

    def close(self, value: Any, inlined: frozenset[str] = frozenset()) -> Any:
        """A reference with words of its own beside it, which the dialect does not take, is replaced by what it refers
        to.
        """
        if not isinstance(value, Mapping):
            return value
        if "$ref" in value and len(value) > 1:
            name = str(value["$ref"]).removeprefix("#/$defs/")
            if name in inlined or not isinstance(found := self._definitions.get(name), Mapping):
                self.exact = False
                return value
            beside = {key: item for key, item in value.items() if key != "$ref"}
            return self.close({**found, **beside}, inlined | {name})
        self.exact &= not value.keys() & _NOT_STRICT
        closed = map_schemas(value, lambda item: self.close(item, inlined))
        return self._close_object(closed) if is_object(closed) else closed

    def _close_object(self, schema: dict[str, Any]) -> dict[str, Any]:
        """An object without `properties` takes any: it cannot be closed."""
        names = list(schema.get("properties", {}))
        self.exact &= "properties" in schema and set(schema.get("required", ())) == set(names)
        self.exact &= schema.get("additionalProperties", False) is False
        return {**schema, "additionalProperties": False, "required": names}
