"""Files (https://platform.openai.com/docs/api-reference/files, 2026-11): at most 512 MB each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from betterai.core.results import FileHandle, FileUpload
from betterai.core.wire import WireResponse
from betterai.wire.files import FormFiles, make_handle, unreadable


class OpenAIFiles(FormFiles):
    """Purposes are assistants, batch, fine-tune, vision, user_data and evals; for messages it is user_data."""

    max_bytes = 512 * 1000 * 1000
    default_purpose = "user_data"

    def form_fields(self, upload: FileUpload) -> Mapping[str, str]:
        fields = {"purpose": upload.purpose or self.default_purpose}
        if upload.expires_in is not None:
            fields |= {"expires_after[anchor]": "created_at", "expires_after[seconds]": str(upload.expires_in)}
        return fields

    def read_file(self, fields: Any, reply: WireResponse) -> FileHandle:
        if not isinstance(fields, dict) or not isinstance(fields.get("id"), str):
            raise unreadable(reply)
        return make_handle(
            reply,
            id=fields["id"],
            filename=fields.get("filename"),
            size=fields.get("bytes"),
            expires_at=fields.get("expires_at"),
            purpose=fields.get("purpose"),
            state=fields.get("status"),
        )
