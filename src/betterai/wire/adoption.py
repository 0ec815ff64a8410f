"""Fields that the server half does not know: the vendor's codec may, and other protocols do not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, runtime_checkable

import msgspec

from betterai.core.codec import TextCall
from betterai.wire.report import Report


@runtime_checkable
class Adopter(Protocol):
    """A codec with fields of its vendor's own: those of our settings under other names, and options."""

    @property
    def rename(self) -> Mapping[str, str]: ...

    @property
    def vendor_options(self) -> frozenset[str]: ...


def adopt_fields(codec: Adopter, call: TextCall) -> TextCall:
    """The call with such fields out of `extra_body`: as the settings that they spell otherwise, and as options. A codec
    may name objects of the body that hold options too: `option_objects`.
    """
    extra = dict(call.settings.extra_body or {})
    changes = {ours: extra.pop(theirs) for ours, theirs in codec.rename.items() if theirs in extra}
    own = {name: extra.pop(name) for name in sorted(codec.vendor_options & extra.keys())}
    objects: Mapping[str, frozenset[str]] = getattr(codec, "option_objects", {})
    for place, names in objects.items():
        if isinstance(inner := extra.get(place), Mapping) and inner:
            own |= {name: inner[name] for name in sorted(names & inner.keys())}
            extra[place] = {name: value for name, value in inner.items() if name not in names}
            if not extra[place]:
                del extra[place]
    if own:
        options, vendor = call.settings.options or {}, call.model.provider
        changes["options"] = {**options, vendor: {**options.get(vendor, {}), **own}}
    if not changes:
        return call
    settings = call.settings.replace(**changes, extra_body=extra or msgspec.UNSET)
    return msgspec.structs.replace(call, settings=settings)


def leave_extras(call: TextCall) -> TextCall:
    """The call without the fields and headers that only the protocol understands in which it came, for a codec of
    another one. Each is reported; one that changes the meaning raises `UnsupportedParam`.
    """
    report = Report(call.model)
    for name in call.settings.extra_body or {}:
        report.drop(name, "only the protocol of the request has this field")
    for name in call.settings.extra_headers or {}:
        report.drop(f"extra_headers.{name}", "only the protocol of the request has this header")
    settings = call.settings.replace(extra_body=msgspec.UNSET, extra_headers=msgspec.UNSET, extra_query=msgspec.UNSET)
    return msgspec.structs.replace(call, settings=settings, warnings=(*call.warnings, *report.warnings))
