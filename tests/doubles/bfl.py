"""A service of Black Forest Labs' kind, after its facts sheet: JSON in, a job, a look at it, a signed address."""

from __future__ import annotations

from base64 import b64decode
from typing import Any

from aiohttp import web

PNG = b"\x89PNG\r\n\x1a\n and a picture"
FILM = b"\x00\x00\x00\x18ftypmp42" + bytes(range(256)) * 10
SIGNATURE = "signed-1"
_EVERY = {"prompt", "seed", "output_format", "safety_tolerance", "prompt_upsampling"}
_SIZED = _EVERY | {"width", "height"}
_TUNED = {"steps", "guidance"}
_INPUTS = {"input_image", *(f"input_image_{number}" for number in range(2, 11))}
BODIES: dict[str, set[str]] = {
    "flux-2-pro": _SIZED | _INPUTS, "flux-2-max": _SIZED | _INPUTS, "flux-2-flex": _SIZED | _TUNED | _INPUTS,
    "flux-2-klein-4b": _SIZED | _INPUTS,
    "flux-kontext-pro": _EVERY | {"aspect_ratio", "input_image", "input_image_2", "input_image_3", "input_image_4"},
    "flux-pro-1.1": _SIZED | {"image_prompt"},
    "flux-pro-1.1-ultra": _EVERY | {"aspect_ratio", "raw", "image_prompt", "image_prompt_strength"},
    "flux-dev": _SIZED | _TUNED | {"image_prompt"},
    "flux-pro-1.0-fill": _EVERY | _TUNED | {"image", "mask"},
    "flux-pro-1.0-expand": _EVERY | _TUNED | {"image", "top", "bottom", "left", "right"},
    "flux-3-video": {
        "mode", "prompt", "aspect_ratio", "duration", "resolution", "generate_audio", "safety_tolerance", "draft",
        "version", "keyframes", "start_video", "draft_cache",
    },
}  # fmt: skip
"""The fields of each model's body."""


class FluxService:
    """`bodies` are those that were taken. `statuses` are what the looks say, one after the other, the last for ever."""

    def __init__(self, key: str, *statuses: str, word: str = "status") -> None:
        self.key, self.statuses, self.word = key, statuses or ("Ready",), word
        self.bodies: list[tuple[str, dict[str, Any]]] = []
        self.looks: list[dict[str, str]] = []
        """The queries of all looks."""
        self.submitted: dict[str, Any] = {"cost": 4, "input_mp": 0.0, "output_mp": 1.05}
        self.looked: dict[str, Any] = {}
        self.details: Any = None
        self.prompt = ""
        self.refusal: tuple[int, Any] | None = None
        self.fetched: list[str | None] = []
        """The key that came with each fetch."""
        self.delivery = ""
        """Where results are, if not here."""
        self.stored: tuple[int, bytes] | None = None
        self.content = PNG

    async def handle(self, request: web.Request) -> web.StreamResponse:
        if request.path == "/delivery/sample":
            return self._deliver(request)
        if request.headers.get("x-key") != self.key:
            return web.json_response({"detail": "Not authenticated"}, status=403)
        if request.method == "GET":
            assert request.path == "/v1/get_result"
            return self._look(request)
        model, body = request.path.removeprefix("/v1/"), await request.json()
        faults = find_faults(model, body)
        if faults:
            return web.json_response({"detail": faults}, status=422)
        if self.refusal is not None:
            return web.json_response({"detail": self.refusal[1]}, status=self.refusal[0])
        self.bodies.append((model, body))
        here = request.url.origin()
        return web.json_response({"id": "j-1", "polling_url": f"{here}/v1/get_result?id=j-1&part=2", **self.submitted})

    def _look(self, request: web.Request) -> web.Response:
        self.looks.append(dict(request.query))
        status = self.statuses[min(len(self.looks), len(self.statuses)) - 1]
        body: dict[str, Any] = {
            "id": "j-1",
            self.word: status,
            "result": None,
            "progress": None,
            "details": self.details,
        }
        if status == "Pending":
            body["progress"] = 0.5
        if status == "Ready":
            sample = f"{self.delivery or request.url.origin()}/delivery/sample?se={SIGNATURE}"
            body["result"] = {"sample": sample, "seed": 17, "prompt": self.prompt, "duration": 5.0}
            body |= self.looked
        return web.json_response(body)

    def _deliver(self, request: web.Request) -> web.Response:
        self.fetched.append(request.headers.get("x-key"))
        assert request.query["se"] == SIGNATURE
        if self.stored is not None:
            return web.Response(status=self.stored[0], body=self.stored[1], content_type="application/xml")
        return web.Response(body=self.content, content_type="image/png" if self.content == PNG else "video/mp4")


def find_faults(model: str, body: dict[str, Any]) -> list[dict[str, Any]]:
    """What the service says of a body, as FastAPI does."""
    faults = [(name, "extra fields not permitted") for name in body.keys() - BODIES.get(model, body.keys())]
    faults += [(name, "must be a multiple of 32") for name in ("width", "height") if body.get(name, 32) % 32]
    faults += [(name, "must not be null") for name, value in body.items() if value is None]
    pictures = [name for name in body if "image" in name and name != "image_prompt_strength"]
    faults += [(name, "is no picture") for name in [*pictures, "mask"] if name in body and not _is_picture(body[name])]
    return [{"loc": ["body", name], "msg": why, "type": "value_error"} for name, why in faults]


def _is_picture(value: str) -> bool:
    if value.startswith("https://"):
        return True
    try:
        return b64decode(value, validate=True).startswith(b"\x89PNG")
    except ValueError:
        return False
