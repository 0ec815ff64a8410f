"""For those who test programs that use BetterAI: scripted answers, recorded calls, and no network by accident.

    with scripted(["Hello!"]) as provider:
        assert greet("scripted/any") == "Hello!"
    with replay("recordings/greeting"):
        assert greet("groq/…") == "Hello!"

pytest loads the plugin, `betterai.testing.plugin`, by itself. `__init__.pyi` says the same to type checkers.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOMES = {
    "betterai.testing.network": "NetworkDenied no_network",
    "betterai.testing.recording": "Recording RecordingError RecordingMissing RecordingUnused record replay",
    "betterai.testing.script": "ReceivedCall ScriptExhausted ScriptedProvider Step scripted",
}
_EXPORTS = {name: home for home, names in _HOMES.items() for name in names.split()}

__all__ = [*_EXPORTS]


def __getattr__(name: str) -> Any:
    if name not in _EXPORTS:
        raise AttributeError(f"module 'betterai.testing' has no attribute {name!r}")
    value = getattr(import_module(_EXPORTS[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
