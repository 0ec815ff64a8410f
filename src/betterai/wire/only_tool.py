"""The choice of one tool, for servers that can be told to call some tool, and not which."""

from __future__ import annotations

from collections.abc import Iterable

from betterai.core.tools import AnyTool, Tool
from betterai.wire.report import Report


def require_only_tool(name: object, tools: Iterable[AnyTool] | None, report: Report) -> None:
    """Reports that a call was required instead. Raises `UnsupportedParam` where another tool could then be called."""
    if [tool.name for tool in tools or () if isinstance(tool, Tool)] != [name]:
        report.drop("tool_choice", "no tool can be named here", hint="pass that tool alone")
    report.translate("tool_choice", "the one tool that there is was required")
