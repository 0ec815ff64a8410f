"""What the contract tests of the categories other than text ask with, and the doubles that answer them."""

from __future__ import annotations

from typing import Any

import msgspec
from aiohttp import web

import betterai
from betterai.core.media import Media
from betterai.core.results import RerankInput
from betterai.core.settings import (
    EmbeddingSettings,
    ImageSettings,
    ModerationSettings,
    RerankSettings,
    SpeechSettings,
    TranscriptionSettings,
    VideoSettings,
)
from betterai.core.wire import Call, Multipart, WireRequest
from betterai.runtime.attempts import Clock
from betterai.runtime.encoding import encode_request
from betterai.runtime.exchange import is_job
from betterai.runtime.factory import find_provider
from betterai.transport.egress import any_socket
from betterai.transport.http import HTTPTransport
from contract.cases import CODECS, Case, flatten, visible
from contract.modality_doubles import (
    EMBEDDINGS,
    IMAGES,
    PNG,
    SOUND,
    TRANSCRIPTS,
    gemini_single,
    gemini_sound,
    moderations,
    rerank,
    sound,
    titan_embed,
    transcript,
)
from contract.test_secrets import canary_of
from doubles.films import FILM, HOUSES
from runtime.upstream import Behaviour, reply

CANARY = "canary-17"
PICTURE = Media(kind="image", mime_type="image/png", data=PNG, filename="a.png")
FOOTAGE = Media(kind="video", mime_type="video/mp4", url="https://films.example/a.mp4")
RECORDING = Media(kind="audio", mime_type="audio/mpeg", data=SOUND, filename="talk.mp3")
KINDS: dict[str, type[Any]] = {
    "embeddings": EmbeddingSettings, "rerank": RerankSettings, "moderation": ModerationSettings, "image": ImageSettings,
    "audio": TranscriptionSettings, "tts": SpeechSettings, "video": VideoSettings,
}  # fmt: skip
SETTINGS: dict[str, dict[str, Any]] = {
    "embeddings": {"dimensions": 1717, "task": CANARY, "encoding": "int8", "truncate": False, "user": CANARY},
    "rerank": {"top": 1717, "max_tokens": 1717, "truncate": False},
    "moderation": {},
    "image": {
        "size": "1536x1024", "aspect": "3:2", "n": 3, "quality": CANARY, "style": CANARY, "format": "webp",
        "compression": 17, "background": CANARY, "seed": 1717, "steps": 17, "guidance": 1.75, "negative_prompt": CANARY,
        "images": (PICTURE,), "partial_images": 2, "moderation": CANARY, "user": CANARY,
    },
    "audio": {
        "language": "de", "prompt": CANARY, "keywords": (CANARY,), "timestamps": ("word",), "diarize": True,
        "speakers": 17, "temperature": 0.375, "translate": True, "sample_rate": 1717, "channels": 17,
        "encoding": CANARY, "interim": True,
    },
    "tts": {
        "voice": CANARY, "format": "flac", "sample_rate": 1717, "speed": 1.75, "language": "de",
        "instructions": CANARY, "seed": 1717, "alignment": True,
    },
    "video": {
        "seconds": 6.0, "size": "1920x1080", "aspect": "9:16", "resolution": "1080p", "fps": 17, "n": 3, "seed": 1717,
        "negative_prompt": CANARY, "audio": False, "first_frame": PICTURE, "last_frame": PICTURE, "images": (PICTURE,),
        "video": FOOTAGE,
    },
}  # fmt: skip
"""A value for every setting of each category, none of them a usual default."""
SHARED: dict[str, Any] = {
    "extra_body": {"unheard_of": CANARY}, "extra_headers": {"X-Unheard-Of": CANARY}, "extra_query": {"unheard_of": CANARY},
}  # fmt: skip
INPUTS: dict[str, Any] = {
    "embeddings": ("alpha", "beta"), "rerank": RerankInput(query="which", documents=("alpha", "beta")),
    "moderation": ("alpha", "beta"), "image": "alpha beta", "audio": RECORDING, "tts": "alpha beta", "video": "alpha beta",
}  # fmt: skip


async def _make_later(request: web.Request) -> web.StreamResponse:
    if request.method == "POST":
        return web.json_response({"id": "j-1"})
    return web.Response(body=PNG, content_type="image/png", headers={"finish-reason": "SUCCESS"})


def _make_elsewhere(content: bytes, content_type: str, sample: str) -> Behaviour:
    async def behave(request: web.Request) -> web.StreamResponse:
        here = request.url.origin()
        if request.method == "POST":
            return web.json_response({"id": "j-1", "polling_url": f"{here}/v1/get_result?id=j-1"})
        if request.path == "/v1/get_result":
            return web.json_response({"id": "j-1", "status": "Ready", "result": {"sample": f"{here}/v1/{sample}"}})
        return web.Response(body=content, content_type=content_type)

    return behave


MADE_LATER: dict[str, Behaviour] = {
    "stability_jobs": _make_later, "flux_images": _make_elsewhere(PNG, "image/png", "sample.png"),
    "flux_video": _make_elsewhere(FILM, "video/mp4", "sample.mp4"),
}  # fmt: skip
"""Doubles of jobs that belong to no house of films."""

OFFERED = [
    case
    for case in CODECS
    if case.category in KINDS and not hasattr(case.codec, "connect") and not case.provider.embedded
]
"""All but sessions, whose frames are their vendors' own: they are tested in their folders. What is embedded sends
nothing: `test_embedded.py` asks it.
"""
JOBS = [case for case in OFFERED if hasattr(case.codec, "run")]
CASES = [case for case in OFFERED if case not in JOBS or case.protocol in {*HOUSES, *MADE_LATER}]
"""Those that answer at once, and jobs that have a double."""
UNNAMED = frozenset({"xai_stt", "xai_live_stt", "xai_tts"})
"""Protocols whose requests name no model."""


def build(case: Case, **settings: Any) -> WireRequest:
    """The request that a call becomes, encoded."""
    kind = KINDS[case.category]
    call: Any = Call(model=case.model, input=INPUTS[case.category], settings=kind(**settings), id="0" * 32, now=1.8e9)
    if (submit := getattr(case.codec, "build_submit", None)) is not None:
        return encode_request(submit(call), settings.get("extra_body"))
    return encode_request(case.codec.build_request(call), settings.get("extra_body"))


def leaves_of(request: WireRequest) -> dict[str, Any]:
    """All that a request says, by place, the fields of forms too."""
    if isinstance(request.body, Media):
        return {**visible(msgspec.structs.replace(request, body=b"")), "/body": request.body.filename}
    if not isinstance(request.body, Multipart):
        return visible(request)
    beside = {"headers": dict(request.headers), "query": dict(request.query), "url": request.url}
    fields = {
        f"/form/{index}/{field.name}": field.value.filename if isinstance(field.value, Media) else field.value
        for index, field in enumerate(request.body.fields)
    }
    return {**flatten(beside), **fields}


def takes_one_text(case: Case) -> bool:
    return getattr(case.codec, "most_texts", None) == 1


def double_of(case: Case) -> Behaviour:
    """A server of the case's protocol."""
    if case.category == "rerank":
        return reply(200, rerank("data" if case.codec.fields.get("top") == "top_k" else "results"))
    if case.category == "moderation":
        return reply(200, moderations())
    if case.protocol == "stability_images":
        return reply(200, PNG, {"finish-reason": "SUCCESS", "seed": "17"}, content_type="image/png")
    if case.protocol in MADE_LATER:
        return MADE_LATER[case.protocol]
    if case.category == "image":
        return reply(200, IMAGES[case.protocol]())
    if case.category == "audio":
        return reply(200, TRANSCRIPTS.get(case.protocol, transcript)())
    if case.protocol == "gemini" and case.category == "tts":
        return reply(200, gemini_sound())
    if case.category == "tts":
        return reply(200, sound()) if case.codec.reply == "json" else reply(200, SOUND, content_type="audio/mpeg")
    if case.category == "video" and case.protocol in HOUSES:
        return HOUSES[case.protocol](looks=1)
    return _embed_one if takes_one_text(case) else reply(200, EMBEDDINGS[case.protocol]())


async def _embed_one(request: web.Request) -> web.StreamResponse:
    body = await request.json()
    if "inputText" in body:
        return web.json_response(titan_embed(("alpha", "beta").index(body["inputText"])))
    text = body["content"]["parts"][0]["text"]
    return web.json_response(gemini_single(("alpha", "beta").index(text)))


async def _wait_for_nothing(seconds: float) -> None:
    """In place of the seconds between two looks at a job."""


def connect(case: Case, url: str) -> tuple[Any, set[str]]:
    """The vendor with a canary in each secret setting that a key alone opens."""
    values: dict[str, str] = {}
    secrets: set[str] = set()
    for setting in case.provider.settings:
        if setting.secret and setting.name != "credentials":
            values[setting.name] = canary_of(setting)
            secrets.add(values[setting.name])
        elif setting.required and setting.default is None and not setting.secret and setting.name != "base_url":
            values[setting.name] = "filled-in"
    config = betterai.CoreConfig(
        model=f"{case.provider.name}/neutral-model", protocol=case.protocol, base_url=url,
        api_key=values.pop("api_key", None), settings=values, retries=0,
    )  # fmt: skip
    transport = HTTPTransport(guard=any_socket)
    source = (lambda: transport) if case.category == "video" else None
    provider, model, _ = find_provider(case.category, config, transport=source)  # type: ignore[arg-type]
    assert model.category == case.category
    if is_job(case.codec):
        provider._clock = Clock(sleep=_wait_for_nothing)
    return provider, secrets


async def ask(case: Case, provider: Any) -> Any:
    """The whole result of the case's input."""
    value = INPUTS[case.category]
    if case.category == "rerank":
        return await provider.rerank(value.query, value.documents)
    method = {
        "embeddings": "embed",
        "moderation": "moderate",
        "image": "generate",
        "audio": "transcribe",
        "tts": "synthesize",
        "video": "generate",
    }
    return await getattr(provider, method[case.category])(value)


def without_raw(result: Any) -> str:
    """What a result shows, but for the reply as received."""
    return repr(msgspec.structs.replace(result, body=b""))
