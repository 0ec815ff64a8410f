"""What the codecs of categories other than text do alike: a body made of the settings, and one reply."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Generic, Literal, TypeVar

import msgspec

from betterai.core.codec import StreamState
from betterai.core.exceptions import ProviderError, UnsupportedParam
from betterai.core.media import Media
from betterai.core.settings import CallSettings
from betterai.core.wire import Call, Field, Framing, Multipart, WireRequest, WireResponse
from betterai.wire.calls import BESIDE
from betterai.wire.error_bodies import UNREADABLE, read_error
from betterai.wire.errors import make_stated_error, make_unreadable
from betterai.wire.report import Report
from betterai.wire.residue import merge_extra

C = TypeVar("C", bound=Call[Any, Any])
R = TypeVar("R")
E = TypeVar("E")


class SettingsBody(ABC, Generic[C]):
    """A codec whose body is the input and the settings, each in a field of its own.

    `fields` names the field of each setting; what is more than a name is a method `write_SETTING(body, value, call,
    report)`; what the vendor does not take at all may say why in `unsupported`. Everything else is reported.
    """

    protocol: ClassVar[str]
    path: ClassVar[str]
    accepts: ClassVar[Mapping[str, frozenset[str]]] = {}
    fields: ClassVar[Mapping[str, str]] = {}
    unsupported: ClassVar[Mapping[str, str]] = {}
    most: ClassVar[Mapping[str, int]] = {}
    """How much one request takes: of a number at most that, of a list or a text (of the input: "prompt") so long."""
    list_mark: ClassVar[str] = "[]"
    """What follows a name in a form whose field is one of a list."""
    vendor_options: ClassVar[frozenset[str]] = frozenset()
    """Names of `settings.options[vendor]` that go into the body as they are."""

    def answers(self, path: str) -> bool:
        return path.endswith(self.path)

    def address(self, call: C) -> str:
        """Where the call is asked, under the provider's base URL."""
        return self.path

    @abstractmethod
    def begin_body(self, call: C, report: Report) -> dict[str, Any]:
        """The body with the model and the input, before the settings. Raises `UnsupportedParam`."""

    def finish_body(self, body: dict[str, Any], call: C, report: Report) -> Any:
        """The body as it is sent, once the settings are in it."""
        return body

    def write_settings(self, body: dict[str, Any], call: C, report: Report) -> None:
        if self.most:
            self._check_most(call)
        for name, value in call.settings.given().items():
            if name in BESIDE:
                continue
            if name in self.unsupported:
                report.drop(name, self.unsupported[name], harmless=value is None)
            elif name in self.fields:
                body[self.fields[name]] = value
            elif (write := getattr(self, f"write_{name}", None)) is not None:
                write(body, value, call, report)
            else:
                report.drop(name, "this provider has no such setting", harmless=value is None)
        merge_extra(body, self._own_options(call, report))

    def _check_most(self, call: C) -> None:
        """Raises `UnsupportedParam` for more than the vendor takes: it would be refused there, after it was sent."""
        given = {**call.settings.given(), "prompt": call.input}
        for name, most in self.most.items():
            value = given.get(name)
            amount = value if isinstance(value, int) else len(value or ())
            if amount > most:
                raise UnsupportedParam(f"{name}: at most {most} in one request here, not {amount}", param=name)

    def _own_options(self, call: C, report: Report) -> dict[str, Any]:
        vendor = call.model.provider
        given = (call.settings.options or {}).get(vendor) or {}
        for name in given:
            if name not in self.vendor_options:
                report.drop(f"options.{vendor}.{name}", "there is no such option; extra_body takes any field")
        return {name: value for name, value in given.items() if name in self.vendor_options}

    def build_form(self, body: Mapping[str, Any]) -> Multipart:
        """A body as a form: media and texts as they are, lists as several fields, everything else as JSON."""
        fields: list[Field] = []
        for name, value in body.items():
            if isinstance(value, list | tuple):
                fields.extend(Field(name=f"{name}{self.list_mark}", value=_as_field(item)) for item in value)
            elif value is not None:
                fields.append(Field(name=name, value=_as_field(value)))
        return Multipart(fields=tuple(fields))

    def parse_error(self, reply: WireResponse) -> ProviderError:
        return make_stated_error(read_error(reply.content), reply)


class OneExchange(SettingsBody[C], Generic[C, R, E]):
    """One request made of the settings, one reply."""

    streams: ClassVar[bool] = False
    reply: ClassVar[Literal["json", "text", "bytes", "file"]] = "json"
    framing: ClassVar[Framing | Literal["bytes"]] = "sse"

    def build_request(self, call: C) -> WireRequest:
        """The call as a request. Raises `UnsupportedParam` for what cannot be carried and changes the meaning."""
        report = Report(call.model)
        body = self.begin_body(call, report)
        self.write_settings(body, call, report)
        settings: CallSettings = call.settings
        return WireRequest(
            url=self.address(call),
            body=self.finish_body(body, call, report),
            headers=settings.extra_headers or {},
            query=settings.extra_query or {},
            reply=self.framing if call.stream else self.reply,
            warnings=(*call.warnings, *report.warnings),
        )

    def parse_response(self, call: C, reply: WireResponse) -> R | WireRequest:
        """The result. Raises `ProviderError` for a body that holds none."""
        try:
            return self.read(call, reply)
        except UNREADABLE as error:
            found = read_error(reply.content)
            if found.message:
                raise make_stated_error(found, reply, status=found.likely_status) from error
            raise make_unreadable(reply) from error

    @abstractmethod
    def read(self, call: C, reply: WireResponse) -> R | WireRequest:
        """What a reply says. What decoding raises is left to the caller."""

    def open_stream(self, call: C) -> StreamState[E]:
        raise ProviderError("this provider answers in one piece here: there is no stream")


_SUFFIXES = {"mpeg": "mp3", "x-wav": "wav", "wave": "wav", "jpeg": "jpg", "x-m4a": "m4a", "x-flac": "flac"}


def _as_field(value: Any) -> str | Media:
    """A text as it is, media with a file name, for services tell types by it; everything else as JSON."""
    if isinstance(value, Media):
        if value.filename:
            return value
        subtype = value.mime_type.partition("/")[2].partition(";")[0]
        suffix = _SUFFIXES.get(subtype, subtype)
        return msgspec.structs.replace(value, filename=f"{value.kind}.{suffix}" if suffix else value.kind)
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
