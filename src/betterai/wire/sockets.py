"""Codecs of sessions over WebSockets whose settings stand in the address."""

from __future__ import annotations

from typing import Any, ClassVar, Generic, TypeVar

from betterai.core.exceptions import ProviderError
from betterai.core.wire import Call, WireRequest, WireResponse
from betterai.wire.exchanges import SettingsBody
from betterai.wire.queries import split_query
from betterai.wire.report import Report

C = TypeVar("C", bound=Call[Any, Any])


class SocketCodec(Generic[C]):
    """The half of a `Duplex` that opens the session: `settings` writes what the caller asks for, as the codec of an
    exchange does, and where.
    """

    protocol: ClassVar[str]
    settings: ClassVar[SettingsBody[Any]]
    alone: ClassVar[bool] = False
    """Whether it has models of its own, and never takes the place of an Exchange."""
    raw: ClassVar[bool] = False
    """Whether it hears raw sound alone: the samples are taken out of WAV files, and other files refused."""
    takes_body: ClassVar[bool] = False
    """Whether `extra_body` goes into a message of the session."""

    def write(self, call: C) -> tuple[dict[str, Any], Report]:
        """All settings by the vendor's names, and what of them is not sent."""
        report = Report(call.model)
        if call.settings.extra_body and not self.takes_body:
            report.drop("extra_body", "a session has no body", hint="extra_query takes any parameter")
        body = self.settings.begin_body(call, report)
        self.settings.write_settings(body, call, report)
        return body, report

    def query_of(self, body: dict[str, Any], call: C) -> dict[str, Any]:
        """What of the settings stands in the address."""
        return body

    def connect(self, call: C) -> WireRequest:
        """The handshake. Raises `UnsupportedParam` for what cannot be carried and changes the meaning."""
        body, report = self.write(call)
        end, query = split_query(self.query_of(body, call))
        return WireRequest(
            url=f"{self.settings.address(call)}{end}",
            method="GET",
            query={**query, **(call.settings.extra_query or {})},
            headers=call.settings.extra_headers or {},
            warnings=(*call.warnings, *report.warnings),
        )

    def parse_error(self, reply: WireResponse) -> ProviderError:
        return self.settings.parse_error(reply)
