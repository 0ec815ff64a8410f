"""What servers of the categories other than text write, in plain dictionaries: made by nothing of ours."""

from __future__ import annotations

from base64 import b64encode
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


def titan_embed(index: int) -> Json:
    return {"embedding": VECTORS[index], "inputTextTokenCount": TOKENS - 3 if index else 3}


EMBEDDINGS = {
    "openai_embeddings": openai_embeddings, "cohere_embed": cohere_embed, "gemini": gemini,
    "vertex_predict": vertex_predict, "ollama_embed": ollama_embed,
}  # fmt: skip

PNG = b"\x89PNG\r\n\x1a\n and a picture"
SOUND = b"ID3 and some sound"
TEXT = "Ruby is a language."


def pictures() -> Json:
    item = {"b64_json": b64encode(PNG).decode(), "revised_prompt": "A better prompt"}
    details = {"text_tokens": 3, "image_tokens": TOKENS - 3}
    usage = {"input_tokens": TOKENS, "input_tokens_details": details, "output_tokens": 20, "total_tokens": 20 + TOKENS}
    return {"created": 1, "data": [item], "output_format": "png", "usage": usage}


def gemini_picture() -> Json:
    parts = [{"text": "Here it is."}, {"inlineData": {"mimeType": "image/png", "data": b64encode(PNG).decode()}}]
    candidate = {"content": {"role": "model", "parts": parts}, "finishReason": "STOP", "index": 0}
    return {
        "candidates": [candidate],
        "modelVersion": "m-1",
        "usageMetadata": {"promptTokenCount": TOKENS, "totalTokenCount": TOKENS},
    }


def imagen() -> Json:
    item = {"bytesBase64Encoded": b64encode(PNG).decode(), "mimeType": "image/png"}
    return {"predictions": [item, {"raiFilteredReason": "one was filtered out"}]}


def transcript() -> Json:
    words = [{"word": "Ruby", "text": "Ruby", "start": 0.25, "end": 0.5}]
    segments = [{"text": TEXT, "start": 0.25, "end": 1.5, "speaker": "A"}]
    usage = {
        "type": "tokens",
        "input_tokens": TOKENS,
        "input_token_details": {"audio_tokens": 4},
        "output_tokens": 5,
        "total_tokens": 5 + TOKENS,
    }
    return {"text": TEXT, "language": "en", "duration": 1.5, "words": words, "segments": segments, "usage": usage}


def scribe() -> Json:
    words = [
        {"text": "Ruby", "start": 0.25, "end": 0.5, "type": "word", "speaker_id": "A", "logprob": 0.0},
        {"text": " ", "start": 0.5, "end": 0.5, "type": "spacing", "speaker_id": "A", "logprob": 0.0},
    ]
    return {
        "language_code": "en",
        "language_probability": 1.0,
        "text": TEXT,
        "words": words,
        "audio_duration_secs": 1.5,
    }


def deepgram() -> Json:
    words = [{"word": "ruby", "punctuated_word": "Ruby", "start": 0.25, "end": 0.5, "confidence": 0.5, "speaker": 0}]
    alternative = {"transcript": TEXT, "confidence": 0.5, "words": words}
    channel = {"alternatives": [alternative], "detected_language": "en", "language_confidence": 1.0}
    return {"metadata": {"request_id": "r", "duration": 1.5, "channels": 1}, "results": {"channels": [channel]}}


def gemini_answer(*parts: Json, **usage: Any) -> Json:
    candidate = {"content": {"role": "model", "parts": parts}, "finishReason": "STOP", "index": 0}
    counts = {"promptTokenCount": TOKENS, "candidatesTokenCount": 5, "totalTokenCount": 5 + TOKENS}
    return {"candidates": [candidate], "modelVersion": "m-1", "usageMetadata": {**counts, **usage}}


HEARD = {
    "promptTokensDetails": [{"modality": "AUDIO", "tokenCount": 4}, {"modality": "TEXT", "tokenCount": TOKENS - 4}]
}


def gemini_text() -> Json:
    return gemini_answer({"text": f"{TEXT}\n"}, **HEARD)


def gemini_heard() -> Json:
    words = [{"word": "Ruby", "startOffset": "0.25s", "endOffset": "0.5s"}]
    offsets = {"startOffset": "0.25s", "endOffset": "1.5s"}
    heard = {"text": TEXT, "languageCode": "en", "speakerLabel": "A", "words": words, **offsets}
    return gemini_answer({"audioTranscription": heard}, **HEARD)


TRANSCRIPTS = {
    "elevenlabs_stt": scribe, "deepgram_stt": deepgram, "gemini": gemini_text, "gemini_transcribe": gemini_heard,
}  # fmt: skip


def sound() -> Json:
    return {"audio_data": b64encode(SOUND).decode()}


def gemini_sound() -> Json:
    inline = {"mimeType": "audio/L16;codec=pcm;rate=24000", "data": b64encode(SOUND).decode()}
    told = [{"modality": "AUDIO", "tokenCount": 5}]
    return gemini_answer({"inlineData": inline}, candidatesTokensDetails=told)


IMAGES = {"openai_images": pictures, "gemini": gemini_picture, "vertex_predict": imagen}
