"""The schema of an answer as the protocol takes it (https://platform.claude.com/docs/en/build-with-claude/structured-outputs)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from betterai.core.tools import JsonSchema
from betterai.wire.json_schema import close_schema
from betterai.wire.report import Report


def build_schema(value: JsonSchema, report: Report) -> Mapping[str, Any]:
    """The schema in the dialect that is enforced. Raises `UnsupportedParam` for one that it cannot say."""
    written = dict(value.schema or {})
    if not value.derived:
        if value.name != "output":
            report.drop("response_format.name", "schemas have no name here")
        if value.strict is False:
            report.translate("response_format.strict", "a schema is always enforced here")
    if value.description is not None:
        written.setdefault("description", value.description)
        if written["description"] != value.description:
            report.drop("response_format.description", "the schema has one of its own")
    closed = close_schema(written)
    if closed.problem:
        report.drop("response_format", closed.problem, hint="say it in the prompt, or ask through a tool")
    if closed.changes and not value.derived:
        report.translate("response_format", "; ".join(closed.changes))
    return closed.schema
