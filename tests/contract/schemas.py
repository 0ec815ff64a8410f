"""Two hundred JSON Schemas, always the same ones, with all that programs put into them; and values for a schema."""

from __future__ import annotations

from functools import cache
from itertools import count
from json import dumps
from random import Random
from typing import Any

Schema = dict[str, Any]
COUNT = 200
SCALARS = ("string", "integer", "number", "boolean")
FORMATS = ("date-time", "date", "uuid", "email", "uri", "byte", "phone")


@cache
def corpus() -> tuple[Schema, ...]:
    found: dict[str, Schema] = {}
    for seed in count():
        schema = _Maker(seed).root()
        found.setdefault(dumps(schema), schema)
        if len(found) == COUNT:
            return tuple(found.values())
    raise AssertionError


class _Maker:
    """One schema. `plain` ones have closed objects with all properties required, as strict dialects want them."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)
        self._plain = seed % 4 == 0
        self._recursive = seed % 5 == 1
        self._count = seed % 3
        self._names: list[str] = []
        """The definitions so far: only `Node` leads back to itself."""

    def root(self) -> Schema:
        definitions: Schema = {}
        for number in range(self._count):
            definitions[f"D{number}"] = self._object(2)
            self._names.append(f"D{number}")
        if self._recursive:
            definitions["Node"] = self._node()
            self._names.append("Node")
        schema = self._object(3)
        if self._random.random() < 0.2 and definitions:
            schema = {"$ref": f"#/$defs/{self._random.choice(list(definitions))}"}
        return {**schema, "$defs": definitions} if definitions else schema

    def _node(self) -> Schema:
        link = {"anyOf": [{"$ref": "#/$defs/Node"}, {"type": "null"}]}
        return self._shape({"value": self._scalar(), "next": link}, required=["value", "next"])

    def _object(self, depth: int) -> Schema:
        names = [f"p{number}" for number in range(self._random.randint(1, 4))]
        properties = {name: self._any(depth - 1) for name in names}
        required = names if self._plain else [name for name in names if self._random.random() < 0.6]
        schema = self._shape(properties, required=required)
        if not self._plain:
            more: list[Schema] = [{}, {"additionalProperties": True}, {"additionalProperties": {"type": "string"}}]
            more += [{"patternProperties": {"^x-": {"type": "string"}}}, {"minProperties": 1}, {"title": "Some object"}]
            schema |= self._random.choice(more)
        return schema

    def _shape(self, properties: dict[str, Any], *, required: list[str]) -> Schema:
        closed = {"additionalProperties": False} if self._plain or self._random.random() < 0.3 else {}
        return {"type": "object", "properties": properties, "required": required, **closed}

    def _any(self, depth: int) -> Schema:
        if depth <= 0:
            return self._scalar()
        plain = [self._scalar, lambda: self._array(depth), lambda: self._object(depth), self._choice, self._nullable]
        wild = [self._tuple, self._mixed, self._map, self._limited, self._literal, self._whole_of]
        makers = plain if self._plain else [*plain, *wild]
        if self._names and self._random.random() < 0.3:
            reference: Schema = {"$ref": f"#/$defs/{self._random.choice(self._names)}"}
            return (
                reference if self._plain or self._random.random() < 0.7 else {**reference, "description": "Said here"}
            )
        return self._random.choice(makers)()

    def _scalar(self) -> Schema:
        schema: Schema = {"type": self._random.choice(SCALARS)}
        if self._random.random() < 0.3:
            schema["description"] = "What it means"
        return schema

    def _array(self, depth: int) -> Schema:
        return {"type": "array", "items": self._any(depth - 1)}

    def _choice(self) -> Schema:
        return self._random.choice((
            {"enum": ["a", "b", "c"]}, {"type": "string", "enum": ["x", "y"]}, {"type": "integer", "enum": [1, 2]},
            {"anyOf": [self._scalar(), {"type": "array", "items": self._scalar()}]},
        ))  # fmt: skip

    def _nullable(self) -> Schema:
        return self._random.choice((
            {"type": [self._random.choice(SCALARS), "null"]}, {"anyOf": [self._scalar(), {"type": "null"}]},
            {"enum": ["a", None]},
        ))  # fmt: skip

    def _tuple(self) -> Schema:
        return {
            "type": "array", "prefixItems": [self._scalar(), self._scalar()], "items": False, "minItems": 2, "maxItems": 2,
        }  # fmt: skip

    def _mixed(self) -> Schema:
        return {"oneOf": [{"type": "string"}, {"type": "integer"}, {"type": "null"}]}

    def _map(self) -> Schema:
        return {"type": "object", "additionalProperties": self._random.choice((True, {"type": "integer"}))}

    def _limited(self) -> Schema:
        return self._random.choice((
            {"type": "integer", "minimum": 0, "maximum": 9}, {"type": "number", "exclusiveMinimum": 0, "multipleOf": 0.5},
            {"type": "string", "minLength": 1, "maxLength": 5}, {"type": "string", "pattern": "^[a-z]+$"},
            {"type": "string", "format": self._random.choice(FORMATS)},
            {"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": 3, "uniqueItems": True},
        ))  # fmt: skip

    def _literal(self) -> Schema:
        return self._random.choice((
            {"const": "only"}, {"const": 7}, {"const": {"$ref": "no reference"}}, {"enum": [{"$ref": "x"}, 1, None]},
            {"type": "string", "default": "d", "examples": ["$ref"]},
        ))  # fmt: skip

    def _whole_of(self) -> Schema:
        if self._names and self._random.random() < 0.5:
            return {"allOf": [{"$ref": f"#/$defs/{self._names[0]}"}], "description": "Only one"}
        return {"allOf": [{"type": "integer"}, {"minimum": 2}]}


def sample(schema: Any, root: Schema, random: Random, depth: int = 0) -> Any:
    """A value that the schema probably allows, and sometimes one with something more or less."""
    if not isinstance(schema, dict):
        return None
    if "$ref" in schema:
        return sample(root["$defs"][schema["$ref"].rpartition("/")[2]], root, random, depth + 1)
    for word in ("anyOf", "oneOf"):
        if word in schema:
            branches = schema[word] if depth < 6 else schema[word][-1:]
            return sample(random.choice(branches), root, random, depth + 1)
    if "allOf" in schema:
        return sample(schema["allOf"][0], root, random, depth + 1)
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return random.choice(schema["enum"])
    kinds = schema.get("type", "object" if "properties" in schema else "string")
    return _sample_of(random.choice(kinds) if isinstance(kinds, list) else kinds, schema, root, random, depth)


def _sample_of(kind: str, schema: Schema, root: Schema, random: Random, depth: int) -> Any:
    if kind == "object":
        value = {
            name: sample(inner, root, random, depth + 1)
            for name, inner in schema.get("properties", {}).items()
            if name in schema.get("required", ()) or random.random() < 0.5
        }
        return {**value, "more": random.choice(("text", 3))} if random.random() < 0.2 else value
    if kind == "array":
        fixed = [sample(inner, root, random, depth + 1) for inner in schema.get("prefixItems", ())]
        items = schema.get("items")
        more = random.randint(0, 2) if isinstance(items, dict) and depth < 6 else 0
        return [*fixed, *(sample(items, root, random, depth + 1) for _ in range(more))]
    return random.choice({
        "string": ("", "a", "abcdefgh", "2026-11-28"), "integer": (0, 3, -1, 12), "number": (0.5, 3, -1.25),
        "boolean": (True, False), "null": (None,),
    }[kind])  # fmt: skip
