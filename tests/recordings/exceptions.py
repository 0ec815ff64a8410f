"""Exchanges that do not hold in every respect, each with the reason. `docs/recordings.md` is made from this."""

from __future__ import annotations

from typing import Any

EXCEPTIONS: dict[str, dict[str, Any]] = {}
