"""A service of Stability's kind, after its facts sheet (v2beta): forms in, a picture or JSON out, some of it later."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

from aiohttp import web

PNG = b"\x89PNG\r\n\x1a\n and a picture"
BLURRED = b"\x89PNG\r\n\x1a\n and a blur"
SEED = 17
ASPECTS = {"16:9", "1:1", "21:9", "2:3", "3:2", "4:5", "5:4", "9:16", "9:21"}
STYLES = {
    "3d-model", "analog-film", "anime", "cinematic", "comic-book", "digital-art", "enhance", "fantasy-art", "isometric",
    "line-art", "low-poly", "modeling-compound", "neon-punk", "origami", "photographic", "pixel-art", "tile-texture",
}  # fmt: skip
SD3 = {"sd3.5-large", "sd3.5-large-turbo", "sd3.5-medium", "sd3.5-flash"}
DEFERRED = {"upscale/creative", "edit/replace-background-and-relight"}
PICTURES = {"image", "subject_image", "background_reference", "light_reference", "init_image", "style_image", "mask"}
NEEDED: dict[str, tuple[str, ...]] = {
    "generate/core": ("prompt",), "generate/ultra": ("prompt",), "generate/sd3": ("prompt",), "edit/erase": ("image",),
    "edit/inpaint": ("image", "prompt"), "edit/outpaint": ("image",),
    "edit/search-and-replace": ("image", "prompt", "search_prompt"),
    "edit/search-and-recolor": ("image", "prompt", "select_prompt"), "edit/remove-background": ("image",),
    "edit/replace-background-and-relight": ("subject_image",), "upscale/fast": ("image",),
    "upscale/conservative": ("image", "prompt"), "upscale/creative": ("image", "prompt"),
    "control/sketch": ("image", "prompt"), "control/structure": ("image", "prompt"),
    "control/style": ("image", "prompt"), "control/style-transfer": ("init_image", "style_image"),
}  # fmt: skip
"""The routes, and what each cannot do without."""
NAMES = {
    400: "bad_request", 401: "unauthorized", 402: "payment_required", 403: "content_moderation",
    404: "not_found", 413: "payload_too_large", 422: "invalid_language", 429: "rate_limit_exceeded",
    500: "internal_error",
}  # fmt: skip


def failure(status: int, *errors: str, headers: dict[str, str] | None = None) -> web.Response:
    body = {"id": "f-1", "name": NAMES[status], "errors": list(errors)}
    return web.json_response(body, status=status, headers=headers)


class StabilityService:
    """`forms` are the fields of each request that was taken, files as bytes; `looks` how often a job is not ready."""

    def __init__(self, key: str, looks: int = 1) -> None:
        self.key, self.looks = key, looks
        self.forms: list[tuple[str, dict[str, Any]]] = []
        self.users: list[str | None] = []
        self.seen: list[str] = []
        """Each look at a result."""
        self.filters = False
        self.fails: web.Response | None = None
        self.expired = False

    async def handle(self, request: web.Request) -> web.StreamResponse:
        if request.headers.get("Authorization") != f"Bearer {self.key}":
            return failure(401, "authorization: invalid or missing header value")
        if request.method == "GET":
            return self._look(request)
        if not request.content_type.startswith("multipart/form-data"):
            return failure(400, "content-type: required")
        route = request.path.partition("/v2beta/stable-image/")[2]
        fields = {name: self._read(value) for name, value in (await request.post()).items()}
        faults = find_faults(route, fields)
        if faults:
            return failure(400, *faults)
        self.users.append(request.headers.get("stability-client-user-id"))
        self.forms.append((route, fields))
        if self.fails is not None:
            return self.fails
        if route in DEFERRED:
            return web.json_response({"id": "j" * 64}, status=200 if route == "upscale/creative" else 202)
        return self._give(request)

    def _look(self, request: web.Request) -> web.Response:
        id = request.path.partition("/v2beta/results/")[2]
        self.seen.append(id)
        if id != "j" * 64 or self.expired:
            return failure(404, "id: no such result")
        if len(self.seen) <= self.looks:
            return web.json_response({"id": id, "status": "in-progress"}, status=202)
        return self._give(request)

    def _give(self, request: web.Request) -> web.Response:
        picture, reason = (BLURRED, "CONTENT_FILTERED") if self.filters else (PNG, "SUCCESS")
        if request.headers["Accept"] == "application/json":
            return web.json_response({"image": b64encode(picture).decode(), "seed": SEED, "finish_reason": reason})
        headers = {"content-type": "image/png", "finish-reason": reason, "seed": str(SEED)}
        return web.Response(body=picture, headers=headers)

    def _read(self, value: Any) -> Any:
        return value.file.read() if isinstance(value, web.FileField) else value


def find_faults(route: str, fields: dict[str, Any]) -> list[str]:
    """What the service would say of a form."""
    if route not in NEEDED:
        return [f"no route {route}"]
    faults = [f"{name}: required" for name in NEEDED[route] if not fields.get(name)]
    faults += [f"{name}: must be a file" for name in PICTURES & fields.keys() if not isinstance(fields[name], bytes)]
    allowed = {"aspect_ratio": ASPECTS, "style_preset": STYLES, "output_format": {"png", "jpeg", "webp"}, "model": SD3}
    faults += [
        f"{name}: {fields[name]} is none of those" for name in allowed if fields.get(name) not in {None, *allowed[name]}
    ]
    if route == "generate/sd3" and fields.get("mode") == "image-to-image":
        faults += ["aspect_ratio: not allowed"] if "aspect_ratio" in fields else []
        faults += [f"{name}: required" for name in ("image", "strength") if name not in fields]
    if route == "edit/outpaint" and not any(int(fields.get(side, 0)) > 0 for side in ("left", "right", "up", "down")):
        faults.append("left, right, up, down: one of them must be positive")
    if not 0 <= json.loads(fields.get("seed", "0")) <= 4294967294:
        faults.append("seed: out of range")
    return faults
