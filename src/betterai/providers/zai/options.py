"""What only Z.AI understands, for `settings.options["zai"]` (https://docs.z.ai/api-reference/llm/chat-completion)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypedDict


class ZAIOptions(TypedDict, total=False):
    """Fields of Z.AI's own, sent under these names."""

    do_sample: bool
    request_id: str
    thinking: Mapping[str, Any]
    """What goes beside the type: `clear_thinking` False keeps the thoughts of earlier turns."""
    tool_stream: bool
    """Stream the arguments of tool calls piece by piece."""
