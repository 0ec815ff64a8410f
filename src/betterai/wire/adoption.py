"""What a vendor's own clients write: fields that the server half does not know, and the vendor's codec does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from betterai.core.codec import TextCall, TextExchange


def adopt_fields(codec: TextExchange, call: TextCall) -> TextCall:
    """The call with such fields out of `extra_body`: as the settings that they spell otherwise, and as options. A
    codec says them in its `rename` and `vendor_options`, where it has any.
    """
    rename: Mapping[str, str] = getattr(codec, "rename", {})
    known: frozenset[str] = getattr(codec, "vendor_options", frozenset())
    extra = dict(call.settings.extra_body or {})
    changes: dict[str, Any] = {ours: extra.pop(theirs) for ours, theirs in rename.items() if theirs in extra}
    own = {name: extra.pop(name) for name in sorted(known & extra.keys())}
    if own:
        options, vendor = call.settings.options or {}, call.model.provider
        changes["options"] = {**options, vendor: {**options.get(vendor, {}), **own}}
    if not changes:
        return call
    settings = call.settings.replace(**changes, extra_body=extra or msgspec.UNSET)
    return msgspec.structs.replace(call, settings=settings)
