"""A JSON Schema that came as a text, and goes back as that text."""

from __future__ import annotations

from typing import Any


class WrittenSchema(dict[str, Any]):
    """The schema, and the text it was written as."""

    def __init__(self, schema: dict[str, Any], text: str) -> None:
        super().__init__(schema)
        self.text = text
