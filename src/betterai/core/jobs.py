"""A job at a provider as a value that can be stored: who works on it, for whom, and how far it is."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from betterai.core.data import Data
from betterai.core.exceptions import ValidationError
from betterai.core.model import Category

JobStatus = Literal["running", "done", "failed", "cancelled", "in_doubt"]
"""`in_doubt`: it may or may not have been submitted, and the provider cannot tell. Only you can decide to repeat it."""


class JobHandle(Data, frozen=True, kw_only=True):
    """All that another process needs to go on with a job. It holds no URL and no secret.

    `id` is the call's own, which stays the same; `account` a fingerprint of where and with which key it was submitted;
    `state` what the codec needs, None before anything was sent.
    """

    id: str
    provider: str
    model: str
    category: Category
    protocol: str
    account: str
    state: Mapping[str, Any] | None = None
    version: int = 1

    def to_text(self) -> str:
        """The handle as one word, for a database or a command line."""
        return urlsafe_b64encode(msgspec.json.encode(self)).decode("ascii").rstrip("=")


def read_handle(text: str) -> JobHandle:
    """What `to_text` wrote. Raises `ValidationError`."""
    if not isinstance(text, str):
        raise ValidationError(f"a handle is a text, not {type(text).__name__}", hint="pass what `handle` of it gave")
    try:
        handle = msgspec.json.decode(urlsafe_b64decode(text.encode() + b"=" * (-len(text) % 4)), type=JobHandle)
    except (ValueError, TypeError) as error:
        raise ValidationError(
            f"{text!r:.40} is no handle, nor an id that the store knows", hint="pass what `handle` of it gave"
        ) from error
    if handle.version != 1:
        raise ValidationError(f"the handle is of version {handle.version}, and this BetterAI reads version 1")
    return handle
