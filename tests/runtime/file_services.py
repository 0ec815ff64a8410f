"""Services that keep files, on loopback, each in its vendor's own protocol."""

from __future__ import annotations

import json
from typing import Any

from aiohttp import web

PAGE = 2
"""How many files a page of a list has."""


class FileService:
    """Keeps what is uploaded: how large it was and what was said of it, never the bytes. `looks` a film takes."""

    def __init__(self, vendor: str, key: str, looks: int = 0) -> None:
        self.vendor, self.key, self.looks = vendor, key, looks
        self.requests: list[str] = []
        self.files: dict[str, dict[str, Any]] = {}
        self.fields: dict[str, str] = {}
        self.failures: list[int] = []
        self.break_at: list[int] = []
        """After so many bytes an upload to Google's place breaks off, one after another."""
        self.received = 0
        self.contents: dict[str, bytes] = {}
        """Those of small files, which are given out again."""
        self.uploads: dict[str, dict[str, Any]] = {}
        """Uploads in parts, as OpenAI has them."""
        self._announced: dict[str, Any] = {}

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(f"{request.method} {request.path}")
        sent = request.headers
        keyless = "upload_id" in request.query  # the address of an upload is a secret of its own
        assert keyless or self.key in (
            sent.get("x-api-key"),
            sent.get("x-goog-api-key"),
            sent.get("Authorization", "")[7:],
        )
        if self.failures and (status := self.failures.pop(0)):
            return web.Response(status=status)
        if request.path.startswith("/upload/"):
            return await self._upload_google(request)
        if request.path.startswith("/uploads"):
            return await self._upload_parts(request)
        if request.method == "POST":
            return await self._upload_form(request)
        id = request.path.partition("/files")[2].removeprefix("/")
        if id.endswith(("/content", ":download")):
            name = id.removesuffix("/content").removesuffix(":download")
            if name in self.contents:
                return web.Response(body=self.contents[name], content_type="application/octet-stream")
            return web.json_response({"error": {"message": f"no content of {name}"}}, status=404)
        if not id:
            return self._list(request)
        id = f"files/{id}" if self.vendor == "google" else id
        if id not in self.files:
            return web.json_response({"error": {"message": f"no file {id}", "code": "not_found"}}, status=404)
        if request.method == "DELETE":
            del self.files[id]
            return web.json_response({"id": id, "deleted": True})
        self.looks -= 1
        if self.vendor == "google" and self.looks <= 0:
            self.files[id]["state"] = "ACTIVE"
        return web.json_response(self.files[id])

    async def _upload_form(self, request: web.Request) -> web.StreamResponse:
        reader = await request.multipart()
        size, filename, mime_type, head = 0, "", "", b""
        while (part := await reader.next()) is not None:
            if part.name == "file":  # type: ignore[union-attr]
                filename, mime_type = part.filename or "", part.headers["Content-Type"]  # type: ignore[union-attr]
                while piece := await part.read_chunk(65536):  # type: ignore[union-attr]
                    size += len(piece)
                    head += piece if size < 1000 else b""
            else:
                self.fields[part.name] = await part.text()  # type: ignore[union-attr,index]
        id = f"file-{len(self.files) + 1}"
        self.files[id] = (
            {"id": id, "object": "file", "bytes": size, "filename": filename, "status": "processed", **self.fields}
            if self.vendor in ("openai", "mistral", "xai")
            else {"id": id, "type": "file", "size_bytes": size, "filename": filename, "mime_type": mime_type}
        )
        self.contents[id] = head
        return web.json_response(self.files[id])

    async def _upload_parts(self, request: web.Request) -> web.StreamResponse:
        _, _, *rest = request.path.split("/")
        if not rest:
            id = f"upload_{len(self.uploads) + 1}"
            self.uploads[id] = {**await request.json(), "parts": {}, "size": 0}
            return web.json_response({"id": id, "object": "upload", "status": "pending", "file": None})
        upload, what = self.uploads[rest[0]], rest[1]
        if what == "cancel":
            upload["status"] = "cancelled"
            return web.json_response({"id": rest[0], "object": "upload", "status": "cancelled"})
        if what == "complete":
            named = (await request.json())["part_ids"]
            assert sum(upload["parts"][name] for name in named) == upload["bytes"]
            file = {
                "id": f"file-{len(self.files) + 1}", "object": "file", "bytes": upload["bytes"],
                "filename": upload["filename"], "purpose": upload["purpose"], "status": "processed",
            }  # fmt: skip
            self.files[file["id"]] = file
            return web.json_response({"id": rest[0], "object": "upload", "status": "completed", "file": file})
        part = await (await request.multipart()).next()
        assert part is not None
        assert part.name == "data"  # type: ignore[union-attr]
        size = 0
        while piece := await part.read_chunk(65536):  # type: ignore[union-attr]
            size += len(piece)
        name = f"part_{len(upload['parts']) + 1}"
        upload["parts"][name] = size
        return web.json_response({"id": name, "object": "upload.part", "upload_id": rest[0]})

    async def _upload_google(self, request: web.Request) -> web.StreamResponse:
        command = request.headers["X-Goog-Upload-Command"]
        if command == "start":
            assert request.headers["X-Goog-Upload-Protocol"] == "resumable"
            self._announced = {
                "displayName": (await request.json()).get("file", {}).get("displayName", ""),
                "mimeType": request.headers["X-Goog-Upload-Header-Content-Type"],
                "size": int(request.headers["X-Goog-Upload-Header-Content-Length"]),
            }
            place = f"{request.scheme}://{request.host}/upload/v1beta/files?upload_id=u1"
            return web.Response(headers={"X-Goog-Upload-URL": place, "X-Goog-Upload-Status": "active"})
        assert request.query["upload_id"] == "u1"
        if command == "query":
            return web.Response(
                headers={"X-Goog-Upload-Status": "active", "X-Goog-Upload-Size-Received": str(self.received)}
            )
        assert (command, request.headers["X-Goog-Upload-Offset"]) == ("upload, finalize", str(self.received))
        stop = self.break_at.pop(0) if self.break_at else None
        async for piece in request.content.iter_chunked(65536):
            self.received += len(piece)
            if stop is not None and self.received >= stop:
                assert request.transport is not None
                request.transport.abort()
                return web.Response()
        size, self.received = self.received, 0
        assert size == self._announced.pop("size")
        name = f"files/{len(self.files) + 1}"
        state = "PROCESSING" if self.looks > 0 else "ACTIVE"
        uri = f"https://generativelanguage.googleapis.com/v1beta/{name}"
        self.files[name] = {"name": name, "sizeBytes": str(size), "uri": uri, "state": state, **self._announced}
        return web.json_response({"file": self.files[name]}, headers={"X-Goog-Upload-Status": "final"})

    def _list(self, request: web.Request) -> web.StreamResponse:
        query = request.query
        after = query.get("after") or query.get("after_id") or query.get("pageToken") or query.get("pagination_token")
        if self.vendor == "mistral":
            start = int(query["page"]) * int(query["page_size"])
            found = list(self.files.values())[start : start + int(query["page_size"])]
            return web.json_response({"data": found, "object": "list", "total": len(self.files)})
        names = [name for name in self.files if after is None or name > after]
        page = [self.files[name] for name in names[:PAGE]]
        more = len(names) > PAGE
        if self.vendor == "google":
            token = {"nextPageToken": names[PAGE - 1]} if more else {}
            return web.json_response({"files": page, **token} if page else {})
        if self.vendor == "xai":
            return web.json_response({"data": page, "pagination_token": names[PAGE - 1] if more else None})
        return web.Response(
            text=json.dumps({"data": page, "has_more": more, "last_id": names[:PAGE][-1] if page else None}),
            content_type="application/json",
        )
