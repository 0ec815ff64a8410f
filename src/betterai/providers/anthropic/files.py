"""Files (https://platform.claude.com/docs/en/build-with-claude/files, 2026-11): at most 500 MB each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from betterai.core.results import FileHandle, FileUpload
from betterai.core.wire import WireResponse
from betterai.wire.files import FormFiles, make_handle, read_time, refuse_purpose, unreadable


class AnthropicFiles(FormFiles):
    """Older versions of the API want a beta header, which does the newer ones no harm."""

    path = "/v1/files"
    max_bytes = 500 * 1000 * 1000
    headers: ClassVar[Mapping[str, str]] = {"anthropic-beta": "files-api-2025-04-14"}
    page_query: ClassVar[Mapping[str, str]] = {"limit": "1000"}
    after_field = "after_id"

    def form_fields(self, upload: FileUpload) -> Mapping[str, str]:
        refuse_purpose(upload, "Anthropic")
        return {} if upload.expires_in is None else {"expires_in_seconds": str(upload.expires_in)}

    def read_file(self, fields: Any, reply: WireResponse) -> FileHandle:
        if not isinstance(fields, dict) or not isinstance(fields.get("id"), str):
            raise unreadable(reply)
        return make_handle(
            reply,
            id=fields["id"],
            filename=fields.get("filename"),
            size=fields.get("size_bytes"),
            mime_type=fields.get("mime_type"),
            expires_at=read_time(fields.get("expires_at")),
        )
