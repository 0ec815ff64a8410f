"""What a docstring says of a function and of each of its parameters: Google's style and Sphinx's."""

from __future__ import annotations

import re
from inspect import cleandoc
from typing import NamedTuple

_SECTION = re.compile(r"(args|arguments|parameters|returns?|raises|yields?):\s*$", re.IGNORECASE)
_PARAMETERS = ("args", "arguments", "parameters")
_ITEM = re.compile(r"\*{0,2}(\w+)\s*(?:\([^)]*\))?\s*:\s*(.*)")
_FIELD = re.compile(r":(\w+)(?:\s+([^:]*))?:\s*(.*)")
_SPHINX = ("param", "parameter", "arg", "argument", "type", "returns", "return", "rtype", "raises", "raise")


class Description(NamedTuple):
    """`text` is all that is not about parameters, results and errors."""

    text: str
    parameters: dict[str, str]


def read_docstring(doc: str) -> Description:
    """The description, and those of the parameters. A style that is not known stays in the text, whole."""
    text: list[str] = []
    found: dict[str, list[str]] = {}
    section, inner, current = "", 0, text
    for line in cleandoc(doc).splitlines():
        indent = len(line) - len(line.lstrip())
        if (field := _FIELD.match(line)) and field[1] in _SPHINX:
            name = (field[2] or "").split()
            current = found.setdefault(name[-1], [field[3]]) if field[1] in _SPHINX[:4] and name else []
            section = "field"
        elif not indent and (head := _SECTION.match(line)):
            section, inner, current = head[1].lower(), 0, []
        elif line.strip() and not indent:
            section, current = "", text
            text.append(line)
        elif (
            section in _PARAMETERS
            and line.strip()
            and indent <= (inner or indent)
            and (item := _ITEM.match(line.strip()))
        ):
            inner, current = indent, found.setdefault(item[1], [item[2]])
        else:
            current.append(line if current is text else line.strip())
    return Description("\n".join(text).strip(), {name: " ".join(filter(None, said)) for name, said in found.items()})
