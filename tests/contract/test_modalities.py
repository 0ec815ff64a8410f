"""The categories other than text, over every provider that declares them: sent or reported, read whole, no secret shown."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from betterai.core.exceptions import BetterAIError, ProviderError, RateLimitError, UnsupportedParam
from contract.cases import Case, over
from contract.modality_cases import (
    CANARY,
    CASES,
    JOBS,
    KINDS,
    OFFERED,
    PICTURE,
    SETTINGS,
    SHARED,
    UNNAMED,
    ask,
    build,
    connect,
    double_of,
    leaves_of,
    takes_one_text,
)
from contract.modality_doubles import PNG, SOUND, TEXT, TOKENS, VECTORS
from contract.test_calls import no_variables
from contract.test_secrets import echo, texts_of
from doubles.films import FILM
from runtime.upstream import Upstream, reply
from together import each

__all__ = ["no_variables"]
OVER_ALL = over(CASES)
OVER_OFFERED = over(OFFERED)


def test_there_are_such_providers() -> None:
    assert {case.category for case in OFFERED} == set(KINDS)
    assert {case.category for case in JOBS} == {"image", "video"}
    assert len({case.provider.name for case in CASES if case.category == "embeddings"}) >= 12


@OVER_OFFERED
def test_the_model_and_all_inputs_are_sent_and_no_null_is(case: Case) -> None:
    request = build(case)
    leaves = leaves_of(request)
    said = repr(leaves)
    assert "neutral-model" in said or case.protocol in UNNAMED
    for text in ("talk.mp3",) if case.category == "audio" else ("alpha", "beta"):
        carried = text in said or (text == "beta" and takes_one_text(case)) or "SUQzI" in said
        assert carried, text
    assert None not in leaves.values()
    assert request.warnings == ()


ALWAYS_SO = {("xai_stt", "timestamps"), ("deepgram_stt", "timestamps")}
"""What comes without being asked for."""


def build_or_refuse(case: Case, name: str, value: Any) -> Any:
    """The request with one setting; None where that is refused by its name."""
    refused = ""
    try:
        return build(case, **{name: value})
    except UnsupportedParam as error:
        refused = error.param
    assert refused == name
    return None


NAMED = [(case, name) for case in OFFERED for name in (*SETTINGS[case.category], *SHARED)]
OVER_NAMED = each("case, name", NAMED, by=lambda value: value[0].provider.name)


@OVER_NAMED
def test_t1_each_setting_is_sent_or_reported_or_raises(case: Case, name: str) -> None:
    request = build_or_refuse(case, name, {**SETTINGS[case.category], **SHARED}[name])
    if request is None:
        return
    before, after = leaves_of(build(case)), leaves_of(request)
    reported = {warning.field.partition(".")[0] for warning in request.warnings}
    changed = {place: leaf for place, leaf in after.items() if before.get(place, ...) != leaf}
    assert changed or name in reported or (case.protocol, name) in ALWAYS_SO


@OVER_NAMED
def test_t5_null_is_sent_as_null_or_not_at_all_and_never_breaks(case: Case, name: str) -> None:
    build_or_refuse(case, name, None)


@OVER_OFFERED
def test_an_option_of_the_vendor_that_is_not_known_is_reported(case: Case) -> None:
    request = build(case, options={case.provider.name: {"unheard_of": 1}, "elsewhere": {"a": 1}})
    assert [warning.field for warning in request.warnings] == [f"options.{case.provider.name}.unheard_of"]


@OVER_ALL
async def test_a_reply_is_read_whole_in_the_order_of_what_was_given(case: Case) -> None:
    with Upstream(double_of(case)) as upstream:
        provider, secrets = connect(case, upstream.url)
        result = await ask(case, provider)
        paths = [request.path for request in upstream.requests]
    assert all(case.codec.answers(path) for path in paths if not path.endswith(".mp4"))
    OWN_READERS.get((case.protocol, case.category), READERS[case.category])(result)
    if case.category not in ("moderation", "tts") and result.usage is not None and not result.usage.units:
        assert result.usage.input_tokens in (TOKENS, 0)
    assert result.provider == case.provider.name
    assert result.model
    assert result.cost is not None
    assert result.timing is not None
    assert [secret for secret in secrets if secret in repr(result) + repr(vars(provider))] == []


def read_vectors(result: Any) -> None:
    assert [list(vector) for vector in result.vectors] == VECTORS
    assert result.encoding == {"perplexity": "int8"}.get(result.provider, "float")
    assert result.usage.input_tokens == TOKENS


def read_ranking(result: Any) -> None:
    places = [(item.index, item.score, item.document) for item in result.ranking]
    assert places == [(1, 0.9, "beta"), (0, 0.25, "alpha")]


def read_verdicts(result: Any) -> None:
    first, second = result.verdicts
    assert (first.flagged, second.flagged) == (False, True)
    assert second.categories == {"violence": True, "hate": False}
    assert second.scores == {"violence": 0.75, "hate": 0.125}


def read_picture(result: Any) -> None:
    [picture] = result.images
    assert (picture.mime_type, picture.to_bytes()) == ("image/png", PNG)


def read_transcript(result: Any) -> None:
    assert (result.text, result.language, result.seconds) == (TEXT, "en", 1.5)
    [word] = result.words
    assert (word.text, word.start, word.end) == ("Ruby", 0.25, 0.5)
    if result.usage.units:
        assert (result.usage.units, result.usage.total_tokens, result.segments) == ({"second": 1.5}, 0, None)
        return
    [segment] = result.segments
    assert (segment.text, segment.speaker) == (TEXT, "A")
    assert (result.usage.audio_in, result.usage.text_in, result.usage.text_out) == (4, TOKENS - 4, 5)


def read_sound(result: Any) -> None:
    assert (result.audio.to_bytes(), result.audio.mime_type) == (SOUND, "audio/mpeg")
    assert (result.usage.units, result.usage.source) == ({"character": 10.0}, "counted")


def read_gemini_text(result: Any) -> None:
    assert (result.text, result.language, result.seconds, result.words, result.segments) == (TEXT, *[None] * 4)
    assert (result.usage.audio_in, result.usage.text_in, result.usage.text_out) == (4, TOKENS - 4, 5)


def read_gemini_heard(result: Any) -> None:
    """All but how long the recording is."""
    read_transcript(msgspec.structs.replace(result, seconds=1.5))
    assert [(word.speaker, word.confidence) for word in result.words] == [("A", None)]
    assert [(segment.start, segment.end) for segment in result.segments] == [(0.25, 1.5)]


def read_gemini_sound(result: Any) -> None:
    assert (result.audio.to_bytes(), result.audio.mime_type, result.sample_rate) == (SOUND, "audio/pcm", 24000)
    assert (result.usage.input_tokens, result.usage.audio_out, result.usage.source) == (TOKENS, 5, "provider")


def read_film(result: Any) -> None:
    [film] = result.videos
    data = film.to_bytes() if film.path is None else Path(film.path).read_bytes()
    assert (film.mime_type, data) == ("video/mp4", FILM)


READERS = {
    "embeddings": read_vectors, "rerank": read_ranking, "moderation": read_verdicts, "image": read_picture,
    "audio": read_transcript, "tts": read_sound, "video": read_film,
}  # fmt: skip
OWN_READERS = {
    ("gemini", "audio"): read_gemini_text, ("gemini_transcribe", "audio"): read_gemini_heard,
    ("gemini", "tts"): read_gemini_sound,
}  # fmt: skip
"""Of protocols that tell less, or in another way."""

BROKEN = (b"", b"{}", b"null", b"\xff", b'{"error": {"message": "odd"}}')


@OVER_ALL
async def test_e1_a_reply_without_a_result_is_an_error_of_ours(case: Case) -> None:
    bodies = BROKEN[:1] if case.category == "tts" and case.codec.reply == "bytes" else BROKEN
    with Upstream(*(reply(200, body) for body in bodies)) as upstream:
        provider, _ = connect(case, upstream.url)
        for _ in bodies:
            with pytest.raises(ProviderError) as caught:
                await ask(case, provider)
            assert caught.value.provider == case.provider.name


@OVER_ALL
async def test_x5_no_secret_shows_when_a_server_echoes_it(case: Case) -> None:
    with Upstream(echo) as upstream:
        provider, secrets = connect(case, upstream.url)
        with pytest.raises(BetterAIError) as caught:
            await ask(case, provider)
        assert any(secret in repr([(one.headers, one.query) for one in upstream.requests]) for secret in secrets)
    assert [secret for secret in secrets if secret in texts_of(caught.value)] == []
    assert (caught.value.provider, caught.value.model) == (case.provider.name, "neutral-model")


@OVER_ALL
async def test_r1_a_limit_is_told_as_one(case: Case) -> None:
    refused = reply(429, {"error": {"message": "slow down"}}, {"retry-after": "7"})
    with Upstream(refused) as upstream:
        provider, _ = connect(case, upstream.url)
        with pytest.raises(RateLimitError) as caught:
            await ask(case, provider)
    assert caught.value.retry_after == 7.0


EDITING = [case for case in CASES if case.category == "image" and getattr(case.codec, "accepts", {})]


@over(EDITING)
async def test_pictures_go_along_to_be_edited(case: Case) -> None:
    with Upstream(double_of(case)) as upstream:
        provider, _ = connect(case, upstream.url)
        await provider.generate("alpha", "", KINDS["image"](images=[PICTURE]))
        request = upstream.requests[0]
    encoded = "iVBORw0KGgogYW5kIGEgcGljdHVyZQ=="
    assert PNG in request.raw or encoded.encode() in request.raw
    assert CANARY.encode() not in request.raw
