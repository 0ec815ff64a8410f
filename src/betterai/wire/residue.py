"""What our types do not name: kept beside them by server halves, written back by codecs of the same protocol."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Raw

from betterai.core.exceptions import BadRequestError
from betterai.core.message import Opaque
from betterai.core.model import ModelConfig
from betterai.wire.report import Report


def refuse(where: str, what: str, code: str = "invalid_type") -> BadRequestError:
    """The error for a place of the request that is not as the protocol has it."""
    return BadRequestError(f"{where} {what}", code=code, status=400)


def keep_extra(protocol: str, fields: Mapping[str, Any]) -> Opaque | None:
    """What is left of an object, to be written back by the same protocol; None where nothing is."""
    return Opaque(protocol=protocol, data=Raw(msgspec.json.encode(fields))) if fields else None


def is_own(opaque: Opaque | None, protocol: str, model: ModelConfig) -> bool:
    """Whether a codec of `protocol`, asking for `model`, may write this back."""
    return opaque is not None and opaque.protocol == protocol and opaque.provider in ("", model.provider)


def write_back(
    body: dict[str, Any],
    opaque: Opaque | None,
    protocol: str,
    model: ModelConfig,
    report: Report,
    *,
    field: str = "messages.opaque",
) -> None:
    """Merge what was kept into `body`; another's own is left out, and said."""
    if opaque is None:
        return
    if is_own(opaque, protocol, model):
        merge_extra(body, opaque.value)
    else:
        report.drop(field, f"data that only {opaque.provider or opaque.protocol} understands")


def merge_extra(body: dict[str, Any], extra: dict[str, Any]) -> None:
    """Merge deeply: objects into objects, everything else on top."""
    for key, value in extra.items():
        if isinstance(value, dict) and isinstance(body.get(key), dict):
            merge_extra(body[key], value)
        else:
            body[key] = value
