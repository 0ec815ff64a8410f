"""What ElevenLabs' codecs write alike: settings in the address, and languages."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from betterai.wire.report import Report


def move_to_query(body: dict[str, Any], names: Iterable[str]) -> dict[str, str]:
    """Take what stands in the address, and not in the body, out of it."""
    taken = {name: body.pop(name) for name in names if name in body}
    return {
        name: value if isinstance(value, str) else msgspec.json.encode(value).decode() for name, value in taken.items()
    }


def primary_language(tag: str, report: Report) -> str:
    """The language of a BCP 47 tag: ElevenLabs takes ISO 639 codes."""
    language = tag.partition("-")[0]
    if language != tag:
        report.translate("language", f"sent as {language}: regions are not told apart here")
    return language
