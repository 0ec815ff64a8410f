"""Texts of the command line as values: argparse reports what they raise."""

from __future__ import annotations

from argparse import ArgumentTypeError
from decimal import Decimal, InvalidOperation
from math import inf, isfinite

_SUFFIXES = {"k": 1_000, "m": 1_000_000}


def name_option(name: str, text: str) -> tuple[str, str]:
    return name, text


def split_option(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise ArgumentTypeError(f"{text!r} is not NAME=VALUE")
    return name, value


def read_seconds(text: str) -> float:
    seconds = _read_number(text)
    if not 0 < seconds < inf:
        raise ArgumentTypeError(f"{text!r} is not a number of seconds above 0")
    return seconds


def read_tokens(text: str) -> int:
    """ "200k", "1m" or "128000"."""
    suffix = _SUFFIXES.get(text[-1:].lower())
    number = _read_number(text[:-1] if suffix else text) * (suffix or 1)
    if not 0 < number < inf:
        raise ArgumentTypeError(f"{text!r} is not a number of tokens, such as 128000, 200k or 1m")
    return int(number)


def read_price(text: str) -> Decimal:
    """Exact, as prices are: 0.3 is no more than 0.3."""
    try:
        price = Decimal(text.removeprefix("$"))
    except InvalidOperation:
        price = Decimal(-1)
    if not price.is_finite() or price < 0:
        raise ArgumentTypeError(f"{text!r} is not a price in dollars")
    return price


def _read_number(text: str) -> float:
    """-1 for what is no number."""
    try:
        number = float(text)
    except ValueError:
        return -1.0
    return number if isfinite(number) else -1.0
