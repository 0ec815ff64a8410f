"""Where the options of vendors that speak the protocol go: into headers, or into the body."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from betterai.wire.residue import merge_extra

HEADERS = {
    "version": "anthropic-version",
    "betas": "anthropic-beta",
    "workspace_id": "anthropic-workspace-id",
    "user_profile_id": "anthropic-user-profile-id",
}
NESTED = {
    "task_budget": ("output_config", "task_budget"),
    "block_binding": ("thinking", "block_binding"),
}
"""Options that stand inside an object of the body."""


def write_options(chosen: Mapping[str, Any], body: dict[str, Any], headers: dict[str, str]) -> None:
    """Write options that the vendor has."""
    for name, value in chosen.items():
        if name in HEADERS:
            listed = isinstance(value, Sequence) and not isinstance(value, str)
            headers[HEADERS[name]] = ",".join(value) if listed else str(value)
        elif name in NESTED:
            outer, inner = NESTED[name]
            if outer == "thinking" and not body.get("thinking"):
                body["thinking"] = {"type": "adaptive"}
            merge_extra(body.setdefault(outer, {}), {inner: value})
        else:
            merge_extra(body, {name: value})
