"""Where the options of vendors that speak the protocol go: into headers, or into the body."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from betterai.wire.report import Report
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


def apply_options(
    chosen: Mapping[str, Any],
    known: frozenset[str],
    vendor: str,
    body: dict[str, Any],
    headers: dict[str, str],
    report: Report,
) -> None:
    """Write the options that the vendor has; the others are reported."""
    for name, value in chosen.items():
        if name not in known:
            report.drop(f"options.{vendor}.{name}", "there is no such option; extra_body takes any field")
        elif name in HEADERS:
            listed = isinstance(value, Sequence) and not isinstance(value, str)
            headers[HEADERS[name]] = ",".join(value) if listed else str(value)
        elif name in NESTED:
            outer, inner = NESTED[name]
            if outer == "thinking" and not body.get("thinking"):
                body["thinking"] = {"type": "adaptive"}
            merge_extra(body.setdefault(outer, {}), {inner: value})
        else:
            merge_extra(body, {name: value})
