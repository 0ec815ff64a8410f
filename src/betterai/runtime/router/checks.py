"""What a router may be given: a mistake is refused where it is written, not in the first call that meets it."""

from __future__ import annotations

from collections.abc import Collection
from typing import get_args

from betterai.core.exceptions import ValidationError
from betterai.core.routing import Choose, OnBreak

ALSO_AFTER = ("content_filter", "output")


def check_choices(choose: object, on_break: object, also_after: object) -> None:
    """Raises `ValidationError` for a word that is none of the known ones."""
    for what, value, known in (("choose", choose, get_args(Choose)), ("on_break", on_break, get_args(OnBreak))):
        if value not in known:
            raise ValidationError(f"Router: {what} must be {' or '.join(known)}, not {value!r:.80}")
    several = isinstance(also_after, Collection) and not isinstance(also_after, str)
    if not several or any(kind not in ALSO_AFTER for kind in also_after):  # type: ignore[attr-defined]
        hint = f"there are {' and '.join(ALSO_AFTER)}"
        raise ValidationError(f"Router: also_after is a list of kinds of failure, not {also_after!r:.80}", hint=hint)


def check_functions(sticky: object, caller: object) -> None:
    """Raises `ValidationError` for what cannot be called."""
    if not (isinstance(sticky, bool) or callable(sticky)):
        raise ValidationError(f"Router: sticky is True or a function of messages and settings, not {sticky!r:.80}")
    if not (caller is None or callable(caller)):
        raise ValidationError(f"Router: caller is a function of the settings, not {caller!r:.80}")


def check_kinds(**given: tuple[object, ...]) -> None:
    """Each value with the type that it must have, and None where it may be left out. Raises `ValidationError`."""
    for name, (value, kind, *left_out) in given.items():
        assert isinstance(kind, type)
        if not isinstance(value, kind) and value not in left_out:
            hint = f"write {name}=betterai.{kind.__name__}(…)" if kind.__module__.startswith("betterai") else ""
            raise ValidationError(f"Router: {name} must be a {kind.__name__}, not {value!r:.80}", hint=hint)


def check_client(client: object) -> None:
    """Raises `ValidationError` for what cannot look up a target."""
    if client is not None and not hasattr(client, "look_up"):
        raise ValidationError(f"Router: client is a betterai.Client, not {type(client).__name__}")


def check_queue(queue: object) -> None:
    """Raises `ValidationError` for what is no number of calls."""
    if isinstance(queue, bool) or not isinstance(queue, int) or queue < 0:
        raise ValidationError(f"Router: queue must be a whole number, at least 0, not {queue!r:.80}")
