"""Signatures of webhooks: HMAC-SHA256 over the body, as Standard Webhooks have it, or in a header of a vendor's own."""

from __future__ import annotations

import hmac
from abc import ABC, abstractmethod
from base64 import b64decode, b64encode
from collections.abc import Mapping
from typing import Any, ClassVar

import msgspec

from betterai.core.exceptions import ConfigurationError, ProviderError, WebhookSignatureError
from betterai.core.webhooks import WebhookEvent
from betterai.wire.error_bodies import UNREADABLE

_decode = msgspec.json.Decoder(dict[str, Any]).decode
SECRET_PREFIX = "whsec_"
VERSION = b"v1,"


class SignedWebhooks(ABC):
    """What the webhooks of all vendors do alike: look at the signature, then at the time, then at the body."""

    def parse_webhook(
        self, headers: Mapping[str, str], body: bytes, *, secret: str, now: float, tolerance: float
    ) -> WebhookEvent:
        """The event of a request: see `core.webhooks.Webhooks`."""
        if not secret:
            raise ConfigurationError("there is no secret to check the webhook with", hint="pass secret=")
        self.check_signature(headers, body, secret)
        try:
            data = _decode(body)
            sent = self.read_time(headers, data)
            if sent is not None:
                check_time(sent, now, tolerance)
            event = self.read_event(data)
        except UNREADABLE as error:
            raise ProviderError(
                f"the webhook was signed, and is no event that can be read: {error}",
                code="unreadable_webhook",
                body=body[:65536],
            ) from error
        return msgspec.structs.replace(event, id=self.read_id(headers) or event.id, sent=sent, data=data)

    @abstractmethod
    def check_signature(self, headers: Mapping[str, str], body: bytes, secret: str) -> None:
        """Raises `WebhookSignatureError` where none of the signatures is that of the body."""

    @abstractmethod
    def read_time(self, headers: Mapping[str, str], data: Mapping[str, Any]) -> float | None:
        """When it was sent, in Unix seconds, from what is signed; None where the vendor does not say."""

    @abstractmethod
    def read_event(self, data: Mapping[str, Any]) -> WebhookEvent:
        """What the body says. What decoding raises is left to the caller."""

    def read_id(self, headers: Mapping[str, str]) -> str:
        """The number of the event, the same in each delivery of it."""
        return ""


class StandardWebhooks(SignedWebhooks):
    """https://www.standardwebhooks.com: `v1,` and base64 of the HMAC over id, time and body, with dots between.

    There may be several signatures, one a secret, while secrets are being changed.
    """

    prefix: ClassVar[str] = "webhook-"

    def check_signature(self, headers: Mapping[str, str], body: bytes, secret: str) -> None:
        id, time, signatures = (_need(headers, self.prefix + name) for name in ("id", "timestamp", "signature"))
        signed = b".".join((_as_bytes(id), _as_bytes(time), body))
        right = b64encode(hmac.digest(_read_key(secret), signed, "sha256"))
        given = (item.removeprefix(VERSION) for item in _as_bytes(signatures).split() if item.startswith(VERSION))
        if not any(hmac.compare_digest(right, item) for item in given):
            raise _wrong()

    def read_time(self, headers: Mapping[str, str], data: Mapping[str, Any]) -> float | None:
        time = headers[self.prefix + "timestamp"]
        if not (time.isascii() and time.isdecimal() and len(time) <= 15):
            raise WebhookSignatureError(f"the webhook's time is no number of seconds: {time[:40]!r}")
        return float(time)

    def read_id(self, headers: Mapping[str, str]) -> str:
        return headers[self.prefix + "id"]


class HexWebhooks(SignedWebhooks):
    """The HMAC over the body alone, in hexadecimal, in a header of its own."""

    header: ClassVar[str]
    lead: ClassVar[str] = "sha256="

    def check_signature(self, headers: Mapping[str, str], body: bytes, secret: str) -> None:
        right = self.lead + hmac.digest(secret.encode(), body, "sha256").hex()
        if not hmac.compare_digest(right.encode(), _as_bytes(_need(headers, self.header))):
            raise _wrong()


def check_time(sent: float, now: float, tolerance: float) -> None:
    """Raises `WebhookSignatureError` for what is older, or further ahead, than `tolerance` seconds."""
    if abs(now - sent) <= tolerance:
        return
    when = "old" if sent < now else "far in the future"
    raise WebhookSignatureError(
        f"the webhook is {abs(now - sent):.0f} s {when}: only {tolerance:g} s are allowed",
        hint="it may be an older one that somebody sends again; or a clock is wrong",
    )


def _need(headers: Mapping[str, str], name: str) -> str:
    if value := headers.get(name):
        return value
    raise WebhookSignatureError(f"the webhook has no header {name}", hint="pass the headers as they came")


def _as_bytes(header: str) -> bytes:
    """Whatever a server makes of a header that is no text."""
    return header.encode("utf-8", "surrogatepass")


def _read_key(secret: str) -> bytes:
    """The bytes of a secret: those with the prefix are base64."""
    if not secret.startswith(SECRET_PREFIX):
        return secret.encode()
    try:
        return b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except ValueError:
        raise ConfigurationError(f"the secret begins with {SECRET_PREFIX}, and is no base64 after it") from None


def _wrong() -> WebhookSignatureError:
    return WebhookSignatureError(
        "the webhook's signature is not that of its body",
        hint="pass the body's bytes as they came, and the secret of this endpoint",
    )
