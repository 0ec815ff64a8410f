"""What servers of the categories other than text write, in plain dictionaries: made by nothing of ours."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]
VECTORS = [[0.25, -0.5], [1.0, 0.0]]
TOKENS = 7


def openai_embeddings() -> Json:
    data = [{"object": "embedding", "index": index, "embedding": vector} for index, vector in enumerate(VECTORS)]
    usage = {"prompt_tokens": TOKENS, "total_tokens": TOKENS}
    return {"object": "list", "data": data[::-1], "model": "m-1", "usage": usage, "unheard_of": {"a": 1}}


def cohere_embed() -> Json:
    return {
        "id": "e-1", "embeddings": {"float": VECTORS}, "texts": ["a", "b"], "response_type": "embeddings_by_type",
        "meta": {"api_version": {"version": "2"}, "billed_units": {"input_tokens": TOKENS}},
    }  # fmt: skip


def gemini() -> Json:
    return {"embeddings": [{"values": vector} for vector in VECTORS], "usageMetadata": {"promptTokenCount": TOKENS}}


def gemini_single(index: int) -> Json:
    """For a model that takes one text a request; the tokens of both are those of the rest."""
    counted = TOKENS - 3 if index else 3
    return {"embedding": {"values": VECTORS[index]}, "usageMetadata": {"promptTokenCount": counted}, "truncated": False}


def vertex_predict() -> Json:
    counts = (3, TOKENS - 3)
    return {
        "predictions": [
            {"embeddings": {"values": vector, "statistics": {"token_count": count, "truncated": False}}}
            for vector, count in zip(VECTORS, counts, strict=True)
        ],
        "metadata": {"billableCharacterCount": 9},
    }


def ollama_embed() -> Json:
    return {"model": "m-1", "embeddings": VECTORS, "total_duration": 1, "load_duration": 1, "prompt_eval_count": TOKENS}


def rerank(where: str = "results") -> Json:
    places = [{"index": 1, "relevance_score": 0.9}, {"index": 0, "relevance_score": 0.25}]
    return {"id": "r-1", where: places[::-1], "usage": {"prompt_tokens": TOKENS, "total_tokens": TOKENS}}


def moderations() -> Json:
    verdicts = [
        {"flagged": hit, "categories": {"violence": hit, "hate": False, "unjudged": None},
         "category_scores": {"violence": 0.75 if hit else 0.0, "hate": 0.125, "unjudged": None}}
        for hit in (False, True)
    ]  # fmt: skip
    return {"id": "modr-1", "model": "m-1", "results": verdicts}


EMBEDDINGS = {
    "openai_embeddings": openai_embeddings, "cohere_embed": cohere_embed, "gemini": gemini,
    "vertex_predict": vertex_predict, "ollama_embed": ollama_embed,
}  # fmt: skip
