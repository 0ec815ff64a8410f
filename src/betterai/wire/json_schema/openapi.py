"""The dialects of Gemini's protocol: the subset of OpenAPI, and the subset of JSON Schema."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from betterai.wire.json_schema.walk import inline_root, map_schemas


def from_openapi(schema: Any) -> Any:
    """A schema of the OpenAPI subset (https://ai.google.dev/api/caching#Schema) as JSON Schema: types in lower case,
    and `nullable` as a type.
    """
    if not isinstance(schema, Mapping):
        return schema
    read = map_schemas(schema, from_openapi)
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
    written = map_schemas(schema, to_openapi)
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
    fitted = map_schemas(value, _fit)
    if "const" in fitted:
        fitted["enum"] = [fitted.pop("const")]
    parts = fitted.get("allOf")
    if isinstance(parts, list) and len(parts) == 1 and isinstance(only := parts[0], dict) and not only.keys() & fitted:
        del fitted["allOf"]
        fitted = {**only, **fitted}
    if "$ref" in fitted and any(not name.startswith("$") for name in fitted):
        fitted = {"anyOf": [{"$ref": fitted.pop("$ref")}], **fitted}
    return fitted
