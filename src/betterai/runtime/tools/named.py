"""The tools of a call by their names: each once, and the one that is to be called among them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from betterai.config.file import near
from betterai.core.exceptions import ValidationError
from betterai.core.tools import AnyTool, ServerTool, ToolChoice

_MODES = ("auto", "none", "required", "")


def check_tools(tools: Sequence[AnyTool] | None, choice: Any) -> None:
    """Raises `ValidationError` for two tools of one name, and for a choice of one that is not there."""
    if not tools:
        return
    names: dict[str, None] = {}
    for tool in tools:
        if not isinstance(tool, ServerTool):
            if tool.name in names:
                raise ValidationError(f"tools: two of them are called {tool.name!r}", hint="give one another name")
            names[tool.name] = None
    if choice is None or len(names) < len(tools):
        return  # the provider's own tools have names that only it knows
    for name in choice.names if isinstance(choice, ToolChoice) else (choice,):
        if name not in names and name not in _MODES:
            hint = f"did you mean {like}?" if (like := near(name, names)) else f"there are {', '.join(names)}"
            raise ValidationError(f"tool_choice: there is no tool {name!r:.80}", hint=hint)
