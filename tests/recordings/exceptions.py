"""Exchanges that do not hold in every respect, each with the reason. `docs/recordings.md` is made from this."""

from __future__ import annotations

from typing import Any

EXCEPTIONS: dict[str, dict[str, Any]] = {
    "ollama/chat/activeagent--native-format-test-test-agent-web-search--00": {
        "refused": "web_search",
        "reason": "Ollama passed over `web_search_options` and answered without a search; we refuse to ask for one",
    },
}
"""`refused`: the setting for which we refuse what the provider answered."""
