"""Functions as tools: the schema from the annotations, the description from the docstring."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import (
    Annotated,
    Any,
    Generic,
    NamedTuple,
    ParamSpec,
    Self,
    TypeVar,
    Union,
    get_args,
    get_origin,
    get_type_hints,
    overload,
)

import msgspec
from msgspec import UNSET, UnsetType

from betterai.core.data import parse_strict_json
from betterai.core.exceptions import ValidationError
from betterai.core.media import Media
from betterai.core.message import MediaPart, Text
from betterai.core.tools import Tool
from betterai.runtime.tools.docstrings import read_docstring
from betterai.wire.json_schema import inline_root, make_strict

P = ParamSpec("P")
R = TypeVar("R")
_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_ANY_OF: Any = Union
_KEYWORDS = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


class Parameter(NamedTuple):
    """One parameter: its annotation, its default (`inspect.Parameter.empty` for none), what the annotation says."""

    kind: Any
    default: Any
    text: str

    @property
    def required(self) -> bool:
        return self.default is inspect.Parameter.empty


class ToolFunction(Tool, Generic[P, R], frozen=True, kw_only=True, gc=True):
    """A tool that runs: made by `betterai.tool`, taken wherever a `Tool` is, and called as the function it was."""

    function: Callable[P, R]
    decoder: msgspec.json.Decoder[Any]

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        return self.function(*args, **kwargs)

    def __deepcopy__(self, memo: object) -> Self:
        return self

    @property
    def __wrapped__(self) -> Callable[P, R]:
        return self.function

    def decode_arguments(self, text: str) -> dict[str, Any]:
        """The arguments as the model wrote them, as keyword arguments of the annotated types. Raises `ValidationError`
        for what is not strictly of these types, unknown names, and JSON that says one thing twice.
        """
        try:
            parse_strict_json(text or "{}")
            given = self.decoder.decode(text or "{}")
        except (ValueError, RecursionError) as error:
            raise ValidationError(f"the arguments of {self.name} are wrong: {error}") from error
        return {name: value for name, value in msgspec.structs.asdict(given).items() if value is not UNSET}


@overload
def tool(function: Callable[P, R], /) -> ToolFunction[P, R]: ...
@overload
def tool(
    *, name: str | None = None, description: str | None = None, strict: bool | None = None
) -> Callable[[Callable[P, R]], ToolFunction[P, R]]: ...
def tool(
    function: Callable[..., Any] | None = None,
    /,
    *,
    name: str | None = None,
    description: str | None = None,
    strict: bool | None = None,
) -> Any:
    """Make a function a tool: `@betterai.tool`, or `@betterai.tool(name=…, description=…, strict=…)`.

    The schema comes from the annotations (what msgspec knows, and Pydantic models), the description from the docstring,
    those of parameters from its "Args:" or `:param x:`, or from `Annotated[int, msgspec.Meta(description=…)]`.
    `strict=True` has the provider enforce the schema. Raises `ValidationError` where no tool can be made of it.
    """
    if function is None:
        return lambda function: _make_tool(function, name, description, strict)
    return _make_tool(function, name, description, strict)


def _make_tool(
    function: Callable[P, R], name: str | None, description: str | None, strict: bool | None
) -> ToolFunction[P, R]:
    name = name if name is not None else getattr(function, "__name__", "")
    if not inspect.isroutine(function):
        raise ValidationError(f"a tool is made of a function or a method, not of {function!r:.80}")
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        raise ValidationError(f"{name} yields: a tool returns its result")
    if not _NAME.fullmatch(name):
        raise ValidationError(f"a tool cannot be called {name!r}", hint="1 to 64 letters, digits, _ and -: pass name=…")
    parameters = _read_parameters(function, name)
    said = read_docstring(function.__doc__ or "")
    if unknown := said.parameters.keys() - parameters.keys():
        raise ValidationError(f"the docstring of {name} describes {', '.join(sorted(unknown))}, which it does not take")
    schema, decoder = _read_types(name, parameters)
    schema = _describe(schema, parameters, said.parameters)
    if strict:
        closed = make_strict(schema)
        if not closed.strict:
            raise ValidationError(
                f"{name} cannot be strict: all its parameters must be required, and all objects in them closed",
                hint="take out the defaults, dicts and Any, or strict=True",
            )
        schema = dict(closed.schema)
    return ToolFunction(
        name=name,
        description=description if description is not None else said.text or None,
        parameters=schema,
        strict=strict,
        function=function,
        decoder=decoder,
    )


def _read_parameters(function: Callable[..., Any], name: str) -> dict[str, Parameter]:
    try:
        signature = inspect.signature(function)
        hints = get_type_hints(function, include_extras=True)
    except (NameError, TypeError, ValueError, AttributeError) as error:
        raise ValidationError(
            f"the annotations of {name} cannot be read: {error}", hint="types must be known at the module's level"
        ) from error
    found: dict[str, Parameter] = {}
    for parameter in signature.parameters.values():
        if parameter.kind not in _KEYWORDS:
            raise ValidationError(
                f"{name} takes {parameter}: {parameter.kind.description} parameters cannot be given by name",
                hint="a tool's parameters are given by name",
            )
        if parameter.name not in hints:
            hint = "of a method take the bound one: betterai.tool(thing.method)" if parameter.name == "self" else ""
            raise ValidationError(f"the parameter {parameter.name} of {name} has no annotation", hint=hint)
        kind = hints[parameter.name]
        found[parameter.name] = Parameter(kind, parameter.default, _read_text(kind, parameter.name))
    return found


def _read_text(kind: Any, name: str) -> str:
    """The text in `Annotated[int, "how many"]`. What Pydantic's Field says there would be heeded by nobody."""
    texts = get_args(kind)[1:] if get_origin(kind) is Annotated else ()
    if any(hasattr(item, "json_schema_extra") and not isinstance(item, msgspec.Meta) for item in texts):
        raise ValidationError(
            f"the parameter {name} is annotated with a Field, which holds within Pydantic models only",
            hint="take msgspec.Meta(description=…, ge=…)",
        )
    return next((item for item in texts if isinstance(item, str)), "")


def _read_types(name: str, parameters: Mapping[str, Parameter]) -> tuple[dict[str, Any], msgspec.json.Decoder[Any]]:
    """The schema of the arguments, and what reads them. A parameter with a default may be left out."""
    fields: list[Any] = []
    for field, parameter in parameters.items():
        left_out = _ANY_OF[parameter.kind, UnsetType]
        fields.append((field, parameter.kind) if parameter.required else (field, left_out, UNSET))
    models = _Models()
    try:
        arguments = msgspec.defstruct("Arguments", fields, kw_only=True, forbid_unknown_fields=True)
        schema = inline_root(msgspec.json.schema(arguments, schema_hook=models.build_schema))
        decoder = msgspec.json.Decoder(arguments, dec_hook=_read_model)
    except Exception as error:
        raise ValidationError(
            f"the parameters of {name} have types that no JSON Schema can be made of: {error}",
            hint="take what msgspec knows (Structs, dataclasses, TypedDicts, Literals …) or Pydantic models",
        ) from error
    for unwanted in ("title", "additionalProperties"):
        schema.pop(unwanted, None)
    if definitions := {**schema.pop("$defs", {}), **models.definitions}:
        schema["$defs"] = definitions
    return schema, decoder


class _Models:
    """Pydantic models as JSON Schemas. Their definitions move to the root, under names of their own."""

    def __init__(self) -> None:
        self.definitions: dict[str, Any] = {}
        self._built: dict[Any, dict[str, Any]] = {}

    def build_schema(self, kind: Any) -> dict[str, Any]:
        if not _is_model(kind):
            raise NotImplementedError
        if kind not in self._built:
            same = sum(kind.__name__ == other.__name__ for other in self._built)
            home = f"{kind.__name__}{same or ''}"
            built = kind.model_json_schema(ref_template=f"#/$defs/{home}_{{model}}")
            self.definitions |= {f"{home}_{name}": inner for name, inner in built.pop("$defs", {}).items()}
            self._built[kind] = built
        return self._built[kind]


def _is_model(kind: Any) -> bool:
    return hasattr(kind, "model_json_schema") and hasattr(kind, "model_validate_json")


def _read_model(kind: Any, value: Any) -> Any:
    if not _is_model(kind):
        raise NotImplementedError
    return kind.model_validate_json(msgspec.json.encode(value))


def _describe(schema: dict[str, Any], parameters: Mapping[str, Parameter], said: Mapping[str, str]) -> dict[str, Any]:
    """The schema with descriptions and defaults. What the annotation says goes before the docstring."""
    described = {}
    for name, inner in schema.get("properties", {}).items():
        described[name] = dict(inner)
        parameter = parameters[name]
        if text := parameter.text or said.get(name):
            described[name].setdefault("description", text)
        if not parameter.required:
            with suppress(TypeError):
                described[name].setdefault("default", msgspec.to_builtins(parameter.default, enc_hook=_dump))
    return {**schema, "properties": described}


def _dump(value: Any) -> Any:
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json")
    raise TypeError(f"a {type(value).__name__} cannot be written as JSON")


_encode = msgspec.json.Encoder(enc_hook=_dump).encode


def build_result(value: Any) -> tuple[Text | MediaPart, ...]:
    """What a tool returned, for the model: texts as they are, media as media, all else as JSON. Raises `TypeError`."""
    if isinstance(value, Text | MediaPart):
        return (value,)
    if isinstance(value, Media):
        return (MediaPart(media=value),)
    if isinstance(value, list | tuple) and any(isinstance(item, Text | MediaPart | Media) for item in value):
        return tuple(part for item in value for part in build_result(item))
    text = value if isinstance(value, str) else _encode(value).decode()
    return (Text(text=text),)
