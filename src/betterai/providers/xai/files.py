"""Files (https://docs.x.ai/developers/files/managing-files, 2026-11): at most 48 MB each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from betterai.core.results import FileHandle, FileUpload
from betterai.core.wire import WireResponse
from betterai.wire.files import FormFiles, list_in, make_handle, read_object, unreadable


class XAIFiles(FormFiles):
    """They are kept until they are deleted, or for an hour up to thirty days."""

    max_bytes = 48 * 1000 * 1000
    default_purpose = "assistants"
    page_query: ClassVar[Mapping[str, str]] = {"limit": "100"}
    after_field = "pagination_token"

    def form_fields(self, upload: FileUpload) -> Mapping[str, str]:
        """They stand before the file, as xAI wants it of `expires_after`."""
        fields = {"purpose": upload.purpose or self.default_purpose}
        if upload.expires_in is not None:
            fields["expires_after"] = str(upload.expires_in)
        return fields

    def parse_list(self, reply: WireResponse, after: str = "") -> tuple[tuple[FileHandle, ...], str]:
        body = read_object(reply)
        files = tuple(self.read_file(item, reply) for item in list_in(body, "data", reply))
        return files, str(body.get("pagination_token") or "") if files else ""

    def read_file(self, fields: Any, reply: WireResponse) -> FileHandle:
        if not isinstance(fields, dict) or not isinstance(fields.get("id"), str):
            raise unreadable(reply)
        expires = fields.get("expires_at")
        return make_handle(
            reply,
            id=fields["id"],
            filename=fields.get("filename"),
            size=fields.get("bytes"),
            expires_at=expires if isinstance(expires, int | float) else None,
            purpose=fields.get("purpose"),
            state=fields.get("status"),
        )
