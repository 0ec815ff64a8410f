"""One call of a tool, answered by a function of the caller's."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Mapping
from time import monotonic
from typing import Any

from betterai.core.exceptions import ValidationError
from betterai.core.message import ToolCall, ToolResult
from betterai.core.runs import ToolOutcome
from betterai.runtime.tools.functions import ToolFunction, build_result


async def answer_call(
    functions: Mapping[str, ToolFunction[..., Any]], call: ToolCall, *, allowed: bool = True
) -> ToolOutcome:
    """Run what is called. What it raises is the model's to know, and in the outcome."""
    began = monotonic()
    failure: Exception | None = None
    try:
        if not allowed:
            raise PermissionError("this call was not allowed")
        function = functions.get(call.name)
        if function is None:
            known = ", ".join(functions) or "none at all"
            raise ValidationError(f"there is no tool {call.name!r}", hint=f"there are {known}")
        arguments = function.decode_arguments(call.arguments)
        parts = build_result(await call_function(function.function, **arguments))
    except asyncio.CancelledError as error:
        if (task := asyncio.current_task()) is None or task.cancelling():
            raise
        failure = RuntimeError(f"it was cancelled {error}".strip())
    except Exception as error:
        failure = error
    if failure is not None:
        parts = build_result(f"{type(failure).__name__}: {failure}")
    result = ToolResult(id=call.id, name=call.name, parts=parts, is_error=failure is not None)
    return ToolOutcome(call=call, result=result, error=failure, seconds=monotonic() - began)


async def call_function(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Call a function of the caller's, in a thread unless it is async."""
    if inspect.iscoroutinefunction(function):
        return await function(*args, **kwargs)
    result, error = await asyncio.to_thread(_catch, function, args, kwargs)
    if error is not None:
        raise error
    return await result if inspect.isawaitable(result) else result


def _catch(function: Callable[..., Any], args: Any, kwargs: Any) -> tuple[Any, Exception | None]:
    """Errors as values: a future that a StopIteration is set on never ends (https://bugs.python.org/issue112182)."""
    try:
        return function(*args, **kwargs), None
    except Exception as error:
        return None, error
