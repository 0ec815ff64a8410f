"""Files kept at a provider: a form to upload one, JSON objects that describe them. Vendors state what differs."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Generator, Mapping
from datetime import datetime
from typing import Any, ClassVar
from urllib.parse import quote

import msgspec

from betterai.core.codec import FileCall
from betterai.core.exceptions import ProviderError, UnsupportedParam
from betterai.core.results import FileHandle, FileUpload
from betterai.core.wire import Checkpoint, Field, Multipart, Wait, WireRequest, WireResponse
from betterai.wire.error_bodies import UNREADABLE, read_error
from betterai.wire.errors import make_stated_error

Step = WireRequest | Wait | Checkpoint


class FormFiles(ABC):
    """Upload with one form. To upload twice costs nothing but a file too many, so it may be tried again."""

    protocol: ClassVar[str] = "files"
    path: ClassVar[str] = "/files"
    max_bytes: ClassVar[int]
    default_purpose: ClassVar[str] = ""
    """What is sent where the caller names no purpose; "" where the vendor knows none."""
    headers: ClassVar[Mapping[str, str]] = {}
    page_query: ClassVar[Mapping[str, str]] = {}
    after_field: ClassVar[str] = "after"

    def run(
        self, call: FileCall, state: Mapping[str, Any] | None = None
    ) -> Generator[Step, WireResponse | None, FileHandle]:
        reply = yield self.build_upload(call.input)
        return self.parse_file(need_reply(reply))

    def build_upload(self, upload: FileUpload) -> WireRequest:
        fields = [Field(name=name, value=value) for name, value in self.form_fields(upload).items()]
        file = Field(name="file", value=upload.media, filename=upload.filename, mime_type=upload.mime_type)
        return WireRequest(
            url=self.path, headers=self.headers, body=Multipart(fields=(*fields, file)), safe_to_repeat=True
        )

    @abstractmethod
    def form_fields(self, upload: FileUpload) -> Mapping[str, str]:
        """What stands in the form beside the file. Raises `UnsupportedParam`."""

    def build_get(self, id: str) -> WireRequest:
        return self._ask("GET", f"/{quote(id, safe='')}")

    def build_delete(self, id: str) -> WireRequest:
        return self._ask("DELETE", f"/{quote(id, safe='')}")

    def build_download(self, id: str) -> WireRequest:
        request = self._ask("GET", f"/{quote(id, safe='')}/content")
        return msgspec.structs.replace(request, reply="file")

    def build_list(self, after: str) -> WireRequest:
        return self._ask("GET", "", {**self.page_query, **({self.after_field: after} if after else {})})

    def _ask(self, method: str, path: str, query: Mapping[str, str] | None = None) -> WireRequest:
        url = f"{self.path}{path}"
        return WireRequest(url=url, method=method, headers=self.headers, query=query or {}, safe_to_repeat=True)

    def parse_file(self, reply: WireResponse) -> FileHandle:
        return self.read_file(read_object(reply), reply)

    def parse_list(self, reply: WireResponse, after: str = "") -> tuple[tuple[FileHandle, ...], str]:
        body = read_object(reply)
        files = tuple(self.read_file(item, reply) for item in list_in(body, "data", reply))
        last = body.get("last_id") or (files[-1].id if files else "")
        return files, str(last) if body.get("has_more") else ""

    @abstractmethod
    def read_file(self, fields: Any, reply: WireResponse) -> FileHandle:
        """One object that describes a file."""

    def parse_error(self, reply: WireResponse) -> ProviderError:
        return make_stated_error(read_error(reply.content), reply)

    def cancel(self, state: Mapping[str, Any]) -> WireRequest | None:
        return None


def need_reply(reply: WireResponse | None) -> WireResponse:
    """The reply that the runner gives for a request."""
    if reply is None:
        raise ProviderError("a request was not answered")
    return reply


def read_object(reply: WireResponse) -> dict[str, Any]:
    try:
        body = msgspec.json.decode(reply.content)
    except UNREADABLE:
        body = None
    if not isinstance(body, dict):
        raise unreadable(reply)
    return body


def list_in(body: dict[str, Any], name: str, reply: WireResponse) -> list[Any]:
    items = body.get(name) or []
    if not isinstance(items, list):
        raise unreadable(reply)
    return items


def make_handle(reply: WireResponse, **fields: Any) -> FileHandle:
    """The handle with the fields that are given; a size may be written as a text."""
    known = {name: value for name, value in fields.items() if value is not None}
    try:
        return msgspec.convert(known, FileHandle, strict=False)
    except msgspec.ValidationError as error:
        raise unreadable(reply) from error


def unreadable(reply: WireResponse) -> ProviderError:
    """The error for a reply that does not describe files."""
    return ProviderError(
        "the reply does not describe files", code="unreadable_reply", status=reply.status, body=reply.content[:65536]
    )


def read_time(text: Any) -> float | None:
    """A time as RFC 3339 has it, in Unix seconds; None where there is none."""
    try:
        return datetime.fromisoformat(text).timestamp() if isinstance(text, str) and text else None
    except (ValueError, OverflowError):
        return None


def refuse_purpose(upload: FileUpload, title: str) -> None:
    """For vendors whose files have no purpose."""
    if upload.purpose:
        raise UnsupportedParam(f"purpose: files have none at {title}", param="purpose")
