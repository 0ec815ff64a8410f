"""Single values for a JSON Schema: numbers within their bounds, texts of a length, a format or a pattern."""

from __future__ import annotations

from fractions import Fraction
from math import ceil, floor

from betterai.providers.local.pattern import build_match
from betterai.providers.local.schema_check import matches
from betterai.providers.local.schema_merge import Schema, Unsatisfiable

MAX_LENGTH = 100_000

FORMATS = {
    "date": "2024-01-{day:02}",
    "time": "12:00:{day:02}Z",
    "date-time": "2024-01-{day:02}T12:00:00Z",
    "duration": "P{number}D",
    "email": "user{number}@example.com",
    "idn-email": "user{number}@example.com",
    "hostname": "host{number}.example.com",
    "uri": "https://example.com/{number}",
    "url": "https://example.com/{number}",
    "iri": "https://example.com/{number}",
    "uri-reference": "/{number}",
    "json-pointer": "/{number}",
    "uuid": "00000000-0000-4000-8000-{number:012}",
    "ipv4": "192.0.2.{number}",
    "ipv6": "2001:db8::{number:x}",
    "regex": "{number}",
    "byte": "dGV4dA==",
}
"""One text a format; `number` counts the variants from 1, `day` does so within a month."""


class _Range:
    """The bounds of a schema as exact fractions, None where it has none."""

    def __init__(self, schema: Schema) -> None:
        self.low, self.low_open = _read_bound(schema, "minimum", "exclusiveMinimum", 1)
        self.high, self.high_open = _read_bound(schema, "maximum", "exclusiveMaximum", -1)

    def holds(self, value: Fraction) -> bool:
        above = self.low is None or value > self.low or (value == self.low and not self.low_open)
        below = self.high is None or value < self.high or (value == self.high and not self.high_open)
        return above and below


def _read_bound(schema: Schema, closed: str, opened: str, sign: int) -> tuple[Fraction | None, bool]:
    """The tighter of the two keywords, and whether it excludes itself. Older drafts wrote the exclusion as true."""
    bound, limit = schema.get(closed), schema.get(opened)
    if isinstance(limit, bool):
        return (None if bound is None else Fraction(str(bound))), limit
    if bound is None or (limit is not None and sign * limit >= sign * bound):
        return (None if limit is None else Fraction(str(limit))), True
    return Fraction(str(bound)), False


def build_number(schema: Schema, variant: int, *, whole: bool) -> int | float:
    """A number within the bounds: the least positive one that suits, where there is one."""
    bounds = _Range(schema)
    step = Fraction(str(schema["multipleOf"])) if "multipleOf" in schema else None
    if whole:
        step = Fraction(1 if step is None else step.numerator)
    candidates = _list_between(bounds, variant) if step is None else _list_multiples(bounds, step, variant)
    for value in candidates:
        if bounds.holds(value):
            return int(value) if whole or abs(value) >= 2**53 else float(value)
    raise Unsatisfiable("no number is within the bounds")


def _list_between(bounds: _Range, variant: int) -> list[Fraction]:
    low, high = bounds.low, bounds.high
    found = [Fraction(1 + variant)]
    if low is not None and high is not None:
        found += [low + (high - low) / (variant + 2), low]
    elif low is not None:
        found.append(low + 1 + variant)
    elif high is not None:
        found.append(high - 1 - variant)
    return found


def _list_multiples(bounds: _Range, step: Fraction, variant: int) -> list[Fraction]:
    least = None
    if bounds.low is not None:
        least = ceil(bounds.low / step)
        least += bounds.low_open and least * step == bounds.low
    found = [1 + variant] if least is None else [max(least, 1) + variant, least + variant]
    if bounds.high is not None:
        most = floor(bounds.high / step)
        most -= bounds.high_open and most * step == bounds.high
        found.append(most - variant)
    return [count * step for count in found]


def build_string(schema: Schema, variant: int) -> str:
    """A text of the pattern, else of the format where its length suits, else plain words of the length."""
    shortest, longest = schema.get("minLength", 0), schema.get("maxLength", MAX_LENGTH)
    if shortest > min(longest, MAX_LENGTH):
        raise Unsatisfiable(f"a text of {shortest} characters is asked for")
    template = FORMATS.get(schema.get("format", ""))
    stated = template.format(number=variant + 1, day=variant % 28 + 1) if template else ""
    if "pattern" not in schema:
        suits = stated and shortest <= len(stated) <= longest
        return stated if suits else _build_plain(shortest, longest, variant)
    if stated and shortest <= len(stated) <= longest and matches(schema["pattern"], stated):
        return stated
    return _build_pattern(schema["pattern"], shortest, longest, variant)


def _build_pattern(pattern: str, shortest: int, longest: int, variant: int) -> str:
    found: list[str] = []
    for extra in range(shortest + variant + 2):
        text = build_match(pattern, extra)
        if len(text) > longest:
            break
        padded = text + "x" * max(extra, shortest - len(text))
        for candidate in (text, padded):
            if shortest <= len(candidate) <= longest and matches(pattern, candidate) and candidate not in found:
                found.append(candidate)
        if len(found) > variant:
            return found[variant]
    if found:
        return found[-1]
    raise Unsatisfiable(f"no text is found for the pattern {pattern!r}")


def _build_plain(shortest: int, longest: int, variant: int) -> str:
    text = "text" if not variant else f"{variant}text"
    text = text[:longest]
    return text + "x" * (shortest - len(text))
