"""What `Redacted` finds in texts: e-mail addresses, phone numbers, cards, IBANs, IP addresses, keys.

All expressions take time linear in the text: what repeats is bounded, and begins where nothing like it stands before.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from ipaddress import ip_address

from betterai.core.data import Data


class Pattern(Data, frozen=True, kw_only=True):
    """What to look for. `check` gives the part of a match that is meant, from where to where, or None.

    Two expressions save time: where `needs` is not found nothing is, and one begins only where `starts` does.
    """

    expression: re.Pattern[str]
    check: Callable[[str], tuple[int, int] | None] | None = None
    needs: re.Pattern[str] | None = None
    starts: re.Pattern[str] | None = None

    def find(self, text: str) -> Iterator[tuple[int, int]]:
        """From where to where it stands in a text, in order."""
        if self.needs is not None and self.needs.search(text) is None:
            return
        place = 0
        while place <= len(text) and (match := self._search(text, place)) is not None:
            start, end = match.span()
            if self.check is not None:
                span = self.check(match[0])
                if span is None:
                    place = start + 1
                    continue
                start, end = start + span[0], start + span[1]
            if end > start:
                yield start, end
            place = max(end, match.start() + 1)

    def _search(self, text: str, place: int) -> re.Match[str] | None:
        if self.starts is None:
            return self.expression.search(text, place)
        while (begun := self.starts.search(text, place)) is not None:
            if (match := self.expression.match(text, begun.start())) is not None:
                return match
            place = begun.end()
        return None


_DOUBLED = {str(digit): sum(divmod(2 * digit, 10)) for digit in range(10)}


def has_luhn_digit(number: str) -> bool:
    """Whether the last digit is the check digit of ISO/IEC 7812-1."""
    return (sum(map(int, number[-1::-2])) + sum(map(_DOUBLED.__getitem__, number[-2::-2]))) % 10 == 0


def _check_card(found: str) -> tuple[int, int] | None:
    """The first groups of digits that are one: another number may stand behind it."""
    ends = [match.end() for match in re.finditer("[0-9]+", found)]
    for end in reversed(ends):
        number = found[:end].replace(" ", "").replace("-", "")
        if 13 <= len(number) <= 19 and has_luhn_digit(number):
            return 0, end
    return None


def _check_iban(found: str) -> tuple[int, int] | None:
    """As long as the country has it, if the check digits are right (ISO 13616: modulo 97)."""
    wanted = IBAN_LENGTHS.get(found[:2].upper(), 0)
    number, end = "", 0
    while end < len(found) and len(number) < wanted:
        number += found[end].upper() if found[end] != " " else ""
        end += 1
    if not wanted or len(number) < wanted or found[end : end + 1].isalnum():
        return None
    moved = number[4:] + number[:4]
    return (0, end) if int("".join(str(int(letter, 36)) for letter in moved)) % 97 == 1 else None


def _check_ip(found: str) -> tuple[int, int] | None:
    address = found if found.endswith("::") else found.rstrip(".:")
    if ":" in address and (address.count(":") < 2 or not re.search("[0-9]", address) or len(address) < 5):
        return None
    try:
        ip_address(address)
    except ValueError:
        return None
    return 0, len(address)


def _check_phone(found: str) -> tuple[int, int] | None:
    return (0, len(found)) if 7 <= sum(letter.isdigit() for letter in found) <= 15 else None


IBAN_LENGTHS: Mapping[str, int] = {
    country: int(length)
    for length, countries in {
        "15": "NO", "16": "BE", "18": "DK FI FK FO GL NL SD", "19": "MK SI", "20": "AT BA EE KZ LT LU MN XK",
        "21": "CH HR LI LV", "22": "BG BH CR DE GB GE IE ME RS VA", "23": "AE GI IL IQ OM SO TL",
        "24": "AD CZ ES MD PK RO SA SE SK TN VG", "25": "LY PT ST", "26": "IS TR", "27": "BI DJ FR GR IT MC MR SM",
        "28": "AL AZ BY CY DO GT HN HU LB NI PL SV", "29": "BR EG PS QA UA", "30": "JO KW MU YE", "31": "MT SC",
        "32": "LC", "33": "RU",
    }.items()
    for country in countries.split()
}  # fmt: skip
"""https://www.swift.com/standards/data-standards/iban-international-bank-account-number, 2026-11-28"""

_DIGIT = re.compile("[0-9]")
PATTERNS: Mapping[str, Pattern] = {
    "key": Pattern(
        needs=re.compile(r"\S{16}"),
        starts=re.compile(r"[A-Za-z0-9][\w-]{15,}|-----BEGIN"),
        expression=re.compile(
            r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----(?:[^-]|-(?!----)){1,8000}"
            r"(?:-----END [A-Z ]{0,30}PRIVATE KEY-----)?"
            r"|eyJ[\w-]{10,2000}\.[\w-]{10,4000}\.[\w-]{10,2000}"  # a JSON Web Token
            r"|(?:AKIA|ASIA)[0-9A-Z]{16}\b"
            r"|AIza[\w-]{35}"
            r"|xox[abeoprs]-[A-Za-z0-9-]{10,200}"
            r"|(?:sk|pk|rk)[-_][\w-]{16,200}"
            r"|github_pat_\w{22,200}"
            r"|[A-Za-z]{2,6}[-_](?=[A-Za-z-]{0,60}[0-9])(?=[^A-Z]{0,60}[A-Z])(?=[^a-z]{0,60}[a-z])\w{28,200}"
        ),
    ),
    "email": Pattern(
        needs=re.compile("@"),
        expression=re.compile(
            r"(?<![\w.!#$%&'*+/=?^`{|}~-])[\w.!#$%&'*+/=?^`{|}~-]{1,64}@(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.){1,8}[^\W\d_]{2,63}\b"
        ),
    ),
    "iban": Pattern(
        needs=_DIGIT,
        expression=re.compile(r"(?i)\b[A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]){11,30}"),
        check=_check_iban,
    ),
    "card": Pattern(
        expression=re.compile(r"[0-9](?<![\w.][0-9])[0-9]{2,18}(?:[ -][0-9]{3,9}){0,5}(?!\w)"), check=_check_card
    ),
    "ip": Pattern(
        needs=_DIGIT,
        expression=re.compile(
            r"[0-9A-Fa-f:](?<![\w.:].)"
            r"(?:(?<=[0-9])[0-9]{0,2}(?:\.[0-9]{1,3}){3}(?!\w|\.[0-9])|(?:(?<=:)|[0-9A-Fa-f]{0,3}:)[0-9A-Fa-f:.]{2,44}(?!\w))"
        ),
        check=_check_ip,
    ),
    "phone": Pattern(
        expression=re.compile(
            r"[+(0-9](?:(?:(?<=\+)(?<![\w+].)|(?<=0)(?<![\w+].)0)"
            r"[1-9][0-9]{0,2}(?:[ ./-]{0,2}(?:\([0-9]{1,5}\)|[0-9]{1,12})){1,6}(?!\w)"
            r"|(?<=\()(?<![\w.-].)[0-9]{2,5}\)[ ./-]?[0-9]{2,8}(?:[ ./-][0-9]{2,8}){0,3}(?!\w)"
            r"|(?<=[0-9])(?<![\w.-].)(?:(?<=1)[ .-][0-9])?[0-9]{2}([ .-])[0-9]{3}\1[0-9]{4}(?![\w-])"
            r"|(?<=0)(?<![\w.-].)[1-9][0-9]{1,4}[ /-]{1,2}[0-9]{2,9}(?:[ /-][0-9]{2,9}){0,4}(?![\w-]))"
        ),
        check=_check_phone,
    ),
}
"""By name, in the order in which they are tried: what one has taken, the next ones do not see."""
