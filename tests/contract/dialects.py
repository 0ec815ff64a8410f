"""What the endpoints that enforce schemas turn down, each as a judge of its own: it lists what a server would say."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

Schema = Mapping[str, Any]
_NAMED = ("properties", "$defs", "definitions", "patternProperties")
_LISTS = ("anyOf", "oneOf", "allOf", "prefixItems")
_SINGLE = ("items", "additionalProperties", "not", "contains", "propertyNames", "if", "then", "else")


def schemas_in(schema: Any) -> Iterator[Schema]:
    """The schema and all schemas in it; values in `const`, `enum` and the like are none."""
    if not isinstance(schema, Mapping):
        return
    yield schema
    inner = [schema[word] for word in _SINGLE if word in schema]
    inner += [item for word in _LISTS for item in schema.get(word, ())]
    inner += [item for word in _NAMED for item in schema.get(word, {}).values()]
    for item in inner:
        yield from schemas_in(item)


def _is_object(schema: Schema) -> bool:
    kind = schema.get("type")
    return kind == "object" or "properties" in schema or (isinstance(kind, list) and "object" in kind)


def _broken_references(root: Schema) -> Iterator[str]:
    for schema in schemas_in(root):
        if "$ref" in schema and schema["$ref"].removeprefix("#/$defs/") not in root.get("$defs", {}):
            yield f"{schema['$ref']} leads nowhere"


def _is_recursive(root: Schema) -> bool:
    def leads(name: str, seen: tuple[str, ...]) -> bool:
        inner = schemas_in(root.get("$defs", {}).get(name))
        targets = {item["$ref"].rpartition("/")[2] for item in inner if "$ref" in item}
        return any(target in (*seen, name) or leads(target, (*seen, name)) for target in targets)

    return any(leads(name, ()) for name in root.get("$defs", {}))


STRICT_REFUSES = frozenset(
    {"allOf", "oneOf", "not", "if", "then", "else", "dependentRequired", "dependentSchemas", "patternProperties",
     "propertyNames", "unevaluatedProperties", "default"}
)  # fmt: skip


def strict(root: Schema) -> Iterator[str]:
    """OpenAI with `strict` (https://platform.openai.com/docs/guides/structured-outputs#supported-schemas)."""
    yield from _broken_references(root)
    if root.get("type") != "object" or "anyOf" in root:
        yield "the root must be an object, and no anyOf"
    for schema in schemas_in(root):
        yield from (f"{word} is not permitted" for word in schema.keys() & STRICT_REFUSES)
        if _is_object(schema):
            if schema.get("additionalProperties") is not False:
                yield "additionalProperties must be false"
            if set(schema.get("required", ())) != set(schema.get("properties", {})):
                yield "required must name every property"
        if "$ref" in schema and len(schema.keys() - {"$defs"}) > 1:
            yield "$ref cannot have keywords beside it"


CLOSED_TAKES = frozenset(
    {"type", "properties", "required", "additionalProperties", "items", "enum", "const", "anyOf", "allOf", "$ref",
     "$defs", "definitions", "title", "description", "default", "examples", "format", "minItems", "pattern"}
)  # fmt: skip


def closed(root: Schema) -> Iterator[str]:
    """Anthropic (https://platform.claude.com/docs/en/build-with-claude/structured-outputs#json-schema-limitations)."""
    yield from _broken_references(root)
    if _is_recursive(root):
        yield "recursive schemas are not supported"
    for schema in schemas_in(root):
        yield from (f"{word} is not supported" for word in schema.keys() - CLOSED_TAKES)
        if _is_object(schema) and schema.get("additionalProperties") is not False:
            yield "additionalProperties must be false"
        if any(isinstance(item, Mapping | list) for item in schema.get("enum", ())):
            yield "an enum holds scalars"
        if schema.get("minItems", 0) not in (0, 1):
            yield "minItems is 0 or 1"
        if any("$ref" in item for item in schema.get("allOf", ())):
            yield "allOf with $ref is not supported"


def gemini(root: Schema) -> Iterator[str]:
    """`responseJsonSchema` (https://ai.google.dev/api/generate-content#GenerationConfig): other keywords are ignored,
    so none with a meaning that another one could tell may be left.
    """
    yield from _broken_references(root)
    for schema in schemas_in(root):
        if "$ref" in schema and any(not word.startswith("$") for word in schema):
            yield "nothing but what begins with $ may stand beside a $ref"
        if "const" in schema:
            yield "const is not enforced: an enum of one is"


def converse(root: Schema) -> Iterator[str]:
    """Bedrock (https://docs.aws.amazon.com/bedrock/latest/userguide/structured-output.html)."""
    yield from _broken_references(root)
    for schema in schemas_in(root):
        if "properties" in schema and schema.get("additionalProperties") in (None, True):
            yield "additionalProperties must be said, and false"


COHERE_REFUSES = frozenset(
    {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minLength", "maxLength", "minItems",
     "maxItems", "uniqueItems", "minProperties", "maxProperties", "patternProperties", "default"}
)  # fmt: skip


def cohere(root: Schema) -> Iterator[str]:
    """Cohere (https://docs.cohere.com/docs/structured-outputs#unsupported-schema-features)."""
    yield from _broken_references(root)
    for schema in schemas_in(root):
        yield from (f"{word} is not supported" for word in schema.keys() & COHERE_REFUSES)


def openapi(root: Schema) -> Iterator[str]:
    """Gemini's older `parameters` (https://ai.google.dev/api/caching#Schema)."""
    for schema in schemas_in(root):
        kind = schema.get("type")
        if isinstance(kind, str) and kind != kind.upper():
            yield f"{kind} is no type here"


Dialect = Callable[[Schema], Iterator[str]]
