"""Examples made from JSON Schemas: each fits its schema, judged by a validator of the test's own."""

import json
import re
from datetime import date, datetime
from enum import Enum
from fractions import Fraction
from typing import Annotated, Literal
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from betterai.core.exceptions import ValidationError
from betterai.providers.local.pattern import build_match
from betterai.providers.local.schema import build_example
from betterai.providers.local.schema_check import fits
from together import each


def find_fault(value, schema, root):
    """The first keyword of the schema that the value breaks, or "" where it fits. Written apart from our own check."""
    if schema is True or schema is False:
        return "" if schema else "false"
    for keyword, wanted in schema.items():
        judge = JUDGES.get(keyword)
        if judge is not None and not judge(value, wanted, schema, root):
            return keyword
    return ""


def is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def canonical(value):
    """The value as text, the same for values that JSON holds for equal."""
    if isinstance(value, list):
        return f"[{', '.join(map(canonical, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{json.dumps(name)}: {canonical(value[name])}' for name in sorted(value))}}}"
    return json.dumps(int(value) if is_number(value) and value == int(value) else value)


def is_type(value, kind):
    if kind == "integer":
        return is_number(value) and value == int(value)
    return {
        "null": value is None,
        "boolean": isinstance(value, bool),
        "number": is_number(value),
        "string": isinstance(value, str),
        "array": isinstance(value, list),
        "object": isinstance(value, dict),
    }[kind]


def dig(root, reference):
    found = root
    for token in reference.removeprefix("#").split("/")[1:]:
        found = found[token]
    return found


def judge_properties(value, wanted, schema, root):
    return not isinstance(value, dict) or not any(find_fault(value[k], wanted[k], root) for k in wanted if k in value)


def judge_others(value, wanted, schema, root):
    if not isinstance(value, dict):
        return True
    known = schema.get("properties", {})
    others = [
        k for k in value if k not in known and not any(re.search(p, k) for p in schema.get("patternProperties", {}))
    ]
    return not any(find_fault(value[k], wanted, root) for k in others)


def judge_patterns(value, wanted, schema, root):
    pairs = [(k, p) for k in (value if isinstance(value, dict) else ()) for p in wanted if re.search(p, k)]
    return not any(find_fault(value[k], wanted[p], root) for k, p in pairs)


def judge_items(value, wanted, schema, root):
    rest = value[len(schema.get("prefixItems", ())) :] if isinstance(value, list) else ()
    return not any(find_fault(item, wanted, root) for item in rest)


def of(kind, judge):
    """A keyword that speaks of one type, and lets all others pass."""
    return lambda v, w, s, r: judge(v, w) if (is_number(v) if kind == "number" else isinstance(v, kind)) else True


JUDGES = {
    "$ref": lambda v, w, s, r: not find_fault(v, dig(r, w), r),
    "type": lambda v, w, s, r: any(is_type(v, kind) for kind in ([w] if isinstance(w, str) else w)),
    "const": lambda v, w, s, r: canonical(v) == canonical(w),
    "enum": lambda v, w, s, r: canonical(v) in map(canonical, w),
    "allOf": lambda v, w, s, r: not any(find_fault(v, part, r) for part in w),
    "anyOf": lambda v, w, s, r: not all(find_fault(v, part, r) for part in w),
    "oneOf": lambda v, w, s, r: [bool(find_fault(v, part, r)) for part in w].count(False) == 1,
    "not": lambda v, w, s, r: bool(find_fault(v, w, r)),
    "minimum": of("number", lambda v, w: v >= w),
    "maximum": of("number", lambda v, w: v <= w),
    "exclusiveMinimum": of("number", lambda v, w: v > w),
    "exclusiveMaximum": of("number", lambda v, w: v < w),
    "multipleOf": of("number", lambda v, w: Fraction(str(v)) % Fraction(str(w)) == 0),
    "minLength": of(str, lambda v, w: len(v) >= w),
    "maxLength": of(str, lambda v, w: len(v) <= w),
    "pattern": of(str, lambda v, w: re.search(w, v)),
    "minItems": of(list, lambda v, w: len(v) >= w),
    "maxItems": of(list, lambda v, w: len(v) <= w),
    "uniqueItems": of(list, lambda v, w: not w or len(set(map(canonical, v))) == len(v)),
    "prefixItems": lambda v, w, s, r: (
        not isinstance(v, list) or not any(find_fault(i, p, r) for i, p in zip(v, w, strict=False))
    ),
    "items": judge_items,
    "contains": lambda v, w, s, r: not isinstance(v, list) or not all(find_fault(item, w, r) for item in v),
    "minProperties": of(dict, lambda v, w: len(v) >= w),
    "maxProperties": of(dict, lambda v, w: len(v) <= w),
    "required": of(dict, lambda v, w: set(w) <= set(v)),
    "properties": judge_properties,
    "patternProperties": judge_patterns,
    "additionalProperties": judge_others,
    "propertyNames": lambda v, w, s, r: not isinstance(v, dict) or not any(find_fault(name, w, r) for name in v),
}


def check(schema):
    value = build_example(schema)
    json.dumps(value, allow_nan=False)
    assert find_fault(value, schema, schema) == "", (schema, value)
    return value


@pytest.mark.parametrize(
    ("value", "schema"),
    [
        ("a", {"type": "integer"}),
        (True, {"enum": [1]}),
        (3, {"multipleOf": 2}),
        ({"a": 1}, {"additionalProperties": False}),
        ({}, {"required": ["a"]}),
        ([1, 1.0], {"uniqueItems": True}),
        (1, {"oneOf": [{"type": "number"}, {"type": "integer"}]}),
        ({"a": "x"}, {"properties": {"a": {"$ref": "#/$defs/n"}}, "$defs": {"n": {"type": "null"}}}),
    ],
)
def test_the_validator_of_this_test_finds_faults(value, schema):
    assert find_fault(value, schema, schema)


# Schemas that can be satisfied by the way they are made.


def small_object(always, /, **keywords):
    return st.fixed_dictionaries(always, optional=keywords)


def with_type(kind):
    return st.just(kind)


STRINGS = st.one_of(
    small_object({"type": with_type("string")}, minLength=st.integers(0, 30), maxLength=st.integers(30, 40)),
    small_object(
        {
            "type": with_type("string"),
            "pattern": st.sampled_from([r"^[a-z]+$", r"^\d{3}-\d{2}$", "^(a|b)+c?$", "x{2,}"]),
        }
    ),
    small_object({"type": with_type("string"), "format": st.sampled_from(["date", "email", "uuid", "uri", "no-such"])}),
)
NUMBERS = st.one_of(
    small_object(
        {"type": st.sampled_from(["integer", "number"])},
        minimum=st.integers(-50, 5),
        maximum=st.integers(30, 90),
        multipleOf=st.sampled_from([1, 2, 7, 0.5, 2.5]),
    ),
    small_object(
        {"type": with_type("number"), "exclusiveMinimum": st.just(0), "exclusiveMaximum": st.sampled_from([0.1, 1])}
    ),
    small_object({"type": with_type("integer"), "exclusiveMinimum": st.integers(-9, 9)}),
    small_object({"type": with_type("integer"), "exclusiveMaximum": st.integers(-9, 9)}),
)
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(-3, 3), st.text("abc", max_size=3))
LEAVES = st.one_of(
    STRINGS,
    NUMBERS,
    st.sampled_from([True, {}, {"type": "boolean"}, {"type": "null"}, {"type": ["null", "integer"]}]),
    small_object({"const": SCALARS}),
    small_object({"enum": st.lists(SCALARS, min_size=1, max_size=3)}),
    st.sampled_from([{"$ref": "#/$defs/tree"}, {"$ref": "#/$defs/list"}, {"$ref": "#"}]),
)
TREE = {
    "type": "object",
    "properties": {
        "value": {"type": "integer"},
        "left": {"anyOf": [{"$ref": "#/$defs/tree"}, {"type": "null"}]},
        "more": {"type": "array", "items": {"$ref": "#/$defs/tree"}},
        "other": {"$ref": "#/$defs/list"},
    },
    "required": ["value", "left"],
    "additionalProperties": False,
}
LINKED = {"oneOf": [{"type": "null"}, {"type": "object", "properties": {"next": {"$ref": "#/$defs/list"}}}]}


def grow(parts):
    names = st.sampled_from(["a", "b", "c", "d e", "$f"])
    properties = st.dictionaries(names, parts, max_size=4)
    objects = properties.flatmap(
        lambda declared: small_object(
            {"type": with_type("object"), "properties": st.just(declared)},
            required=st.lists(st.sampled_from(sorted(declared)), unique=True) if declared else st.just([]),
            additionalProperties=st.just(False),
        )
    )
    maps = small_object({"type": with_type("object"), "additionalProperties": parts}, minProperties=st.integers(0, 4))
    arrays = small_object(
        {"type": with_type("array"), "items": parts},
        minItems=st.integers(0, 3),
        maxItems=st.integers(3, 5),
        prefixItems=st.lists(parts, min_size=1, max_size=2),
    )
    choices = small_object({"anyOf": st.lists(parts, min_size=1, max_size=3)})
    every = small_object({"allOf": parts.map(lambda part: [part])})
    return st.one_of(objects, maps, arrays, choices, every)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.recursive(LEAVES, grow, max_leaves=12))
def test_an_example_fits_its_schema(schema):
    root = {**schema, "$defs": {"tree": TREE, "list": LINKED}} if isinstance(schema, dict) else schema
    try:
        value = build_example(root)
    except ValidationError:
        assert '"#"' in json.dumps(schema), "only what holds itself may have no example"
        return
    assert find_fault(value, root, root) == "", (root, value)
    assert canonical(value) == canonical(build_example(root))


VALUES = st.recursive(
    st.one_of(SCALARS, st.floats(-3, 9, width=16), st.sampled_from(["ab", "a-1", "text"])),
    lambda parts: st.one_of(st.lists(parts, max_size=3), st.dictionaries(st.sampled_from("abc"), parts, max_size=3)),
    max_leaves=5,
)
LIMITS = {
    "type": st.sampled_from(["string", "integer", "number", "object", "array", "null", ["boolean", "integer"]]),
    "const": SCALARS,
    "enum": st.lists(SCALARS, min_size=1, max_size=3),
    "minimum": st.integers(-3, 3),
    "maximum": st.integers(-3, 9),
    "exclusiveMinimum": st.integers(-3, 3),
    "exclusiveMaximum": st.integers(-3, 9),
    "multipleOf": st.sampled_from([1, 2, 0.5]),
    "minLength": st.integers(0, 3),
    "maxLength": st.integers(0, 3),
    "pattern": st.sampled_from(["a", "^[a-z]+$", "-"]),
    "minItems": st.integers(0, 2),
    "maxItems": st.integers(0, 2),
    "uniqueItems": st.booleans(),
    "minProperties": st.integers(0, 2),
    "maxProperties": st.integers(0, 2),
    "required": st.lists(st.sampled_from("abc"), unique=True, max_size=2),
}
NAMES = st.sampled_from("abc")
ANY_SCHEMAS = st.recursive(
    st.one_of(st.booleans(), st.fixed_dictionaries({}, optional=LIMITS)),
    lambda parts: st.fixed_dictionaries(
        {},
        optional={
            **LIMITS,
            "items": parts,
            "prefixItems": st.lists(parts, min_size=1, max_size=2),
            "contains": parts,
            "properties": st.dictionaries(NAMES, parts, max_size=2),
            "patternProperties": st.dictionaries(st.just("^[ab]"), parts, max_size=1),
            "additionalProperties": parts,
            "propertyNames": parts,
            **dict.fromkeys(["allOf", "anyOf", "oneOf"], st.lists(parts, min_size=1, max_size=3)),
            "not": parts,
        },
    ),
    max_leaves=4,
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(VALUES, ANY_SCHEMAS)
def test_two_validators_written_apart_agree(value, schema):
    assert fits(value, schema, schema) is (find_fault(value, schema, schema) == "")


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(ANY_SCHEMAS)
def test_an_example_of_any_schema_fits_or_there_is_none(schema):
    try:
        value = build_example(schema)
    except ValidationError:
        return
    assert find_fault(value, schema, schema) == "", (schema, value)


@each(
    ("value", "schema", "fit"),
    [
        (5, {"minimum": 5, "exclusiveMinimum": True}, False),
        (5, {"maximum": 5, "exclusiveMaximum": True}, False),
        (5, {"maximum": 5, "exclusiveMaximum": False}, True),
        (None, {"type": "string", "nullable": True}, True),
        ("x", {"pattern": "(unclosed"}, True),
        ({"a": 1}, {"dependentRequired": {"a": ["b"]}}, False),
        ([1, 1, 2], {"contains": {"const": 1}, "maxContains": 1}, False),
        ([1, 2], {"contains": {"const": 1}, "minContains": 2}, False),
        ([1, "x"], {"items": [{"type": "integer"}], "additionalItems": {"type": "integer"}}, False),
        ("x", {"if": {"type": "string"}, "then": {"const": "y"}}, False),
        (1, {"if": {"type": "string"}, "then": False, "else": {"const": 1}}, True),
        ([{"a": [1.0]}], {"const": [{"a": [1]}]}, True),
    ],
)
def test_what_only_our_check_knows(value, schema, fit):
    assert fits(value, schema, schema) is fit


@each(
    ("left", "right"),
    [
        ({"minimum": 2, "type": "integer"}, {"minimum": 4, "maximum": 9}),
        ({"maximum": 12, "type": "number"}, {"maximum": 6, "minimum": 5, "type": "integer"}),
        ({"type": ["integer", "string"]}, {"type": ["number", "null"]}),
        ({"type": "integer", "multipleOf": 4}, {"multipleOf": 6}),
        ({"enum": [1, 2, 3]}, {"enum": [3, 4]}),
        ({"anyOf": [{"const": 1}, {"const": 2}]}, {"anyOf": [{"const": 2}, {"const": 3}]}),
        ({"items": {"minimum": 3}, "minItems": 2, "type": "array"}, {"items": {"type": "integer"}}),
        ({"prefixItems": [{"type": "integer"}, {"type": "null"}]}, {"prefixItems": [{"minimum": 7}], "type": "array"}),
        ({"properties": {"a": {"type": "string"}}}, {"properties": {"a": {"minLength": 9}}, "required": ["a"]}),
        ({"required": ["a", "b"], "type": "object"}, {"required": ["b", "c"]}),
        ({"additionalProperties": {"type": "integer"}}, {"additionalProperties": {"minimum": 4}, "minProperties": 2}),
        ({"allOf": [{"minLength": 3}], "type": "string"}, {"allOf": [{"maxLength": 3}]}),
        ({"not": {"type": "string"}}, {"not": {"type": "number"}}),
        ({"pattern": "^a+$", "type": "string"}, {"pattern": "^a{3}$"}),
        ({"$ref": "#/$defs/s"}, {"$ref": "#/$defs/m"}),
        (
            {"if": {"minLength": 3}, "then": {"type": "integer"}},
            {"if": {"type": "integer"}, "else": False, "minimum": 4},
        ),
    ],
)
def test_two_schemas_at_once(left, right):
    definitions = {"s": {"type": "string"}, "m": {"minLength": 8}}
    for pair in ([left, right], [right, left]):
        if "pattern" in left and pair[0] is right:
            check({"allOf": pair})
        elif "pattern" not in left:
            check({"allOf": pair, "$defs": definitions})


@each(
    ("schema", "value"),
    [
        ({"const": {"a": [1]}}, {"a": [1]}),
        ({"enum": ["b", "a"]}, "b"),
        ({"enum": ["b", "a"], "default": "a"}, "a"),
        ({"type": "string", "default": "x"}, "x"),
        ({"type": "string", "default": 3}, "text"),
        ({"type": "string", "examples": ["Paris"]}, "Paris"),
        ({"type": "string", "enum": [1, None, "s"]}, "s"),
        ({"type": ["string", "null"]}, "text"),
        ({"type": "string", "nullable": True}, "text"),
        ({"type": "string", "format": "date"}, "2024-01-01"),
        ({"type": "integer", "minimum": 5, "exclusiveMinimum": True}, 6),
        ({"type": "integer", "minimum": 10, "multipleOf": 4}, 12),
        ({"type": "integer", "maximum": -3}, -3),
        ({"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1}, 0.5),
        ({"type": "integer", "multipleOf": 1.5}, 3),
        ({"type": "string", "minLength": 6}, "textxx"),
        ({"type": "string", "maxLength": 2}, "te"),
        ({"type": "array", "items": {"type": "boolean"}, "minItems": 2}, [True, True]),
        ({"type": "array", "items": {"enum": [1, 2, 3]}, "minItems": 3, "uniqueItems": True}, [1, 2, 3]),
        ({"type": "array", "items": [{"type": "null"}, {"type": "integer"}]}, [None, 1]),
        ({"type": "array", "contains": {"const": 7}, "prefixItems": [{"type": "string"}]}, ["text", 7]),
        ({"required": ["a"]}, {"a": "text"}),
        ({"properties": {"a": {"type": "null"}}, "anyOf": [{"required": ["zz"]}]}, {"a": None, "zz": "text"}),
        ({"allOf": [{"minimum": 3}, {"type": "integer", "minimum": 5}]}, 5),
        ({"allOf": [{"required": ["a"]}, {"properties": {"a": {"type": "null"}}}]}, {"a": None}),
        ({"oneOf": [{"type": "number"}, {"type": "integer"}, {"const": "z"}]}, "z"),
        ({"if": {"type": "string"}, "then": {"const": "a"}, "else": {"const": 1}}, "a"),
        ({"if": {"enum": ["text"]}, "then": False, "else": {"not": {"type": "boolean"}}}, 1.0),
        ({"not": {"type": "string"}}, 1.0),
        ({"type": "string", "pattern": "b", "anyOf": [{"pattern": "^ab"}, {"const": "cb"}]}, "cb"),
        ({"type": "string", "pattern": "^a+$", "minLength": 5}, "aaaaa"),
        (
            {"type": "array", "items": {"type": "string", "format": "date"}, "minItems": 3, "uniqueItems": True},
            ["2024-01-01", "2024-01-02", "2024-01-03"],
        ),
        ({"type": "object", "additionalProperties": {"type": "null"}}, {"text": None}),
        ({"type": "object", "patternProperties": {"^x-[0-9]$": {"type": "null"}}}, {"x-0": None}),
        ({"type": "object"}, {}),
        ({"$ref": "#/$defs/a~1b%20c", "$defs": {"a/b c": {"const": 1}}}, 1),
        ({"$ref": "#here", "$defs": {"x": {"$anchor": "here", "const": 1}}}, 1),
        ({"$ref": "#/$defs/s", "maxLength": 2, "$defs": {"s": {"type": "string"}}}, "te"),
        (True, "text"),
    ],
)
def test_examples_known_by_heart(schema, value):
    made = build_example(schema)
    assert canonical(made) == canonical(value)
    assert type(made) is type(value)


def test_a_recursion_is_cut_where_it_may_end():
    assert check({"$ref": "#/$defs/tree", "$defs": {"tree": TREE, "list": LINKED}}) == {
        "value": 1,
        "left": None,
        "more": [],
        "other": None,
    }


@each(
    ("schema", "says"),
    [
        (False, "false"),
        ({"type": "integer", "minimum": 3, "maximum": 2}, "bounds"),
        ({"type": "integer", "minimum": 3, "maximum": 5, "multipleOf": 7}, "bounds"),
        ({"type": "string", "const": 3}, "const"),
        ({"allOf": [{"type": "string"}, {"type": "null"}]}, "both"),
        ({"properties": {"a": {"$ref": "#"}}, "required": ["a"], "type": "object"}, "without end"),
        ({"$ref": "#/$defs/missing"}, "nowhere"),
        ({"$ref": "https://example.com/schema.json"}, "outside"),
        ({"type": "array", "items": {"const": 1}, "minItems": 2, "uniqueItems": True}, "different"),
        ({"type": "array", "minItems": 10**9}, "items"),
        ({"type": "string", "minLength": 10**9}, "characters"),
        ({"type": "string", "pattern": "(?=b)a"}, "pattern"),
        ({"type": "strin"}, "strin"),
        ({"type": "object", "properties": 3}, "well formed"),
        ({"allOf": [3]}, "not a schema"),
    ],
)
def test_a_schema_without_an_example_raises(schema, says):
    with pytest.raises(ValidationError, match=says):
        build_example(schema)


def test_a_schema_that_explodes_is_given_up_in_time():
    levels = {f"n{i}": {"type": "array", "minItems": 9, "items": {"$ref": f"#/$defs/n{i + 1}"}} for i in range(9)}
    with pytest.raises(ValidationError, match="large"):
        build_example({"$ref": "#/$defs/n0", "$defs": {**levels, "n9": {"type": "null"}}})


def test_many_mutual_references_end_soon():
    names = [f"d{i}" for i in range(25)]
    each = {"type": "object", "properties": {name: {"$ref": f"#/$defs/{name}"} for name in names}}
    assert len(json.dumps(check({"$ref": "#/$defs/d0", "$defs": dict.fromkeys(names, each)}))) < 100_000


class Colour(Enum):
    RED = "red"


class Cat(BaseModel):
    kind: Literal["cat"]
    lives: int = Field(ge=1, le=9)


class Dog(BaseModel):
    kind: Literal["dog"]
    good: bool = True


class Sum(BaseModel):
    sign: Literal["+"]
    left: "Sum | float"
    right: "float | Sum"


class Everything(BaseModel):
    name: str = Field(min_length=3, max_length=12, pattern=r"^[A-Z][a-z]+$")
    code: str = Field(pattern=r"^[A-Z]{2}-\d{4,6}(-[a-f0-9]+)?$")
    day: date
    at: datetime
    id: UUID
    pet: Annotated[Cat | Dog, Field(discriminator="kind")]
    pets: list[Cat | Dog] = Field(min_length=2)
    colour: Colour
    tags: set[str] = Field(min_length=3)
    pair: tuple[int, str, float]
    scores: dict[str, float]
    sum: Sum
    ratio: float = Field(gt=0, lt=1)
    even: int = Field(multiple_of=2, gt=10)
    maybe: str | None
    nothing: None


def test_the_schema_of_a_pydantic_model_gives_a_value_that_it_takes():
    value = check(Everything.model_json_schema())
    Everything.model_validate_json(json.dumps(value))


@each(
    "pattern",
    [
        "abc", "a|b", "^$", "^[a-z]$", "[^a]", r"\d+", r"\w\s\S", "a{3}", "a{2,}b{1,2}", "(ab)+", "(?:a|b)*c", "a.c",
        r"^\+?[0-9 ()-]{6,}$", r"^[A-Z]{3}_[0-9]{2}$", r"\.\*\\", "[]-]", r"[\]x]", "[a-]", r"[\d-]", "a+?b*?", r"^é\u00e9$",
        "^(?:25[0-5]|2[0-4][0-9])$", "(?<year>[0-9]{4})", r"^\{\}$", "x{", "a{,3}",
    ],
)  # fmt: skip
@each("extra", [0, 1, 5])
def test_a_pattern_gets_a_text_that_it_matches(pattern, extra):
    assert re.search(pattern.replace("?<", "?P<"), build_match(pattern, extra))


@settings(max_examples=200, deadline=None)
@given(st.text("ab[](){}^$?*+|\\-.,0dws<>=!:", max_size=12), st.integers(0, 3))
def test_no_pattern_breaks_the_reader(pattern, extra):
    assert isinstance(build_match(pattern, extra), str)
