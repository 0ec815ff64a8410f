"""The public names, and what the values behind them promise: copies, JSON forms, settings."""

from __future__ import annotations

import ast
import copy
import pickle
from decimal import Decimal
from pathlib import Path
from typing import Any, get_type_hints

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import UNSET, Raw

import betterai
from betterai import (
    BetterAIError,
    CacheMark,
    Citation,
    GenerationSettings,
    Media,
    MediaPart,
    Message,
    Opaque,
    ProviderResponse,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    ToolResult,
    ValidationError,
)
from betterai.core import exceptions
from betterai.core.options import GenerationOptions
from betterai.core.response import Attempt
from betterai.core.settings import Settings
from runtime.subprocesses import check_python
from together import each

PACKAGE = Path(betterai.__file__).parent

# ── names ──


def names_in_stub() -> set[str]:
    tree = ast.parse((PACKAGE / "__init__.pyi").read_text(encoding="utf-8"))
    imported = {alias.asname for node in tree.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert None not in imported, "a stub gives names away only with `as`"
    return {str(name) for name in imported}


def test_the_stub_and_the_module_give_the_same_names() -> None:
    assert names_in_stub() == set(betterai.__all__)
    assert len(betterai.__all__) == len(set(betterai.__all__))
    assert set(betterai.__all__) <= set(dir(betterai))


def test_the_stub_takes_each_name_from_where_the_module_does() -> None:
    tree = ast.parse((PACKAGE / "__init__.pyi").read_text(encoding="utf-8"))
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and node.module != "betterai.runtime":
            for alias in node.names:
                assert node.module == f"betterai.{betterai._EXPORTS[alias.name]}", alias.name


@each("name", sorted(betterai.__all__))
def test_every_public_name_is_there(name: str) -> None:
    assert getattr(betterai, name) is not None


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = betterai.nothing  # type: ignore[attr-defined]


def test_every_exception_is_public() -> None:
    assert {kind.__name__ for kind in all_exceptions()} <= set(betterai.__all__)


def test_p1_importing_is_light() -> None:
    said = check_python("""
        import sys
        before = set(sys.modules)
        import betterai
        heavy = {"asyncio", "aiohttp", "tenacity", "ssl", "msgspec", "socket", "logging", "email"}
        print(sorted(heavy & (set(sys.modules) - before)), sum(name.startswith("betterai") for name in sys.modules))
        betterai.GenerationSettings(temperature=0), betterai.Message.user("x"), betterai.CoreConfig(), betterai.ALL_MODELS
        print(sorted({"asyncio", "aiohttp", "tenacity", "ssl"} & set(sys.modules)))
    """, strict=False)  # fmt: skip
    assert said.splitlines() == ["[] 1", "[]"]


def test_p1_the_catalogue_needs_no_http_client() -> None:
    said = check_python("""
        import sys, betterai
        assert len(betterai.ALL_MODELS) > 2
        betterai.get_text_provider("local/eliza")
        print(sorted({"aiohttp", "tenacity", "ssl"} & set(sys.modules)))
    """, strict=False)  # fmt: skip
    assert said == "[]\n"


# ── settings ──


def test_the_short_way_takes_all_settings_of_a_generation() -> None:
    assert set(GenerationOptions.__annotations__) == GenerationSettings.__fields__ - {"spelling"}


def test_the_short_way_takes_them_with_the_same_types() -> None:
    options, fields = get_type_hints(GenerationOptions), get_type_hints(GenerationSettings)
    for name in options:
        mine, theirs = (str(hint).replace("typing.", "") for hint in (options[name], fields[name]))
        assert mine == theirs or name in ("tool_choice", "response_format"), name


KINDS = [
    kind for kind in vars(betterai.core.settings).values() if isinstance(kind, type) and issubclass(kind, Settings)
]


def test_given_holds_exactly_what_was_set() -> None:
    made = GenerationSettings(temperature=0.0, stop=None, seed=UNSET)
    assert made.given() == {"temperature": 0.0, "stop": None}
    assert (made.temperature, made.stop, made.seed, made.top_p) == (0.0, None, None, None)


@each("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_setting_is_none_until_it_is_set_and_takes_unset(kind: type[Settings]) -> None:
    made = kind(**dict.fromkeys(kind.__fields__, UNSET))
    assert made.given() == {}
    assert all(getattr(made, name) is None for name in kind.__fields__)
    assert kind(**dict.fromkeys(kind.__fields__)).given() == dict.fromkeys(kind.__fields__)


@pytest.mark.parametrize(
    ("wrong", "right"), [("temprature", "temperature"), ("max_token", "max_tokens"), ("tool", "tools")]
)
def test_an_unknown_setting_is_refused_with_the_near_name(wrong: str, right: str) -> None:
    with pytest.raises(ValidationError, match=f"no setting '{wrong}'; did you mean .*{right}"):
        GenerationSettings(**{wrong: 1})


def test_what_other_libraries_take_as_settings_is_told_where_it_goes() -> None:
    for wrong, right in (("api_base", "base_url"), ("num_retries", "retries"), ("timeout", "timeout")):
        with pytest.raises(ValidationError, match=rf"'{wrong}'; .*CoreConfig\({right}=…\)"):
            GenerationSettings(**{wrong: 1})
    with pytest.raises(ValidationError, match=r"'stream'; betterai\.stream gives"):
        GenerationSettings(stream=True)
    with pytest.raises(ValidationError, match=r"not dict – write betterai.Tool\(name=…"):
        GenerationSettings(tools=[{"type": "function", "function": {"name": "add"}}])


def test_a_setting_like_none_that_there_is_lists_them_all() -> None:
    with pytest.raises(ValidationError, match="it has audio, "):
        GenerationSettings(qqqqqq=1)


@each(
    ("name", "value"),
    [
        ("temperature", "0.5"), ("temperature", True), ("max_tokens", 1.5), ("max_tokens", True), ("seed", False),
        ("n", "1"), ("logprobs", 1), ("store", "yes"), ("tools", {"name": "x"}), ("stop", 5), ("metadata", []),
        ("extra_body", [("a", 1)]), ("user", 7), ("cache", "1h"), ("parallel_tool_calls", 0), ("top_logprobs", True),
    ],
)  # fmt: skip
def test_a_value_of_another_type_is_refused(name: str, value: Any) -> None:
    with pytest.raises(ValidationError, match=f"{name} must be .*, not {type(value).__name__}"):
        GenerationSettings(**{name: value})


@pytest.mark.parametrize(
    ("name", "value"), [("reasoning", True), ("web_search", True), ("temperature", 1), ("stop", ("a",))]
)
def test_a_value_of_a_type_that_fits_is_taken(name: str, value: Any) -> None:
    assert getattr(GenerationSettings(**{name: value}), name) == value


def test_settings_are_replaced_and_never_changed() -> None:
    made = GenerationSettings(temperature=0.5, seed=1)
    other = made.replace(temperature=UNSET, seed=2, n=1)
    assert other.given() == {"seed": 2, "n": 1}
    assert made.given() == {"temperature": 0.5, "seed": 1}
    with pytest.raises(AttributeError, match=r"settings\.replace\(seed="):
        made.seed = 3
    with pytest.raises(AttributeError):
        made.new = 3  # type: ignore[attr-defined]
    with pytest.raises(ValidationError):
        made.replace(sed=1)


def test_settings_are_compared_by_content_and_copied_whole() -> None:
    made = GenerationSettings(temperature=0.5, stop=["a"])
    assert made == GenerationSettings(stop=["a"], temperature=0.5)
    assert made != GenerationSettings(stop=["a"])
    assert made != betterai.ImageSettings()
    for twin in (copy.copy(made), copy.deepcopy(made), pickle.loads(pickle.dumps(made))):
        assert twin == made
        assert type(twin) is GenerationSettings
    with pytest.raises(TypeError):
        hash(made)


# ── exceptions ──


def all_exceptions(kind: type[BetterAIError] = BetterAIError) -> list[type[BetterAIError]]:
    found = [kind]
    for child in kind.__subclasses__():
        found += [item for item in all_exceptions(child) if item.__module__ == exceptions.__name__]
    return list(dict.fromkeys(found))


PARTIAL = ProviderResponse(content="Hel", model="m", message=Message.assistant("Hel"))
DETAILS: dict[str, Any] = {
    "hint": "try this", "provider": "p", "model": "p/m", "status": 429, "code": "slow", "provider_message": "no “thanks”",
    "request_id": "r", "headers": {"retry-after": "1"}, "body": b"\xff{}", "retryable": True, "retry_after": 1.5,
    "attempts": (Attempt(provider="p", model="m", seconds=0.5, status=429, error="RateLimitError", waited=1.0),),
}  # fmt: skip
OWN = {
    "StreamInterrupted": {"partial": PARTIAL},
    "OutputInvalidError": {"response": PARTIAL},
    "UnsupportedParam": {"param": "n"},
    "StepLimitReached": {"run": betterai.ToolRun(messages=(Message.user("Hi"),))},
    "SpendLimitReached": {"spent": Decimal("1.5"), "limit": Decimal(1)},
}


@each("kind", all_exceptions(), ids=lambda kind: kind.__name__)
@each(
    "twin_of",
    [lambda e: pickle.loads(pickle.dumps(e)), copy.copy, copy.deepcopy],
    ids=["pickle", "copy", "deepcopy"],
)
def test_e1_every_exception_can_be_copied_with_all_it_says(kind: type[BetterAIError], twin_of: Any) -> None:
    error = kind("it broke", **DETAILS, **OWN.get(kind.__name__, {}))
    twin = twin_of(error)
    assert type(twin) is kind
    assert vars(twin) == vars(error)
    assert set(DETAILS) <= set(vars(twin))
    assert (str(twin), twin.args) == (str(error), error.args)
    assert str(error).startswith("p/m: it broke")


@each("kind", all_exceptions(), ids=lambda kind: kind.__name__)
def test_every_exception_can_be_made_of_a_text_alone(kind: type[BetterAIError]) -> None:
    error = kind("it broke")
    assert str(error) == "it broke"
    assert str(pickle.loads(pickle.dumps(error))) == "it broke"
    branches = betterai.ProviderError | ValidationError | betterai.LimitReached
    assert isinstance(error, branches) or kind is BetterAIError


def test_the_tree_in_the_docstring_is_the_tree() -> None:
    drawn = exceptions.__doc__ or ""
    for kind in all_exceptions():
        assert kind.__name__ in drawn


# ── messages as JSON ──

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=5,
)


@st.composite
def raws(draw: st.DrawFn) -> Raw:
    """JSON as a provider may write it: with odd spaces and escapes, which must stay."""
    text = msgspec.json.encode(draw(JSON_VALUES))
    return Raw(draw(st.sampled_from([text, msgspec.json.format(text, indent=3), b'{ "a" :\t"\\u00e9" }', b"1.50e+2"])))


OPAQUES = st.builds(Opaque, protocol=TEXTS, provider=TEXTS, model=TEXTS, data=raws())
MARKS = st.builds(CacheMark, ttl=TEXTS, mode=TEXTS)
SHARED: dict[str, Any] = {"opaque": st.none() | OPAQUES, "cache": st.none() | MARKS}
COUNTS = st.none() | st.integers(0, 99)
CITATIONS = st.builds(
    Citation, url=TEXTS, title=TEXTS, start=COUNTS, end=COUNTS, text=TEXTS, opaque=st.none() | OPAQUES
)
KINDS_OF_MEDIA = st.sampled_from(["image", "audio", "video", "document"])
SOURCES = st.one_of(
    st.fixed_dictionaries({"data": st.binary(max_size=8)}),
    *(st.fixed_dictionaries({name: TEXTS}) for name in ("base64", "path", "url", "file_id")),
)
MEDIA = st.builds(lambda kind, source, name: Media(kind=kind, filename=name, **source), KINDS_OF_MEDIA, SOURCES, TEXTS)
TEXT_PARTS = st.builds(Text, text=TEXTS, citations=st.lists(CITATIONS, max_size=2).map(tuple), **SHARED)
MEDIA_PARTS = st.builds(MediaPart, media=MEDIA, detail=TEXTS, **SHARED)
PARTS = st.one_of(
    TEXT_PARTS,
    MEDIA_PARTS,
    st.builds(Refusal, text=TEXTS, **SHARED),
    st.builds(Reasoning, text=TEXTS, **SHARED),
    st.builds(
        ToolCall, id=TEXTS, name=TEXTS, arguments=TEXTS, index=st.integers(0, 9), server=st.booleans(),
        kind=st.sampled_from(["function", "custom"]), **SHARED,
    ),
    st.builds(
        ToolResult, id=TEXTS, name=TEXTS, is_error=st.booleans(),
        parts=st.lists(TEXT_PARTS | MEDIA_PARTS, max_size=2).map(tuple), **SHARED,
    ),
)  # fmt: skip
MESSAGES = st.builds(
    Message,
    role=st.sampled_from(["system", "developer", "user", "assistant", "tool"]),
    parts=st.lists(PARTS, max_size=4).map(tuple),
    name=TEXTS,
    opaque=st.none() | OPAQUES,
)


def opaques_of(value: Any) -> list[bytes]:
    """The bytes of all opaque data in a message, in order."""
    if isinstance(value, Opaque):
        return [bytes(value.data)]
    if isinstance(value, tuple):
        return [found for item in value for found in opaques_of(item)]
    if isinstance(value, msgspec.Struct):
        return [found for name in value.__struct_fields__ for found in opaques_of(getattr(value, name))]
    return []


@settings(max_examples=80, deadline=None)
@given(message=MESSAGES)
def test_t2_a_message_comes_back_from_json_as_it_was_to_the_byte(message: Message) -> None:
    stored = msgspec.json.encode(message)
    again = msgspec.json.decode(stored, type=Message)
    assert msgspec.json.encode(again) == stored
    assert opaques_of(again) == opaques_of(message)
    assert [type(part) for part in again.parts] == [type(part) for part in message.parts]
    assert (again.text, again.reasoning, again.role, again.name) == (
        message.text,
        message.reasoning,
        message.role,
        message.name,
    )


@settings(max_examples=30, deadline=None)
@given(messages=st.lists(MESSAGES, max_size=3))
def test_t2_a_conversation_can_be_stored_and_read(messages: list[Message]) -> None:
    stored = msgspec.json.encode(messages)
    assert msgspec.json.encode(msgspec.json.decode(stored, type=list[Message])) == stored


def test_t2_every_kind_of_part_has_its_own_tag() -> None:
    part = get_type_hints(Message)["parts"].__args__[0]
    tags = [kind.__struct_config__.tag for kind in part.__args__]
    assert sorted(tags) == ["media", "reasoning", "refusal", "text", "tool_call", "tool_result"]


def test_results_hold_exact_numbers() -> None:
    cost = betterai.price_usage(
        betterai.Usage(text_in=3), betterai.Price(rates=betterai.Rates(tokens={"text_in": Decimal("0.1")}))
    )
    assert (cost.amount, cost.status) == (Decimal("0.0000003"), "exact")
