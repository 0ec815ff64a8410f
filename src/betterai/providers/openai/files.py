"""Files (https://platform.openai.com/docs/api-reference/files, 2026-11): at most 512 MB at once, and 8 GB in parts."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import Any, ClassVar
from urllib.parse import quote

from betterai.core.codec import FileCall
from betterai.core.results import FileHandle, FileUpload
from betterai.core.wire import Checkpoint, Field, Multipart, Rest, WireRequest, WireResponse
from betterai.wire.files import FormFiles, Step, make_handle, need_reply, read_object, unreadable


class OpenAIFiles(FormFiles):
    """Purposes are assistants, batch, fine-tune, vision, user_data and evals; for messages it is user_data."""

    max_bytes = 8 * 1000 * 1000 * 1000
    most_at_once: ClassVar[int] = 512 * 1000 * 1000
    part_bytes: ClassVar[int] = 16 * 1000 * 1000
    """How large a part is: it is held in memory while it is sent, and sent again where it broke off."""
    default_purpose = "user_data"

    def run(
        self, call: FileCall, state: Mapping[str, Any] | None = None
    ) -> Generator[Step, WireResponse | None, FileHandle]:
        if call.input.size <= self.most_at_once:
            return (yield from super().run(call, state))
        return (yield from self._upload_parts(call.input, dict(state or {})))

    def _upload_parts(
        self, upload: FileUpload, state: dict[str, Any]
    ) -> Generator[Step, WireResponse | None, FileHandle]:
        """A part that is not named in the end counts for nothing, so each may be sent again."""
        if "upload" not in state:
            state = {"upload": _read_id(need_reply((yield self._begin_upload(upload)))), "parts": []}
            yield Checkpoint(state=state)
        path = f"/uploads/{quote(state['upload'], safe='')}"
        for offset in range(len(state["parts"]) * self.part_bytes, upload.size, self.part_bytes):
            data = Rest(media=upload.media, offset=offset, size=min(self.part_bytes, upload.size - offset))
            form = Multipart(fields=(Field(name="data", value=data, filename=upload.filename),))
            sent = yield WireRequest(url=f"{path}/parts", body=form, safe_to_repeat=True)
            state = {**state, "parts": [*state["parts"], _read_id(need_reply(sent))]}
            yield Checkpoint(state=state)
        body = {"part_ids": state["parts"]}
        done = need_reply((yield WireRequest(url=f"{path}/complete", body=body)))
        return self.read_file(read_object(done).get("file"), done)

    def _begin_upload(self, upload: FileUpload) -> WireRequest:
        body: dict[str, Any] = {
            "filename": upload.filename, "purpose": upload.purpose or self.default_purpose, "bytes": upload.size,
            "mime_type": upload.mime_type,
        }  # fmt: skip
        if upload.expires_in is not None:
            body["expires_after"] = {"anchor": "created_at", "seconds": upload.expires_in}
        return WireRequest(url="/uploads", body=body, safe_to_repeat=True)

    def cancel(self, state: Mapping[str, Any]) -> WireRequest | None:
        return WireRequest(url=f"/uploads/{quote(state['upload'], safe='')}/cancel") if "upload" in state else None

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


def _read_id(reply: WireResponse) -> str:
    id = read_object(reply).get("id")
    if not isinstance(id, str):
        raise unreadable(reply)
    return id
