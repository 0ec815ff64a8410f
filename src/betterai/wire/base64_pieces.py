"""Base64 text that comes in pieces."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Sequence

from betterai.core.exceptions import ProviderError


def join_base64(pieces: Sequence[str]) -> str:
    """Base64 pieces that were encoded one by one, as one text; a single one stays as it is."""
    if all(len(piece) % 4 == 0 and not piece.endswith("=") for piece in pieces[:-1]):
        return "".join(pieces)
    try:
        return b64encode(b"".join(b64decode(piece) for piece in pieces)).decode("ascii")
    except ValueError as error:
        raise ProviderError(f"the stream holds media that is no base64: {error}", code="unreadable_event") from error
