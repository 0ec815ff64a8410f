"""Objects that go on as they were written, byte for byte: the arguments of tools in a request that is decoded else."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Raw, Struct

from betterai.core.wire import WireRequest
from betterai.wire.error_bodies import UNREADABLE
from betterai.wire.objects import Fields

NOTHING = Raw(b"")


def restore_raw(body: Fields, request: WireRequest, decoder: msgspec.json.Decoder[Any]) -> None:
    """Put into the decoded `body` what the decoder's shape reads as `Raw`. A body of another shape stays as it is: its
    reader names the place. So does one that came decoded.
    """
    if isinstance(request.body, bytes):
        try:
            shape = decoder.decode(request.body)
        except UNREADABLE:
            return
        _restore(body, shape)


def _restore(value: Any, shape: Any) -> None:
    if isinstance(shape, list) and isinstance(value, list):
        for item, inner in zip(value, shape, strict=True):
            _restore(item, inner)
    elif isinstance(shape, Struct) and isinstance(value, dict):
        for attribute, name in zip(shape.__struct_fields__, shape.__struct_encode_fields__, strict=True):
            inner = getattr(shape, attribute)
            if not isinstance(inner, Raw):
                _restore(value.get(name), inner)
            elif inner is not NOTHING:
                value[name] = inner
