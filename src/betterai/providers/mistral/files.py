"""Files (https://docs.mistral.ai/api/endpoint/files, 2026-11): at most 512 MB each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from betterai.core.exceptions import UnsupportedParam
from betterai.core.results import FileHandle, FileUpload
from betterai.core.wire import WireRequest, WireResponse
from betterai.wire.files import FormFiles, list_in, make_handle, read_object, unreadable

PAGE = 100


class MistralFiles(FormFiles):
    """Purposes are fine-tune, batch, ocr and audio; ocr is for documents."""

    max_bytes = 512 * 1000 * 1000
    default_purpose = "ocr"
    page_query: ClassVar[Mapping[str, str]] = {"page_size": str(PAGE)}
    after_field = "page"

    def form_fields(self, upload: FileUpload) -> Mapping[str, str]:
        if upload.expires_in is not None:
            raise UnsupportedParam("expires_in: Mistral keeps files until they are deleted", param="expires_in")
        return {"purpose": upload.purpose or self.default_purpose}

    def build_list(self, after: str) -> WireRequest:
        return super().build_list(after or "0")

    def parse_list(self, reply: WireResponse, after: str = "") -> tuple[tuple[FileHandle, ...], str]:
        """Pages are counted: a full one has another behind it."""
        files = tuple(self.read_file(item, reply) for item in list_in(read_object(reply), "data", reply))
        return files, str(int(after or 0) + 1) if len(files) == PAGE else ""

    def read_file(self, fields: Any, reply: WireResponse) -> FileHandle:
        if not isinstance(fields, dict) or not isinstance(fields.get("id"), str):
            raise unreadable(reply)
        return make_handle(
            reply,
            id=fields["id"],
            filename=fields.get("filename"),
            size=fields.get("bytes", fields.get("size_bytes")),
            mime_type=fields.get("mimetype"),
            purpose=fields.get("purpose"),
        )
