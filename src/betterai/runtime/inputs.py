"""What a caller gives to be worked on: looked at before anybody is asked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

from betterai.core.exceptions import ValidationError
from betterai.core.media import Media
from betterai.core.settings import Settings

S = TypeVar("S", bound=Settings)
_NO_LISTS = (bytes, bytearray, memoryview, Mapping, set, frozenset)
"""What can be gone through, and is no list of texts all the same."""


def merge(kind: type[S], settings: S | Mapping[str, Any] | None, options: Mapping[str, Any]) -> S:
    """Settings of a kind, or a dict of them, with options on top. Raises `ValidationError`."""
    if settings is None:
        return kind(**options)
    if not isinstance(settings, kind):
        if not isinstance(settings, Mapping) or not all(isinstance(name, str) for name in settings):
            said = f"settings are {kind.__name__} or a dict, not {type(settings).__name__}"
            raise ValidationError(said, hint=f"write betterai.{kind.__name__}(…)")
        settings = kind(**settings)
    return settings.replace(**options) if options else settings


def check_text(text: object, hint: str = "") -> None:
    """Raises `ValidationError` for what is no text."""
    if not isinstance(text, str):
        raise ValidationError(f"a text is wanted, not {type(text).__name__}", hint=hint)


def read_texts(texts: str | Sequence[str]) -> tuple[str, ...]:
    """One text, or several. Raises `ValidationError` for anything else."""
    if isinstance(texts, str):
        return (texts,)
    given = _read_list(texts, "texts are a text, or a list of them", 'pass ["…", "…"]')
    for place, text in enumerate(given):
        if not isinstance(text, str):
            raise ValidationError(f"text {place} is {type(text).__name__}, and must be str")
    return given


def read_inputs(inputs: str | Media | Sequence[str | Media]) -> tuple[str | Media, ...]:
    """Texts and pictures, one or several. Raises `ValidationError` for anything else."""
    if isinstance(inputs, str | Media):
        return (inputs,)
    given = _read_list(inputs, "what is judged is a text, Media, or a list of them", 'pass "…", or betterai.Media(…)')
    for place, item in enumerate(given):
        if not isinstance(item, str | Media):
            raise ValidationError(f"input {place} is {type(item).__name__}, and must be str or Media")
    return given


def _read_list(given: Any, wanted: str, hint: str) -> tuple[Any, ...]:
    if not isinstance(given, Iterable) or isinstance(given, _NO_LISTS):
        raise ValidationError(f"{wanted}, not {type(given).__name__}", hint=hint)
    return tuple(given)
