"""The same exchange in other words: what a reply may have besides, and the forms that servers and proxies give a stream."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

GIVEN = frozenset(
    {"arguments", "args", "input", "operation", "partial_json", "input_schema", "schema", "json", "error", "embeddings"}
)
"""What belongs to the caller or to the tool, names that a shape takes as they are, and errors, which are told whole."""
MAPS = frozenset({"categories", "category_scores", "category_applied_input_types", "vectors"})


def add_fields(value: Any) -> Any:
    """Unknown fields of every kind in every object."""
    if isinstance(value, list):
        return [add_fields(item) for item in value]
    if not isinstance(value, dict):
        return value
    kept = GIVEN | MAPS
    fields = {name: item if name in kept else add_fields(item) for name, item in value.items()}
    if len(value) == 1 and not next(iter(value)).islower():  # a member of a union: it has no other
        return fields
    return {"a_new_field": {"x": [1, None]}, **fields, "z_null": None, "z_list": [{"type": "z"}], "z_text": "z"}


def reverse(value: Any) -> Any:
    """Every field, and no other, in the opposite order."""
    if isinstance(value, list):
        return [reverse(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {name: item if name in GIVEN else reverse(item) for name, item in reversed(value.items())}


def widen(value: Any) -> Any:
    """Counts as fractions, as some servers write them."""
    if isinstance(value, dict):
        return {name: item if name in GIVEN | {"code"} else widen(item) for name, item in value.items()}
    if isinstance(value, list):
        return [widen(item) for item in value]
    return float(value) if type(value) is int and abs(value) < 2**53 else value


def reframe(text: str) -> str:
    """The same stream with another kind of line end, comments, fields that nobody reads, and no end of line."""
    lines = [re.sub(r"^(data|event): ", r"\1:", line) for line in text.replace("\r\n", "\n").rstrip().split("\n")]
    spread = [f"id: 1\nretry: 100\n{line}" if line.startswith("data:") else line or "\n: ping\n" for line in lines]
    return "\ufeff: hello\r\n\r\n" + "\n".join(spread).replace("\n", "\r\n")


def spread_lines(text: str) -> str:
    """JSON over several lines of one event."""
    return _over_events(text, lambda value: json.dumps(value, indent=1))


def _over_events(text: str, write: Callable[[Any], str]) -> str:
    lines = []
    for line in text.replace("\r\n", "\n").split("\n"):
        try:
            value = json.loads(line.removeprefix("data:")) if line.startswith(("data:", "{")) else None
        except ValueError:
            value = None
        if not isinstance(value, dict):
            lines.append(line)
        elif line.startswith("{"):
            lines.append(json.dumps(json.loads(write(value))))
        else:
            lines.extend(f"data: {part}" for part in write(value).split("\n"))
    return "\n".join(lines)


def _over_reply(change: Callable[[Any], Any]) -> Callable[[Mapping[str, Any]], Mapping[str, Any] | None]:
    def vary(response: Mapping[str, Any]) -> Mapping[str, Any] | None:
        if isinstance(response.get("body"), dict | list):
            return {**response, "body": change(response["body"])}
        if isinstance(text := response.get("body_text"), str):
            return {**response, "body_text": _over_events(text, lambda value: json.dumps(change(value)))}
        return None

    return vary


def _over_text(change: Callable[[str], str]) -> Callable[[Mapping[str, Any]], Mapping[str, Any] | None]:
    def vary(response: Mapping[str, Any]) -> Mapping[str, Any] | None:
        text = response.get("body_text")
        framed = isinstance(text, str) and text.lstrip().startswith(("data:", "event:", ":"))
        return {**response, "body_text": change(text)} if framed and isinstance(text, str) else None

    return vary


VARIATIONS: Mapping[str, Callable[[Mapping[str, Any]], Mapping[str, Any] | None]] = {
    "unknown fields": _over_reply(add_fields),
    "another order": _over_reply(reverse),
    "fractions": _over_reply(widen),
    "other lines": _over_text(reframe),
    "several lines": _over_text(spread_lines),
}
"""What is done to a response; None where it cannot be done to this one."""
