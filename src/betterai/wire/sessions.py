"""How sessions over WebSockets end badly (RFC 6455, 7.4): what a close code and its reason mean. Pure."""

from __future__ import annotations

from betterai.core.exceptions import ProviderError, StreamInterrupted
from betterai.wire.errors import make_error

LEFT = (1000, 1005)
"""Close codes of a session that came to its end."""
POLICY = 1008
"""What vendors close with when they do not take what was sent: keys, quotas, settings, sound."""


def make_closed(code: int | None, reason: str) -> ProviderError:
    """The error for a session that the other side closed before its end."""
    if code == POLICY and reason:
        return make_session_error("", reason, status=400)
    said = f"code {code}: {reason}" if reason else f"code {code}"
    return StreamInterrupted(
        f"the session was closed by the other side ({said})", hint="connect again", provider_message=reason
    )


def make_session_error(
    word: str, message: str, *, status: int, about: str = "", body: bytes = b"", kind: type[ProviderError] | None = None
) -> ProviderError:
    """The error that a frame states. `status` is the one that HTTP has for the like: no reply had it."""
    error = make_error(status, {}, code=word, message=message or word, about=about, body=body, kind=kind)
    error.status = None
    return error
