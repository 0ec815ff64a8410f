"""Options that only Anthropic has: `settings.options={"anthropic": {…}}` (anthropic 2.12.0, types; 2026-11-22)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypedDict


class AnthropicOptions(TypedDict, total=False):
    """All of them may be left out. Some need a word in `betas`, as Anthropic's pages say."""

    version: str
    """The `anthropic-version`, where another than ours is wanted."""
    betas: Sequence[str]
    """What goes into `anthropic-beta`."""
    workspace_id: str
    speed: Literal["standard", "fast"]
    container: str | Mapping[str, Any]
    """The container to run code in: the id of an earlier one, or skills for a new one."""
    context_management: Mapping[str, Any]
    """`{"edits": […]}`: what of a long conversation the service may clear or compact."""
    compaction: Mapping[str, Any]
    mcp_servers: Sequence[Mapping[str, Any]]
    inference_geo: str
    diagnostics: Mapping[str, Any]
    user_profile_id: str
    fallbacks: Sequence[Mapping[str, Any]]
    fallback_credit_token: str
    thread: Mapping[str, Any]
    billing_policy: Mapping[str, Any]
    task_budget: Mapping[str, Any]
    """`{"type": "tokens", "total": …}`, into `output_config`."""
    block_binding: Mapping[str, Any]
    """What happens to thoughts whose conversation was changed, into `thinking`."""
