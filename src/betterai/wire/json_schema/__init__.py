"""Dialects of JSON Schema: what providers that enforce a schema take."""

from betterai.wire.json_schema.closed import ClosedSchema, close_objects, close_schema
from betterai.wire.json_schema.openapi import fit_gemini_schema, from_openapi, to_openapi
from betterai.wire.json_schema.strict import StrictSchema, make_strict, write_strict
from betterai.wire.json_schema.walk import inline_root, map_schemas

__all__ = [
    "ClosedSchema",
    "StrictSchema",
    "close_objects",
    "close_schema",
    "fit_gemini_schema",
    "from_openapi",
    "inline_root",
    "make_strict",
    "map_schemas",
    "to_openapi",
    "write_strict",
]
