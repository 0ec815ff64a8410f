"""Functions as tools: what the model is told of them, and how its arguments are read."""

from __future__ import annotations

import asyncio
import copy
import inspect
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from enum import Enum
from typing import Annotated, Any, Literal, TypedDict

import msgspec
import pydantic
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import betterai
from betterai import Media, MediaPart, Text, ValidationError
from betterai.runtime.tools.docstrings import read_docstring
from betterai.runtime.tools.functions import build_result
from together import each


class Place(msgspec.Struct):
    city: str
    country: str = "NO"


@dataclass
class Span:
    days: int


class Limits(TypedDict):
    most: float


class Inner(pydantic.BaseModel):
    x: int


class Model(pydantic.BaseModel):
    inner: Inner
    more: Model | None = None


class Unit(Enum):
    C = "c"
    F = "f"


@betterai.tool
def forecast(
    place: Place,
    span: Span,
    limits: Limits,
    unit: Unit = Unit.C,
    kind: Literal["short", "long"] = "short",
    since: date | None = None,
    count: Annotated[int, msgspec.Meta(ge=1, description="how many")] = 1,
) -> str:
    """The weather of the next days.

    It is guessed.

    Args:
        place (Place): Where: a city,
            and its country.
        count: overruled by the annotation
        unit: c or f

    Returns:
        A text.
    """
    return f"{place.city} {span.days} {limits['most']} {unit.value} {kind} {since} {count}"


GIVEN = {"place": {"city": "Oslo"}, "span": {"days": 2}, "limits": {"most": 1.5}}


def test_the_schema_says_what_the_annotations_say() -> None:
    schema = dict(forecast.parameters or {})
    properties, definitions = schema["properties"], schema["$defs"]
    assert schema["required"] == ["place", "span", "limits"]
    assert properties["kind"] == {"enum": ["long", "short"], "default": "short"} | properties["kind"]
    assert sorted(properties["kind"]["enum"]) == ["long", "short"]
    assert properties["count"] == {"type": "integer", "minimum": 1, "description": "how many", "default": 1}
    assert (properties["unit"]["default"], properties["since"]["default"]) == ("c", None)
    assert properties["place"]["$ref"] == "#/$defs/Place"
    assert definitions["Place"]["properties"]["city"] == {"type": "string"}
    json.dumps(schema)


def test_the_docstring_describes_the_tool_and_its_parameters() -> None:
    assert (forecast.name, forecast.description) == ("forecast", "The weather of the next days.\n\nIt is guessed.")
    properties = dict(forecast.parameters or {})["properties"]
    assert properties["place"]["description"] == "Where: a city, and its country."
    assert properties["unit"]["description"] == "c or f"
    assert "description" not in properties["span"]


def test_a_tool_is_a_tool_and_still_the_function() -> None:
    assert isinstance(forecast, betterai.Tool)
    assert forecast(Place("Oslo"), Span(1), {"most": 2.0}, count=3) == "Oslo 1 2.0 c short None 3"
    assert list(inspect.signature(forecast).parameters) == list(dict(forecast.parameters or {})["properties"])
    settings = betterai.GenerationSettings(tools=[forecast])
    assert settings.tools == [forecast]
    assert copy.deepcopy(settings) == settings


def test_arguments_are_read_as_the_annotated_types() -> None:
    read = forecast.decode_arguments(json.dumps({**GIVEN, "unit": "f", "since": "2026-01-02"}))
    assert read["place"] == Place("Oslo")
    assert read["span"] == Span(2)
    assert (read["unit"], read["since"]) == (Unit.F, date(2026, 1, 2))
    assert "kind" not in read, "the function's own default holds"
    assert forecast(**read) == "Oslo 2 1.5 f short 2026-01-02 1"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"place": "Oslo"}, "Expected `object`, got `str` - at `$.place`"),
        ({"span": {"days": "2"}}, "at `$.span.days`"),
        ({"span": {"days": 2.5}}, "at `$.span.days`"),
        ({"count": 0}, ">= 1"),
        ({"count": True}, "got `bool`"),
        ({"kind": "middle"}, "kind"),
        ({"city": "Oslo"}, "unknown field `city`"),
        ({"limits": None}, "at `$.limits`"),
    ],
)
def test_a_wrong_argument_is_refused_with_its_place(change: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError) as caught:
        forecast.decode_arguments(json.dumps({**GIVEN, **change}))
    assert said in str(caught.value)


@pytest.mark.parametrize(
    "text",
    ['{"count": 1, "count": 2}', '{"count": NaN}', "[]", "null", "{", '{"count": 1}{', "[" * 50_000, '{"count":1', "1"],
)
def test_x10_arguments_are_read_by_the_strict_parser(text: str) -> None:
    @betterai.tool
    def one(count: float = 1) -> None: ...

    with pytest.raises(ValidationError, match="the arguments of one are wrong"):
        one.decode_arguments(text)


@settings(max_examples=60, deadline=None)
@given(st.integers(), st.text(), st.lists(st.booleans() | st.none()), st.floats(allow_nan=False, allow_infinity=False))
def test_what_fits_comes_back_as_it_was_and_no_beginning_of_it_does(a: int, b: str, c: Any, d: float) -> None:
    @betterai.tool
    def f(a: int, b: str, c: list[bool | None], d: float) -> None: ...

    given = {"a": a, "b": b, "c": c, "d": d}
    text = json.dumps(given)
    assert f.decode_arguments(text) == given
    for end in range(1, len(text), max(1, len(text) // 20)):
        with pytest.raises(ValidationError):
            f.decode_arguments(text[:end])


def test_no_arguments_at_all_are_none() -> None:
    @betterai.tool
    def now() -> str:
        return "now"

    assert now.decode_arguments("") == now.decode_arguments("{}") == {}
    assert now.parameters == {"type": "object", "properties": {}, "required": []}
    assert now.description is None


def test_pydantic_models_are_taken_with_their_definitions() -> None:
    @betterai.tool
    def f(model: Model, others: list[Model] | None = None) -> int:
        return model.inner.x

    schema = dict(f.parameters or {})
    text = json.dumps(schema)
    assert schema["$defs"]["Model_Inner"]["properties"]["x"]["type"] == "integer"
    assert all(f'"{ref}"' in text for ref in ("#/$defs/Model_Model", "#/$defs/Model_Inner"))
    read = f.decode_arguments('{"model": {"inner": {"x": 1}}, "others": [{"inner": {"x": 2}}]}')
    assert f(**read) == 1
    assert read["others"] == [Model(inner=Inner(x=2))]
    with pytest.raises(ValidationError, match=r"inner\.x"):
        f.decode_arguments('{"model": {"inner": {"x": "one"}}}')


class Point(msgspec.Struct):
    x: int


def test_a_text_in_an_annotation_is_a_description() -> None:
    @betterai.tool
    def f(a: Annotated[int, "how many"], b: Annotated[int | None, "or not"] = None) -> None:
        """Does.

        :param a: overruled
        """

    properties = dict(f.parameters or {})["properties"]
    assert (properties["a"]["description"], properties["b"]["description"]) == ("how many", "or not")


class Arguments(msgspec.Struct):
    x: int


def test_a_type_may_have_the_name_that_ours_has() -> None:
    @betterai.tool
    def f(a: Arguments, b: list[Arguments]) -> int:
        return a.x

    schema = dict(f.parameters or {})
    assert list(schema["properties"]) == ["a", "b"]
    (name,) = schema["$defs"]
    assert schema["properties"]["a"] == {"$ref": f"#/$defs/{name}"}
    assert f(**f.decode_arguments('{"a": {"x": 1}, "b": []}')) == 1


def test_name_description_and_strictness_can_be_given() -> None:
    @betterai.tool(name="add_up", description="Adds.", strict=True)
    def add(a: int, points: list[Point]) -> int:
        """Not this."""
        return a

    schema = dict(add.parameters or {})
    assert (add.name, add.description, add.strict) == ("add_up", "Adds.", True)
    assert schema["additionalProperties"] is schema["$defs"]["Point"]["additionalProperties"] is False
    assert add(1, []) == 1


def test_what_cannot_be_strict_says_so() -> None:
    with pytest.raises(ValidationError, match="f cannot be strict"):

        @betterai.tool(strict=True)
        def f(a: int = 1) -> None: ...


class Thing:
    factor = 2

    def times(self, n: int) -> int:
        """Multiplies.

        :param n: what to
            multiply
        :type n: int
        :returns: the product
        """
        return n * self.factor


def test_a_bound_method_is_a_tool_too() -> None:
    times = betterai.tool(Thing().times)
    assert times(3) == 6
    assert dict(times.parameters or {})["properties"]["n"]["description"] == "what to multiply"
    assert times.description == "Multiplies."
    with pytest.raises(ValidationError, match="self of times has no annotation – of a method take the bound one"):
        betterai.tool(Thing.times)


def no_annotation(a) -> None: ...  # type: ignore[no-untyped-def]
def many(*values: int) -> None: ...
def keywords(**values: int) -> None: ...
def by_place(a: int, /) -> None: ...
def unknown(a: Nowhere) -> None: ...  # type: ignore[name-defined]  # noqa: F821
def ambiguous(a: Place | Span) -> None: ...
def no_schema(a: Thing) -> None: ...
def with_field(a: Annotated[int, pydantic.Field(ge=1)]) -> None: ...
def wrong_doc(a: int) -> None:
    """Does.

    Args:
        b: what?
    """


def yields() -> Iterator[int]:
    yield 1


@each(
    ("function", "said"),
    [
        (no_annotation, "the parameter a of no_annotation has no annotation"),
        (many, "variadic positional parameters cannot be given by name"),
        (keywords, "variadic keyword parameters"),
        (by_place, "positional-only parameters"),
        (unknown, "'Nowhere' is not defined"),
        (ambiguous, "the parameters of ambiguous have types"),
        (no_schema, "the parameters of no_schema have types"),
        (with_field, "the parameter a is annotated with a Field"),
        (wrong_doc, "describes b, which it does not take"),
        (yields, "yields: a tool returns its result"),
        (lambda: 1, "a tool cannot be called '<lambda>'"),
        (Thing, "made of a function"),
        (3, "made of a function"),
    ],
)
def test_what_is_no_tool_is_refused_where_it_is_made(function: Any, said: str) -> None:
    with pytest.raises(ValidationError) as caught:
        betterai.tool(function)
    assert said in str(caught.value)


def test_a_function_alone_is_refused_with_the_way_to_make_it_one() -> None:
    with pytest.raises(ValidationError, match=r"make a tool of a function with betterai\.tool"):
        betterai.GenerationSettings(tools=[keywords])


@pytest.mark.parametrize(
    ("doc", "text", "parameters"),
    [
        ("", "", {}),
        ("One line.", "One line.", {}),
        (
            "Head.\n\nNote: this stays.\n\n    code:\n        too",
            "Head.\n\nNote: this stays.\n\n    code:\n        too",
            {},
        ),
        ("H.\n\nArguments:\n  a: b: c\n\n  d: e\nMore.", "H.\n\nMore.", {"a": "b: c", "d": "e"}),
        ("H.\n\nArgs:\n    a: one\n    that goes on", "H.", {"a": "one that goes on"}),
        ("H.\n:param a:\n:param int b: two\n   more\n:raises X: if\n   so", "H.", {"a": "", "b": "two more"}),
        ("H.\n\nRaises:\n    X: if\n\nYields:\n    y", "H.", {}),
        ("See :class:`x` here: it stays.", "See :class:`x` here: it stays.", {}),
    ],
)
def test_docstrings(doc: str, text: str, parameters: dict[str, str]) -> None:
    assert read_docstring(doc) == (text, parameters)


PICTURE = Media(kind="image", mime_type="image/png", data=b"1")


@pytest.mark.parametrize(
    ("value", "parts"),
    [
        ("as it is", [Text(text="as it is")]),
        (None, [Text(text="null")]),
        ({"a": [1, Place("Oslo")]}, [Text(text='{"a":[1,{"city":"Oslo","country":"NO"}]}')]),
        ([], [Text(text="[]")]),
        ([Inner(x=1)], [Text(text='[{"x":1}]')]),
        (Span(1), [Text(text='{"days":1}')]),
        (PICTURE, [MediaPart(media=PICTURE)]),
        (("see:", PICTURE, {"x": 1}), [Text(text="see:"), MediaPart(media=PICTURE), Text(text='{"x":1}')]),
        (MediaPart(media=PICTURE, detail="low"), [MediaPart(media=PICTURE, detail="low")]),
    ],
)
def test_results_are_text_json_or_media(value: Any, parts: list[Any]) -> None:
    assert list(build_result(value)) == parts


def test_a_result_that_is_no_json_is_a_type_error() -> None:
    with pytest.raises(TypeError, match="a Thing cannot be written as JSON"):
        build_result({"a": Thing()})


def test_an_async_function_stays_one() -> None:
    @betterai.tool
    async def later(n: int) -> int:
        return n

    assert asyncio.run(later(2)) == 2
