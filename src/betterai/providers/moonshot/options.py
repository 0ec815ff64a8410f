"""What only Moonshot understands, for `settings.options["moonshot"]` (https://platform.kimi.ai/docs/api/chat)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypedDict


class MoonshotOptions(TypedDict, total=False):
    """Fields of Moonshot's own, sent under these names."""

    thinking: Mapping[str, Any]
    """What goes beside the type: `keep` "all" keeps the thoughts of earlier turns."""
