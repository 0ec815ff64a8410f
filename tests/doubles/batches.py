"""Vendors' endpoints for batches, on loopback: what is asked of a line says how it ends.

A line whose text is `fail`, `lose`, `expire` or `cancel` ends so; all others are answered with what they said. The
`words` are how a batch stands before it is over, one a look; `end` is how it ends as a whole.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from aiohttp import web

KEY = "key-of-one-account"
Line = dict[str, Any]


def chat_answer(text: str) -> Line:
    return {
        "id": "c1", "object": "chat.completion", "created": 1, "model": "m-1",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15},
    }  # fmt: skip


def responses_answer(text: str) -> Line:
    content = [{"type": "output_text", "text": text, "annotations": []}]
    return {
        "id": "r1", "object": "response", "created_at": 1, "model": "m-1", "status": "completed",
        "output": [{"type": "message", "id": "o1", "role": "assistant", "status": "completed", "content": content}],
        "usage": {
            "input_tokens": 10, "output_tokens": 5, "total_tokens": 15,
            "input_tokens_details": {"cached_tokens": 0}, "output_tokens_details": {"reasoning_tokens": 2},
        },
    }  # fmt: skip


def messages_answer(text: str) -> Line:
    return {
        "id": "m1", "type": "message", "role": "assistant", "model": "m-1", "content": [{"type": "text", "text": text}],
        "stop_reason": "end_turn", "stop_sequence": None,
        "usage": {"input_tokens": 10, "output_tokens": 5, "service_tier": "batch"},
    }  # fmt: skip


def gemini_answer(text: str) -> Line:
    return {
        "candidates": [{"content": {"role": "model", "parts": [{"text": text}]}, "finishReason": "STOP", "index": 0}],
        "usageMetadata": {"promptTokenCount": 10, "candidatesTokenCount": 5, "totalTokenCount": 15},
        "modelVersion": "m-1",
    }


def find_text(value: Any) -> str:
    """The last text that a body says."""
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping):
        for name in ("messages", "input", "contents", "content", "parts", "text"):
            if name in value:
                return find_text(value[name])
        return ""
    return find_text(value[-1]) if value else ""


class BatchService:
    """What all have: batches by id, each with its lines; what was asked; and how it is to go wrong."""

    submit_path = "/batches"
    done_word, failed_word, expired_word, cancelled_word = "completed", "failed", "expired", "cancelled"

    def __init__(self) -> None:
        self.key = KEY
        self.failing = 0
        """So many looks are answered with 503."""
        self.requests: list[str] = []
        self.batches: dict[str, Line] = {}
        self.submitted: list[str] = []
        """The submits that were taken."""
        self.files: dict[str, bytes] = {}
        self.words: list[str] = []
        self.end = "done"
        self.lose_submit = ""
        """`before` it is taken, or `after`: the connection breaks; `cut`: it is taken, and the reply is no JSON."""
        self.refuse: list[int] = []
        """With these statuses submits are turned down, one after another; 0 takes one."""
        self.headers: list[Mapping[str, str]] = []
        self.uploads = 0
        self.say: Callable[[str], str] = lambda text: f"re: {text}"

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(f"{request.method} {request.path}")
        sent = request.headers
        keys = (
            sent.get("x-api-key"), sent.get("x-goog-api-key"), sent.get("api-key"), sent.get("Authorization", "")[7:],
        )  # fmt: skip
        if self.key not in keys and "upload_id" not in request.query:
            return web.json_response({"error": {"message": "no key of ours", "code": "invalid_api_key"}}, status=401)
        if request.method == "GET" and self.failing:
            self.failing -= 1
            return web.json_response({"error": {"message": "try later"}}, status=503)
        return await self.route(request)

    async def route(self, request: web.Request) -> web.StreamResponse:
        raise NotImplementedError

    async def take(self, request: web.Request, make: Callable[[], Line]) -> web.StreamResponse:
        """A submit: taken, turned down, or lost on the way."""
        status = self.refuse.pop(0) if self.refuse else 0
        if status:
            return web.json_response({"error": {"message": "not now", "code": "no"}}, status=status)
        self.headers.append(dict(request.headers))
        lost, self.lose_submit = self.lose_submit, ""
        assert request.transport is not None
        if lost == "before":
            request.transport.abort()
            return web.Response()
        batch = make()
        self.submitted.append(request.path)
        if lost == "after":
            request.transport.abort()
            return web.Response()
        if lost == "cut":
            return web.Response(text='{"id": "', content_type="application/json")
        return web.json_response(batch)

    def word(self) -> str:
        """How it stands at this look."""
        if self.words:
            return self.words.pop(0)
        return str(getattr(self, f"{self.end}_word"))

    def outcomes(self, lines: list[Line], text: Callable[[Line], str]) -> dict[str, list[Line]]:
        """The lines by how they end, the last one first."""
        found: dict[str, list[Line]] = {name: [] for name in ("answer", "fail", "lose", "expire", "cancel")}
        for line in reversed(lines):
            said = text(line)
            found[said if said in found else "answer"].append(line)
        return found


async def send_pieces(request: web.Request, content: bytes) -> web.StreamResponse:
    """The content piece by piece: what measures the client's memory is not to measure ours."""
    response = web.StreamResponse(headers={"Content-Type": "application/octet-stream"})
    await response.prepare(request)
    for start in range(0, len(content), 65536):
        await response.write(content[start : start + 65536])
    return response


def counts(found: Mapping[str, list[Line]]) -> tuple[int, int]:
    return len(found["answer"]), len(found["fail"])


class OpenAIService(BatchService):
    """OpenAI, Groq and Azure; `root` is what stands before the paths."""

    def __init__(self, root: str = "", window: str = "24h") -> None:
        super().__init__()
        self.root, self.window = root, window
        self.hides = False
        """Whether new batches are not listed yet."""
        self.file_words: list[str] = []
        """How a file stands, one a look."""

    async def route(self, request: web.Request) -> web.StreamResponse:
        path = request.path.removeprefix(self.root)
        if path == "/files":
            return await self._upload(request)
        if path.startswith("/files/"):
            name = path.split("/")[2]
            if path.endswith("/content"):
                return await send_pieces(request, self.files[name])
            return web.json_response(self.describe_file(name))
        if path == self.submit_path:
            if request.method == "GET":
                return web.json_response({"object": "list", "data": self.listed(), "has_more": False})
            body = await request.json()
            return await self.take(request, lambda: self.create(body))
        id = path.removeprefix(f"{self.submit_path}/").partition("/")[0]
        if path.endswith("/cancel"):
            self.end = "cancelled"
        return web.json_response(self.look(id), headers={"retry-after": "0.01"})

    async def _upload(self, request: web.Request) -> web.StreamResponse:
        if request.method == "GET":
            return web.json_response({"object": "list", "data": [self.describe_file(name) for name in self.files]})
        form = await request.post()
        file = form["file"]
        assert form["purpose"] == "batch"
        assert isinstance(file, web.FileField)
        self.uploads += 1
        name = f"file-in-{self.uploads}"
        self.files[name] = file.file.read()
        return web.json_response(self.describe_file(name))

    def describe_file(self, name: str) -> Line:
        return {
            "id": name, "object": "file", "bytes": len(self.files[name]), "filename": "a.jsonl", "purpose": "batch",
            "created_at": 1, "status": self.file_words.pop(0) if self.file_words else "processed",
        }  # fmt: skip

    def create(self, body: Line) -> Line:
        assert body["completion_window"] == self.window
        id = f"batch_{len(self.batches) + 1}"
        lines = [json.loads(line) for line in self.files[body["input_file_id"]].splitlines()]
        assert all(line["url"] == body["endpoint"] and line["method"] == "POST" for line in lines)
        assert len({line["body"]["model"] for line in lines}) == 1
        batch = {
            "id": id, "object": "batch", "endpoint": body["endpoint"], "input_file_id": body["input_file_id"],
            "completion_window": self.window, "status": "validating", "created_at": 2_000_000_000,
            "request_counts": {"total": 0, "completed": 0, "failed": 0}, "metadata": body.get("metadata"),
        }  # fmt: skip
        self.batches[id] = {**batch, "lines": lines}
        return batch

    def listed(self) -> list[Line]:
        return [] if self.hides else [self._shown(batch) for batch in reversed(self.batches.values())]

    def _shown(self, batch: Line) -> Line:
        return {name: value for name, value in batch.items() if name != "lines"}

    def look(self, id: str) -> Line:
        batch = self.batches[id]
        word = self.word()
        batch["status"] = word
        if word == "failed":
            batch["errors"] = {"object": "list", "data": [{"code": "bad_line", "message": "line 1 is bad", "line": 1}]}
        elif word in ("completed", "expired", "cancelled"):
            found = self.outcomes(batch["lines"], lambda line: find_text(line["body"]))
            completed, failed = counts(found)
            batch["request_counts"] = {"total": len(batch["lines"]), "completed": completed, "failed": failed}
            answers = [self.answered(line, 200, self.reply(batch["endpoint"], line)) for line in found["answer"]]
            error = {"error": {"message": "that is wrong", "code": "bad", "type": "invalid_request_error"}}
            errors = [self.answered(line, 400, error) for line in found["fail"]]
            errors += [self.stated(line, "batch_expired") for line in found["expire"]]
            errors += [self.stated(line, "batch_cancelled") for line in found["cancel"]]
            for name, rows in (("output_file_id", answers), ("error_file_id", errors)):
                if rows:
                    file = f"file-{name[:3]}-{id}"
                    self.files[file] = "".join(f"{json.dumps(row)}\n" for row in rows).encode()
                    batch[name] = file
        return self._shown(batch)

    def answered(self, line: Line, status: int, body: Line) -> Line:
        response = {"status_code": status, "request_id": f"req-{line['custom_id']}", "body": body}
        return {"id": "x", "custom_id": line["custom_id"], "response": response, "error": None}

    def stated(self, line: Line, code: str) -> Line:
        error = {"code": code, "message": "it was not worked on"}
        return {"id": "x", "custom_id": line["custom_id"], "response": None, "error": error}

    def reply(self, endpoint: str, line: Line) -> Line:
        text = self.say(find_text(line["body"]))
        if endpoint.endswith("/embeddings"):
            inputs = line["body"]["input"]
            rows = [{"index": place, "embedding": [0.5, 0.25]} for place in range(len(inputs))]
            return {"object": "list", "data": rows, "model": "m-1", "usage": {"prompt_tokens": 3, "total_tokens": 3}}
        return responses_answer(text) if endpoint.endswith("/responses") else chat_answer(text)


class MistralService(OpenAIService):
    """Jobs over files; small ones may have their answers inside."""

    submit_path = "/batch/jobs"
    done_word, failed_word, expired_word, cancelled_word = "SUCCESS", "FAILED", "TIMEOUT_EXCEEDED", "CANCELLED"
    inline = False

    def create(self, body: Line) -> Line:
        id = f"job-{len(self.batches) + 1}"
        (file,) = body["input_files"]
        lines = [json.loads(line) for line in self.files[file].splitlines()]
        assert all(set(line) == {"custom_id", "body"} for line in lines)
        batch = {
            "id": id, "object": "batch", "input_files": [file], "metadata": body["metadata"], "model": body["model"],
            "endpoint": body["endpoint"], "status": "QUEUED", "errors": [], "outputs": None, "output_file": None,
            "error_file": None, "total_requests": 0, "succeeded_requests": 0, "failed_requests": 0,
        }  # fmt: skip
        self.batches[id] = {**batch, "lines": lines}
        return batch

    def look(self, id: str) -> Line:
        batch = self.batches[id]
        batch["status"] = word = self.word()
        if word == "FAILED":
            batch["errors"] = [{"message": "line 1 is bad", "count": 1}]
        elif word in ("SUCCESS", "TIMEOUT_EXCEEDED", "CANCELLED"):
            found = self.outcomes(batch["lines"], lambda line: find_text(line["body"]))
            batch["succeeded_requests"], batch["failed_requests"] = counts(found)
            rows = [self.answered(line, 200, self.reply(batch["endpoint"], line)) for line in found["answer"]]
            bad = {"object": "error", "message": "that is wrong", "type": "invalid_request", "code": "bad"}
            errors = [self.answered(line, 400, bad) for line in found["fail"]]
            if self.inline:
                batch["outputs"] = rows + errors
            else:
                for name, lines in (("output_file", rows), ("error_file", errors)):
                    self.files[f"{name}-{id}"] = "".join(f"{json.dumps(row)}\n" for row in lines).encode()
                    batch[name] = f"{name}-{id}"
        return self._shown(batch)


class AnthropicService(BatchService):
    """Message Batches."""

    done_word = failed_word = expired_word = cancelled_word = "ended"

    async def route(self, request: web.Request) -> web.StreamResponse:
        path = request.path.removeprefix("/v1/messages/batches")
        if not path:
            if request.method == "GET":
                data = [self._shown(batch) for batch in self.batches.values()]
                return web.json_response({"data": data, "has_more": False, "first_id": None, "last_id": None})
            body = await request.json()
            return await self.take(request, lambda: self._create(body["requests"]))
        id = path.split("/")[1]
        if path.endswith("/results"):
            lines = self._results(self.batches[id]["lines"])
            text = "".join(f"{json.dumps(line)}\n" for line in lines)
            return web.Response(text=text, content_type="application/x-jsonl")
        if path.endswith("/cancel"):
            self.batches[id]["cancel_initiated_at"] = "2026-11-29T00:00:00Z"
        batch = self.batches[id]
        batch["processing_status"] = self.word()
        if batch["processing_status"] == "ended":
            found = self.outcomes(batch["lines"], lambda line: find_text(line["params"]))
            succeeded, errored = counts(found)
            batch["request_counts"] = {
                "processing": 0, "succeeded": succeeded, "errored": errored, "canceled": len(found["cancel"]),
                "expired": len(found["expire"]),
            }  # fmt: skip
            batch["results_url"] = f"{request.scheme}://{request.host}/v1/messages/batches/{id}/results"
        return web.json_response(self._shown(batch), headers={"retry-after": "0.01"})

    def _create(self, lines: list[Line]) -> Line:
        id = f"msgbatch_{len(self.batches) + 1}"
        batch = {
            "id": id, "type": "message_batch", "processing_status": "in_progress", "ended_at": None,
            "request_counts": {"processing": len(lines), "succeeded": 0, "errored": 0, "canceled": 0, "expired": 0},
            "created_at": "2026-11-28T00:00:00Z", "expires_at": "2026-11-29T00:00:00Z", "archived_at": None,
            "cancel_initiated_at": None, "results_url": None,
        }  # fmt: skip
        self.batches[id] = {**batch, "lines": lines}
        return batch

    def _shown(self, batch: Line) -> Line:
        return {name: value for name, value in batch.items() if name != "lines"}

    def _results(self, lines: list[Line]) -> list[Line]:
        error = {"type": "error", "error": {"type": "invalid_request_error", "message": "that is wrong"}}
        makers: dict[str, Callable[[Line], Line]] = {
            "answer": lambda line: {
                "type": "succeeded", "message": messages_answer(self.say(find_text(line["params"]))),
            },
            "fail": lambda line: {"type": "errored", "error": {**error, "request_id": "req-1"}},
            "expire": lambda line: {"type": "expired"},
            "cancel": lambda line: {"type": "canceled"},
        }  # fmt: skip
        found = self.outcomes(lines, lambda line: find_text(line["params"]))
        return [
            {"custom_id": line["custom_id"], "result": make(line)}
            for name, make in makers.items()
            for line in found[name]
        ]


class GoogleService(BatchService):
    """Operations over files that are uploaded resumably."""

    done_word, failed_word = "BATCH_STATE_SUCCEEDED", "BATCH_STATE_FAILED"
    expired_word, cancelled_word = "BATCH_STATE_EXPIRED", "BATCH_STATE_CANCELLED"
    inline = False

    async def route(self, request: web.Request) -> web.StreamResponse:
        path = request.path
        if path.startswith("/upload/"):
            return await self._upload(request)
        if path.endswith(":download"):
            assert request.query["alt"] == "media"
            name = path.removeprefix("/v1beta/").removesuffix(":download")
            return web.Response(body=self.files[name], content_type="application/octet-stream")
        if path.endswith((":batchGenerateContent", ":asyncBatchEmbedContent")):
            body = await request.json()
            return await self.take(request, lambda: self._create(path, body["batch"]))
        if path == "/v1beta/batches":
            return web.json_response({"operations": [self._shown(batch) for batch in self.batches.values()]})
        id = path.removeprefix("/v1beta/").removesuffix(":cancel")
        if path.endswith(":cancel"):
            self.end = "cancelled"
            return web.json_response({})
        return web.json_response(self._look(id), headers={"retry-after": "0.01"})

    async def _upload(self, request: web.Request) -> web.StreamResponse:
        if request.headers["X-Goog-Upload-Command"] == "start":
            self.uploads += 1
            place = f"{request.scheme}://{request.host}/upload/v1beta/files?upload_id=u{self.uploads}"
            return web.Response(headers={"X-Goog-Upload-URL": place, "X-Goog-Upload-Status": "active"})
        name = f"files/in{self.uploads}"
        self.files[name] = await request.read()
        file = {"name": name, "state": "ACTIVE", "uri": f"https://x/{name}", "sizeBytes": str(len(self.files[name]))}
        return web.json_response({"file": file}, headers={"X-Goog-Upload-Status": "final"})

    def _create(self, path: str, body: Line) -> Line:
        id = f"batches/b{len(self.batches) + 1}"
        given = body["inputConfig"]
        if "fileName" in given:
            lines = [json.loads(line) for line in self.files[given["fileName"]].splitlines()]
        else:
            rows = given["requests"]["requests"]
            lines = [{"key": row.get("metadata", {}).get("key"), "request": row["request"]} for row in rows]
        stats = {"requestCount": str(len(lines)), "pendingRequestCount": str(len(lines))}
        metadata = {"displayName": body.get("displayName"), "state": "BATCH_STATE_PENDING", "batchStats": stats}
        self.batches[id] = {"name": id, "metadata": metadata, "lines": lines, "embeds": path.endswith("EmbedContent")}
        return self._shown(self.batches[id])

    def _shown(self, batch: Line) -> Line:
        return {name: value for name, value in batch.items() if name not in ("lines", "embeds")}

    def _look(self, id: str) -> Line:
        batch = self.batches[id]
        batch["metadata"]["state"] = word = self.word()
        if word == self.failed_word:
            batch |= {"done": True, "error": {"code": 3, "message": "line 1 is bad", "status": "INVALID_ARGUMENT"}}
        elif word in (self.done_word, self.expired_word, self.cancelled_word):
            found = self.outcomes(batch["lines"], lambda line: find_text(line["request"]))
            succeeded, failed = counts(found)
            batch["metadata"]["batchStats"] |= {
                "successfulRequestCount": str(succeeded), "failedRequestCount": str(failed),
            }  # fmt: skip
            bad = {"code": 400, "message": "that is wrong", "status": "INVALID_ARGUMENT"}
            embedded = {"embedding": {"values": [0.5, 0.25]}, "usageMetadata": {"promptTokenCount": 3}}
            rows = [
                {
                    "key": line["key"],
                    "response": embedded if batch["embeds"] else gemini_answer(self.say(find_text(line["request"]))),
                }
                for line in found["answer"]
            ]
            rows += [{"key": line["key"], "error": bad} for line in found["fail"]]
            rows += [{"key": line["key"], "error": {"code": 1, "status": "CANCELLED"}} for line in found["cancel"]]
            if self.inline:
                inline = [
                    {**{k: v for k, v in row.items() if k != "key"}, "metadata": {"key": row["key"]}} for row in rows
                ]
                output: Line = {"inlinedResponses": {"inlinedResponses": inline}}
            else:
                self.files[f"files/out-{id[8:]}"] = "".join(f"{json.dumps(row)}\n" for row in rows).encode()
                output = {"responsesFile": f"files/out-{id[8:]}"}
            batch |= {"done": True, "response": output}
            batch["metadata"]["output"] = output
        return self._shown(batch)


class XAIService(BatchService):
    """Containers of requests, whose answers come page by page."""

    page = 2

    async def route(self, request: web.Request) -> web.StreamResponse:
        path = request.path
        if path == "/batches":
            id = f"batch_{len(self.batches) + 1}"
            self.batches[id] = {
                "batch_id": id,
                "name": (await request.json())["name"],
                "cancel_time": None,
                "lines": [],
            }
            return web.json_response(self._shown(id))
        id = path.split("/")[2].removesuffix(":cancel")
        if path.endswith("/requests"):
            body = await request.json()
            return await self.take(request, lambda: self._add(id, body["batch_requests"]))
        if path.endswith("/results"):
            return web.json_response(self._page(id, int(request.query.get("pagination_token") or 0)))
        if path.endswith(":cancel"):
            self.batches[id]["cancel_time"] = "2026-11-29"
            self.end, self.words = "cancelled", []
        return web.json_response(self._look(id), headers={"retry-after": "0.01"})

    def _add(self, id: str, lines: list[Line]) -> Any:
        self.batches[id]["lines"] += lines
        return None

    def _texts(self, line: Line) -> str:
        return find_text(next(iter(line["batch_request"].values())))

    def _shown(self, id: str) -> Line:
        return {name: value for name, value in self.batches[id].items() if name != "lines"}

    def _look(self, id: str) -> Line:
        batch = self.batches[id]
        found = self.outcomes(batch["lines"], self._texts)
        total = len(batch["lines"])
        waits = bool(self.words and self.words.pop(0))
        succeeded, failed = counts(found)
        state = {
            "num_requests": total, "num_pending": total if waits else 0, "num_success": 0 if waits else succeeded,
            "num_error": 0 if waits else failed, "num_cancelled": 0 if waits else len(found["cancel"]),
        }  # fmt: skip
        return {**self._shown(id), "state": state}

    def _page(self, id: str, start: int) -> Line:
        found = self.outcomes(self.batches[id]["lines"], self._texts)
        rows = [
            {
                "batch_request_id": line["batch_request_id"],
                "batch_result": {"response": {"chat_get_completion": chat_answer(self.say(self._texts(line)))}},
            }
            for line in found["answer"]
        ]
        rows += [
            {
                "batch_request_id": line["batch_request_id"],
                "batch_result": {"error": {"code": 3, "message": "that is wrong"}},
            }
            for line in found["fail"]
        ]
        following = str(start + self.page) if start + self.page < len(rows) else None
        return {"results": rows[start : start + self.page], "pagination_token": following}
