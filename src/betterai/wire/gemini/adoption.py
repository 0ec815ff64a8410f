"""What a vendor's own clients write: fields that the server half does not know, and the vendor's codec does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from betterai.core.codec import TextCall


def adopt_options(call: TextCall, body_options: frozenset[str], config_options: frozenset[str]) -> TextCall:
    """The call with such fields out of `extra_body`, as options of the vendor."""
    extra: dict[str, Any] = dict(call.settings.extra_body or {})
    own = {name: extra.pop(name) for name in sorted(body_options & extra.keys())}
    config = extra.get("generationConfig")
    if isinstance(config, Mapping):
        own |= {name: config[name] for name in sorted(config_options & config.keys())}
        rest = {name: value for name, value in config.items() if name not in config_options}
        extra["generationConfig"] = rest
        if not rest:
            del extra["generationConfig"]
    if not own:
        return call
    options, vendor = call.settings.options or {}, call.model.provider
    changed = {**options, vendor: {**options.get(vendor, {}), **own}}
    settings = call.settings.replace(options=changed, extra_body=extra or msgspec.UNSET)
    return msgspec.structs.replace(call, settings=settings)
