"""What a recorded body of each kind says, read with plain dicts and nothing of ours."""

from __future__ import annotations

import re
from typing import Any

ELIDED = re.compile(r"…?<<ELIDED (\d+) chars[^>]*>>")


def base64_size(text: str) -> int:
    """The bytes of a base64 text, with those of what was cut out of it, whose letters are counted there."""
    cut = ELIDED.search(text)
    letters = len(ELIDED.sub("", text).rstrip("=")) + (int(cut[1]) if cut else 0)
    return letters * 3 // 4


def vector_length(value: Any, size: int = 4) -> int:
    """A list of numbers, or base64 of numbers of so many bytes: floats of 32 bits, at one vendor of 8."""
    return len(value) if isinstance(value, list) else base64_size(value) // size


def read_embeddings(body: dict[str, Any]) -> dict[str, Any]:
    return {"vectors": tuple(_lengths(body)), "input": _embedding_tokens(body)}


def _lengths(body: dict[str, Any]) -> list[int]:
    if "data" in body:
        size = 1 if str(body.get("model")).startswith("pplx-") else 4
        return [vector_length(item["embedding"], size) for item in sorted(body["data"], key=lambda item: item["index"])]
    if "predictions" in body:
        return [len(item["embeddings"]["values"]) for item in body["predictions"]]
    if "embedding" in body:
        found = body["embedding"]
        return [len(found["values"] if isinstance(found, dict) else found)]
    rows = body["embeddings"]
    if isinstance(rows, dict):
        (rows,) = rows.values()
    return [len(row["values"] if isinstance(row, dict) else row) for row in rows]


def _embedding_tokens(body: dict[str, Any]) -> int | None:
    """The input tokens that a body states; None where it states none."""
    if usage := body.get("usage"):
        return int(usage.get("prompt_tokens", usage.get("total_tokens")))
    if usage := body.get("usageMetadata"):
        return int(usage["promptTokenCount"])
    if "predictions" in body:
        return sum(item["embeddings"]["statistics"]["token_count"] for item in body["predictions"])
    if (billed := body.get("meta", {}).get("billed_units")) is not None:
        images = int(billed.get("image_tokens") or 0)
        return int(billed["input_tokens"]) + images if "input_tokens" in billed else None
    return body.get("prompt_eval_count")


def read_rerank(body: dict[str, Any]) -> dict[str, Any]:
    places = body["results"] if "results" in body else body["data"]
    ranking = tuple({"index": item["index"], "score": item["relevance_score"]} for item in places)
    usage = body.get("usage") or {}
    by_search = {"total_tokens": 0} if "search_units" in body.get("meta", {}).get("billed_units", {}) else {}
    return {
        "ranking": ranking,
        "input": {**by_search, **usage}.get("prompt_tokens", {**by_search, **usage}.get("total_tokens")),
    }


def read_moderation(body: dict[str, Any]) -> dict[str, Any]:
    return {
        "verdicts": tuple(
            {
                "flagged": item["flagged"],
                "categories": sorted(name for name, said in item["categories"].items() if said),
            }
            for item in body["results"]
        ),
        "input": None,
    }


def read_image(body: dict[str, Any]) -> dict[str, Any]:
    items = body["data"] if "data" in body else [item for item in body["predictions"] if "bytesBase64Encoded" in item]
    media = tuple(_picture(item, body.get("output_format")) for item in items)
    usage = body.get("usage") or {}
    revised = next((item["revised_prompt"] for item in items if item.get("revised_prompt")), "")
    free = 0 if "predictions" in body or "cost_in_usd_ticks" in usage else None
    return {"media": media, "content": revised, "input": usage.get("input_tokens", usage.get("prompt_tokens", free))}


MAGIC = {"iVBORw0KGgo": "image/png", "/9j/": "image/jpeg", "UklGR": "image/webp"}
"""How the base64 of each type begins."""


def _picture(item: dict[str, Any], format: str | None) -> dict[str, Any]:
    text = item.get("b64_json") or item.get("bytesBase64Encoded")
    if text is None:
        return {"mime_type": item.get("mime_type", ""), "bytes": None}
    shown = next((kind for start, kind in MAGIC.items() if text.startswith(start)), "")
    stated = f"image/{format}" if format else ""
    return {"mime_type": shown or item.get("media_type") or stated, "bytes": base64_size(text)}


def read_transcription(body: dict[str, Any]) -> dict[str, Any]:
    if "results" in body:
        return _read_channels(body["results"]["channels"])
    words = body.get("words")
    spoken = None if words is None else len([word for word in words if word.get("type") != "spacing"])
    by_seconds = 0 if "duration" in body else None
    return {"content": body["text"], "words": spoken, "input": _heard(body.get("usage"), by_seconds)}


def _read_channels(channels: list[dict[str, Any]]) -> dict[str, Any]:
    """Billed by seconds, and by no tokens."""
    best = [channel["alternatives"][0] for channel in channels]
    text = "\n".join(item["transcript"] for item in best)
    return {"content": text, "words": sum(len(item["words"]) for item in best), "input": 0}


def _heard(usage: dict[str, Any] | None, otherwise: int | None) -> int | None:
    """The input tokens; those of sound stand beside the others at some, which the total shows."""
    if usage is None:
        return otherwise
    stated = usage.get("input_tokens", usage.get("prompt_tokens"))
    sound = (usage.get("prompt_tokens_details") or {}).get("audio_tokens") or 0
    return int(stated or 0) + (sound if sound > (stated or 0) else 0)


def read_speech(body: dict[str, Any]) -> dict[str, Any]:
    return {"media": ({"mime_type": "audio/mpeg", "bytes": base64_size(body["audio_data"])},), "input": 0}


def read_video(body: dict[str, Any]) -> dict[str, Any]:
    """A look at a job, in the words of those that were recorded."""
    if body.get("done"):
        samples = body["response"]["generateVideoResponse"]["generatedSamples"]
        films = ({"mime_type": "video/mp4", "bytes": None},) * len(samples)
        return {"job": {"step": "made"}, "media": films, "input": None}
    assert body["status"] == "pending"
    return {"job": {"step": "running", "progress": body["progress"] / 100}, "input": None}


READINGS = {
    "embeddings": read_embeddings,
    "rerank": read_rerank,
    "moderation": read_moderation,
    "image": read_image,
    "image-edit": read_image,
    "transcription": read_transcription,
    "speech": read_speech,
    "video": read_video,
}
