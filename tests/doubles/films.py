"""Services that make films as jobs, one a protocol, as the vendors describe theirs: made by nothing of ours."""

from __future__ import annotations

from base64 import b64encode
from typing import Any, ClassVar

from aiohttp import web

FILM = b"\x00\x00\x00\x18ftypmp42" + bytes(range(256)) * 4
SECONDS = 4.0
Json = dict[str, Any]


class FilmHouse:
    """Films that are half made at the first look, and made at the last of `looks`. `failure` is what a look says in
    their place; `lost`: the submit is taken, and its connection breaks; `refusal` is the answer to a submit.
    """

    submits_to: ClassVar[tuple[str, ...]]

    def __init__(
        self, looks: int = 2, failure: Json | None = None, lost: bool = False, refusal: tuple[int, Json] | None = None
    ) -> None:
        self.looks, self.failure, self.lost, self.refusal = looks, failure, lost, refusal
        self.requests: list[str] = []
        self.bodies: list[Any] = []
        """What was submitted."""
        self.headers: list[dict[str, str]] = []
        self.seen = 0

    @property
    def submits(self) -> int:
        return len(self.bodies)

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(f"{request.method} {request.path}")
        self.headers.append(dict(request.headers))
        if request.path.endswith(".mp4"):
            if "Authorization" in request.headers:
                return web.Response(status=403, text="a key was sent to a stranger")
            return web.Response(body=FILM, content_type="video/mp4")
        if request.method == "POST" and request.path.endswith(self.submits_to):
            if self.refusal is not None:
                return web.json_response(self.refusal[1], status=self.refusal[0])
            await self._take(request)
            if self.lost:
                assert request.transport is not None
                request.transport.abort()
            return web.json_response(self.submitted(self.bodies[-1]))
        return await self.answer(request)

    async def _take(self, request: web.Request) -> None:
        if request.content_type == "multipart/form-data":
            form = await request.post()
            fields = {
                name: value.file.read() if isinstance(value, web.FileField) else value for name, value in form.items()
            }
            self.bodies.append(fields)
        else:
            self.bodies.append(await request.json())

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Everything but submits and films."""
        if not self.is_look(request):
            return web.json_response({"error": {"message": f"nothing is at {request.path}"}}, status=404)
        self.seen += 1
        if self.failure is not None:
            return web.json_response(self.failure)
        said = f"?{request.query_string}" if "kill" in request.query else ""
        link = f"http://{request.host}/film-1.mp4{said}"
        return web.json_response(self.made(link) if self.seen >= self.looks else self.making())

    def is_look(self, request: web.Request) -> bool:
        raise NotImplementedError

    def submitted(self, body: Any) -> Json:
        raise NotImplementedError

    def making(self) -> Json:
        raise NotImplementedError

    def made(self, link: str) -> Json:
        raise NotImplementedError


class OpenAIHouse(FilmHouse):
    """https://platform.openai.com/docs/api-reference/videos"""

    submits_to = ("/videos",)

    def _video(self, **fields: Any) -> Json:
        return {
            "id": "video_1", "object": "video", "model": "m-1", "created_at": 1, "completed_at": None, "expires_at": None,
            "error": None, "remixed_from_video_id": None, "seconds": "4", "size": "1280x720", **fields,
        }  # fmt: skip

    def is_look(self, request: web.Request) -> bool:
        return request.path.endswith("/videos/video_1")

    async def answer(self, request: web.Request) -> web.StreamResponse:
        if request.path.endswith("/videos/video_1/content"):
            return web.Response(body=FILM, content_type="video/mp4")
        if request.method == "DELETE":
            return web.json_response({"id": "video_1", "object": "video.deleted", "deleted": True})
        return await super().answer(request)

    def submitted(self, body: Any) -> Json:
        return self._video(status="queued", progress=0)

    def making(self) -> Json:
        return self._video(status="in_progress", progress=50)

    def made(self, link: str) -> Json:
        return self._video(status="completed", progress=100, completed_at=2)


class XAIHouse(FilmHouse):
    """https://docs.x.ai/docs/guides/video-generations"""

    submits_to = ("/videos/generations", "/videos/edits", "/videos/extensions")

    def is_look(self, request: web.Request) -> bool:
        return request.path.endswith("/videos/job-1")

    def submitted(self, body: Any) -> Json:
        return {"request_id": "job-1"}

    def making(self) -> Json:
        return {"status": "pending", "progress": 50}

    def made(self, link: str) -> Json:
        video = {"url": link, "duration": 4, "respect_moderation": True}
        return {
            "status": "done",
            "video": video,
            "model": "m-1",
            "progress": 100,
            "usage": {"cost_in_usd_ticks": 2 * 10**9},
        }


class RunwayHouse(FilmHouse):
    """https://docs.dev.runwayml.com/api"""

    submits_to = ("/v1/text_to_video", "/v1/image_to_video", "/v1/video_to_video")

    def is_look(self, request: web.Request) -> bool:
        return request.path.endswith("/v1/tasks/task-1")

    async def answer(self, request: web.Request) -> web.StreamResponse:
        if request.method == "DELETE":
            return web.Response(status=204)
        return await super().answer(request)

    def _task(self, **fields: Any) -> Json:
        return {"id": "task-1", "createdAt": "2026-11-28T20:00:00Z", **fields}

    def submitted(self, body: Any) -> Json:
        return {"id": "task-1", "estimatedCost": {"credits": 20}}

    def making(self) -> Json:
        return self._task(status="RUNNING", progress=0.5)

    def made(self, link: str) -> Json:
        return self._task(status="SUCCEEDED", output=[link], cost={"credits": 20})


class KlingHouse(FilmHouse):
    """Kling's newer generation: the model is in the path. Tasks are found by the caller's id as well."""

    submits_to = ("/kling-3.0", "/kling-3.0-turbo", "/kling-3.0-omni", "/neutral-model")

    def is_look(self, request: web.Request) -> bool:
        return request.path.endswith("/tasks")

    async def answer(self, request: web.Request) -> web.StreamResponse:
        wanted = request.query.get("external_task_ids")
        if wanted is not None:
            known = [body["options"]["external_task_id"] for body in self.bodies]
            tasks = [self._task(status="submitted", external_id=wanted)] if wanted in known else []
            return web.json_response(self._said(tasks))
        return await super().answer(request)

    def _task(self, **fields: Any) -> Json:
        return {"id": "task-1", "create_time": 1, "update_time": 2, "message": "", **fields}

    def _said(self, data: Any) -> Json:
        return {"code": 0, "message": "SUCCEED", "request_id": "r-1", "data": data}

    def submitted(self, body: Any) -> Json:
        return self._said({"id": "task-1", "status": "submitted"})

    def making(self) -> Json:
        return self._said([self._task(status="processing")])

    def made(self, link: str) -> Json:
        output = {"type": "video", "id": "v-1", "url": link, "watermark_url": "", "duration": "4.0"}
        billing = [{"charge_type": "cash", "amount": "0.40", "currency": "USD"}]
        return self._said([self._task(status="succeeded", outputs=[output], billing=billing)])


class OldKlingHouse(FilmHouse):
    """Kling's older generation: `model_name` in the body, and a task is asked for where it was made."""

    submits_to = ("/v1/videos/text2video", "/v1/videos/image2video", "/v1/videos/multi-image2video")

    def is_look(self, request: web.Request) -> bool:
        id = request.path.rpartition("/")[2]
        return id == "task-1" or any(body.get("external_task_id") == id for body in self.bodies)

    def _task(self, status: str, **fields: Any) -> Json:
        data = {"task_id": "task-1", "task_status": status, "task_status_msg": "", "created_at": 1, "updated_at": 2}
        return {"code": 0, "message": "SUCCEED", "request_id": "r-1", "data": {**data, **fields}}

    def submitted(self, body: Any) -> Json:
        return self._task("submitted", task_info={"external_task_id": body["external_task_id"]})

    def making(self) -> Json:
        return self._task("processing")

    def made(self, link: str) -> Json:
        videos = [{"id": "v-1", "url": link, "watermark_url": "", "duration": "4.0"}]
        return self._task("succeed", task_result={"videos": videos}, final_unit_deduction="2")


class VeoHouse(FilmHouse):
    """https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/veo-video-generation"""

    submits_to = (":predictLongRunning",)
    name = "projects/p/locations/l/publishers/google/models/m/operations/op-1"

    def is_look(self, request: web.Request) -> bool:
        return request.path.endswith(":fetchPredictOperation")

    def submitted(self, body: Any) -> Json:
        return {"name": self.name}

    def making(self) -> Json:
        return {"name": self.name}

    def made(self, link: str) -> Json:
        videos = [{"bytesBase64Encoded": b64encode(FILM).decode(), "mimeType": "video/mp4"}]
        return {
            "name": self.name, "done": True,
            "response": {"@type": "type.googleapis.com/cloud.ai.large_models.vision.GenerateVideoResponse",
                         "raiMediaFilteredCount": 0, "videos": videos},
        }  # fmt: skip


class GoogleVeoHouse(FilmHouse):
    """As it was recorded at generativelanguage.googleapis.com before it ended there."""

    submits_to = (":predictLongRunning",)
    name = "models/m-1/operations/op-1"

    def is_look(self, request: web.Request) -> bool:
        return request.path.endswith(f"/v1beta/{self.name}")

    async def answer(self, request: web.Request) -> web.StreamResponse:
        if request.path.endswith(":download"):
            return send_kept(request)
        self.host = request.host
        return await super().answer(request)

    def submitted(self, body: Any) -> Json:
        return {"name": self.name}

    def making(self) -> Json:
        return {"name": self.name}

    def made(self, link: str) -> Json:
        uri = f"http://{self.host}/v1beta/files/f-1:download?alt=media"
        kind = "type.googleapis.com/google.ai.generativelanguage.v1beta.PredictLongRunningResponse"
        made = {"@type": kind, "generateVideoResponse": {"generatedSamples": [{"video": {"uri": uri}}]}}
        return {"name": self.name, "done": True, "response": made}


def send_kept(request: web.Request) -> web.Response:
    """A file of Google's: only with the key, and only its content."""
    if request.query.get("alt") != "media" or "x-goog-api-key" not in request.headers:
        return web.json_response({"error": {"code": 403, "message": "no key"}}, status=403)
    return web.Response(body=FILM, content_type="video/mp4")


class OmniHouse(FilmHouse):
    """https://ai.google.dev/api/interactions: made in the background, and fetched as a file of Google's."""

    submits_to = ("/v1beta/interactions",)

    def is_look(self, request: web.Request) -> bool:
        return request.path.endswith("/v1beta/interactions/v1_1")

    async def answer(self, request: web.Request) -> web.StreamResponse:
        if request.path.endswith(":download"):
            return send_kept(request)
        if request.method == "POST" and request.path.endswith("/v1_1/cancel"):
            return web.json_response({"id": "v1_1", "status": "cancelled"})
        self.host = request.host
        return await super().answer(request)

    def _interaction(self, status: str, **fields: Any) -> Json:
        return {"id": "v1_1", "object": "interaction", "status": status, "model": "m-1", **fields}

    def submitted(self, body: Any) -> Json:
        return self._interaction("in_progress")

    def making(self) -> Json:
        return self._interaction(
            "in_progress", steps=[{"type": "user_input", "content": [{"type": "text", "text": "a cat"}]}]
        )

    def made(self, link: str) -> Json:
        film = {"type": "video", "mime_type": "video/mp4", "uri": f"http://{self.host}/v1beta/files/f-1"}
        said = {"type": "text", "text": "Here it is."}
        return self._interaction(
            "completed",
            steps=[{"type": "thought", "signature": "abc"}, {"type": "model_output", "content": [said, film]}],
            usage={
                "total_input_tokens": 7, "total_output_tokens": 900, "total_tokens": 907,
                "output_tokens_by_modality": [{"modality": "video", "tokens": 890}],
            },
        )  # fmt: skip


HOUSES: dict[str, type[FilmHouse]] = {
    "openai_videos": OpenAIHouse, "xai_videos": XAIHouse, "runway_tasks": RunwayHouse, "kling_tasks": KlingHouse,
    "kling_v1": OldKlingHouse, "vertex_veo": VeoHouse, "gemini_interactions": OmniHouse,
    "gemini_veo": GoogleVeoHouse,
}  # fmt: skip
"""The double of each protocol."""
