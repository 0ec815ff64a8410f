"""What the body of an error says: a text under `error`, in a line of a stream too."""

from __future__ import annotations

from betterai.core.exceptions import ProviderError
from betterai.core.wire import WireResponse
from betterai.wire.error_bodies import read_error
from betterai.wire.errors import make_stated_error, make_unreadable


def make_ollama_error(reply: WireResponse) -> ProviderError:
    """The error that a reply is, or that a line or a reply with status 200 holds."""
    found, status = read_error(reply.content), reply.status
    if status < 300 and not found.message:
        return make_unreadable(reply, "no_choices")
    return make_stated_error(found, reply, status=found.likely_status if status < 300 else status)
