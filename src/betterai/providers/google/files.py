"""Files (https://ai.google.dev/gemini-api/docs/files, 2026-11): resumable upload, at most 2 GB each, kept 48 hours."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import Any, ClassVar
from urllib.parse import quote

from betterai.core.codec import FileCall
from betterai.core.exceptions import JobInDoubt, ProviderError, UnsupportedParam
from betterai.core.results import FileHandle, FileUpload
from betterai.core.wire import Checkpoint, Rest, Wait, WireRequest, WireResponse
from betterai.wire.files import (
    FormFiles,
    Step,
    list_in,
    make_handle,
    need_reply,
    read_object,
    read_time,
    refuse_purpose,
    unreadable,
)

WAITS = (1.0, 2.0, 4.0, 8.0)
"""Seconds between looks at a film that is being prepared; the last one again and again."""


class GoogleFiles(FormFiles):
    """The upload is announced, then sent to the address that is given for it, then looked at until it is ready."""

    path = "/v1beta/files"
    max_bytes = 2 * 1000 * 1000 * 1000
    page_query: ClassVar[Mapping[str, str]] = {"pageSize": "100"}
    after_field = "pageToken"

    def run(
        self, call: FileCall, state: Mapping[str, Any] | None = None
    ) -> Generator[Step, WireResponse | None, FileHandle]:
        if state is not None:
            file = self.parse_file(need_reply((yield self.build_get(state["id"]))))
        else:
            file = yield from self.upload(call.input)
            yield Checkpoint(state={"id": file.id})
        looks = 0
        while file.state == "PROCESSING":
            yield Wait(seconds=WAITS[min(looks, len(WAITS) - 1)])
            looks += 1
            file = self.parse_file(need_reply((yield self.build_get(file.id))))
        if file.state == "FAILED":
            raise ProviderError(
                f"{file.id} could not be prepared", code=file.state, hint="check that the file is whole"
            )
        return file

    def upload(self, upload: FileUpload) -> Generator[Step, WireResponse | None, FileHandle]:
        """The file as soon as its bytes are there; it may still have to be prepared."""
        announced = need_reply((yield self.build_upload(upload)))
        place = announced.headers.get("x-goog-upload-url", "")
        if not place:
            raise ProviderError("no address to upload to was given", code="unreadable_reply")
        return (yield from self._send(upload, place))

    def _send(self, upload: FileUpload, place: str) -> Generator[Step, WireResponse | None, FileHandle]:
        """The bytes in one request; where it breaks off, what is left of them in another one."""
        offset, waits = 0, iter(WAITS)
        while True:
            try:
                uploaded = need_reply((yield _send_bytes(upload, place, offset)))
                return self.read_file(read_object(uploaded).get("file"), uploaded)
            except ProviderError as error:
                broke = error.__cause__ if isinstance(error, JobInDoubt) else error
                wait = next(waits, None)
                if wait is None or not isinstance(broke, ProviderError) or not broke.retryable:
                    raise (broke or error) from None
            yield Wait(seconds=wait)
            found = need_reply((yield _ask_how_far(place)))
            if found.headers.get("x-goog-upload-status") == "final":
                return self.read_file(read_object(found).get("file"), found)
            offset = int(found.headers.get("x-goog-upload-size-received") or 0)

    def build_upload(self, upload: FileUpload) -> WireRequest:
        refuse_purpose(upload, "Google")
        if upload.expires_in is not None:
            raise UnsupportedParam("expires_in: Google keeps files for 48 hours", param="expires_in")
        headers = {
            "X-Goog-Upload-Protocol": "resumable",
            "X-Goog-Upload-Command": "start",
            "X-Goog-Upload-Header-Content-Length": str(upload.size),
            "X-Goog-Upload-Header-Content-Type": upload.mime_type,
        }
        body = {"file": {"displayName": upload.filename}}
        return WireRequest(url=f"/upload{self.path}", headers=headers, body=body, safe_to_repeat=True)

    def build_get(self, id: str) -> WireRequest:
        return super().build_get(id.removeprefix("files/"))

    def build_delete(self, id: str) -> WireRequest:
        return super().build_delete(id.removeprefix("files/"))

    def build_download(self, id: str) -> WireRequest:
        """Files that were made there can be had again; those that were uploaded cannot."""
        url = f"{self.path}/{quote(id.removeprefix('files/'), safe='')}:download"
        return WireRequest(url=url, method="GET", query={"alt": "media"}, reply="file", safe_to_repeat=True)

    def parse_list(self, reply: WireResponse, after: str = "") -> tuple[tuple[FileHandle, ...], str]:
        body = read_object(reply)
        files = tuple(self.read_file(item, reply) for item in list_in(body, "files", reply))
        return files, str(body.get("nextPageToken") or "")

    def read_file(self, fields: Any, reply: WireResponse) -> FileHandle:
        if not isinstance(fields, dict) or not isinstance(fields.get("name"), str):
            raise unreadable(reply)
        return make_handle(
            reply,
            id=fields["name"],
            filename=fields.get("displayName"),
            size=fields.get("sizeBytes"),
            mime_type=fields.get("mimeType"),
            expires_at=read_time(fields.get("expirationTime")),
            reference=fields.get("uri"),
            state=fields.get("state"),
        )

    def form_fields(self, upload: FileUpload) -> Mapping[str, str]:
        """There is no form: what is said of a file stands in headers."""
        return {}


def _send_bytes(upload: FileUpload, place: str, offset: int) -> WireRequest:
    """Not to be repeated as it is: a part of it may have been taken."""
    headers = {"X-Goog-Upload-Command": "upload, finalize", "X-Goog-Upload-Offset": str(offset)}
    return WireRequest(url=place, headers=headers, body=Rest(media=upload.media, offset=offset))


def _ask_how_far(place: str) -> WireRequest:
    return WireRequest(url=place, headers={"X-Goog-Upload-Command": "query"}, safe_to_repeat=True)
