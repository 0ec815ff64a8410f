"""Speech and transcription over WebSockets, over every provider that has such sessions: sent or reported, ends told,
errors ours, no secret shown.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web

from betterai.core.exceptions import BetterAIError, ProviderError, RateLimitError, UnsupportedParam
from betterai.core.wire import Call
from contract.cases import CODECS, Case, flatten
from contract.modality_cases import KINDS, SETTINGS, SHARED, UNNAMED, connect
from contract.test_calls import no_variables
from contract.test_secrets import echo, texts_of
from runtime.upstream import Upstream, reply

__all__ = ["no_variables"]
SESSIONS = [case for case in CODECS if case.category in ("audio", "tts") and hasattr(case.codec, "connect")]
OVER_ALL = pytest.mark.parametrize("case", SESSIONS, ids=str)
ITEMS: dict[str, Any] = {"audio": b"sound", "tts": "Alpha beta. "}
UP = '{"type":"session.created"}'
UPS = {"xai_live_stt": '{"type":"transcript.created"}'}
"""What says that a session is up, where that is another frame."""
ALWAYS_SO = {
    ("deepgram_live", "timestamps"), ("deepgram_flux", "timestamps"), ("deepgram_flux", "interim"),
    ("elevenlabs_live_stt", "interim"), ("openai_live_stt", "interim"), ("xai_live_stt", "timestamps"),
}  # fmt: skip
"""What comes without being asked for, or is chosen among what comes."""


def test_there_are_such_sessions() -> None:
    assert {case.category for case in SESSIONS} == {"audio", "tts"}
    assert {case.provider.name for case in SESSIONS} >= {"deepgram", "elevenlabs", "mistral"}


def make_call(case: Case, **settings: Any) -> Any:
    return Call(model=case.model, input="", settings=KINDS[case.category](**settings), id="0" * 32, now=1.8e9)


def leaves_of(case: Case, **settings: Any) -> tuple[dict[str, Any], set[str]]:
    """All that is said until a first piece has been sent, and the settings that are reported."""
    call = make_call(case, **settings)
    request, state = case.codec.connect(call), case.codec.open(call)
    frames = [*state.send(ITEMS[case.category]), *state.receive(UPS.get(case.protocol, UP))[1], *state.send(None)]
    said = {"url": request.url, "query": dict(request.query), "headers": dict(request.headers), "frames": frames}
    return flatten(said), {warning.field.partition(".")[0] for warning in request.warnings}


@OVER_ALL
def test_the_model_and_what_is_given_are_sent_and_nothing_is_reported(case: Case) -> None:
    leaves, reported = leaves_of(case)
    said = repr(leaves)
    assert "neutral-model" in said or case.protocol in UNNAMED
    assert ("Alpha beta." if case.category == "tts" else "sound") in said or "c291bmQ=" in said
    assert not reported
    assert None not in leaves.values()


@OVER_ALL
def test_t1_each_setting_is_sent_or_reported_or_raises(case: Case) -> None:
    before, _ = leaves_of(case)
    for name, value in {**SETTINGS[case.category], **SHARED}.items():
        leaves_of(case, **{name: None})
        refused = ""
        try:
            after, reported = leaves_of(case, **{name: value})
        except UnsupportedParam as error:
            refused = error.param
        if refused:
            assert refused == name
            continue
        changed = {place for place, leaf in after.items() if before.get(place, ...) != leaf}
        assert changed or name in reported or (case.protocol, name) in ALWAYS_SO, name
    own = {case.provider.name: {"unheard_of": 1}, "elsewhere": {"a": 1}}
    [warning] = case.codec.connect(make_call(case, options=own)).warnings
    assert warning.field == f"options.{case.provider.name}.unheard_of"


async def _items(case: Case) -> AsyncIterator[Any]:
    yield ITEMS[case.category]


async def ask(case: Case, provider: Any) -> list[Any]:
    method = {"audio": "transcribe_stream", "tts": "synthesize_stream"}[case.category]
    return [piece async for piece in getattr(provider, method)(_items(case))]


@OVER_ALL
async def test_a_refused_handshake_is_an_error_of_ours_that_shows_no_secret(case: Case) -> None:
    with Upstream(echo, reply(429, {"error": {"message": "slow down"}}, {"retry-after": "7"})) as upstream:
        provider, secrets = connect(case, upstream.url)
        with pytest.raises(BetterAIError) as caught:
            await ask(case, provider)
        assert any(secret in repr([(one.headers, one.query) for one in upstream.requests]) for secret in secrets)
        assert [secret for secret in secrets if secret in texts_of(caught.value)] == []
        assert (caught.value.provider, caught.value.model) == (case.provider.name, "neutral-model")
        with pytest.raises(RateLimitError) as limited:
            await ask(case, provider)
        assert limited.value.retry_after == 7.0


FRAMES = ("{", "null", "[]", '{"type":7}', '{"audio":7}', '{"message_type":7}', b"\xff\x00")


@OVER_ALL
async def test_s4_a_session_that_ends_at_once_or_talks_nonsense_is_no_success(case: Case) -> None:
    said: list[Any] = []

    async def talk(request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_str(UPS.get(case.protocol, UP))
        await socket.receive()
        for frame in said:
            await (socket.send_str if isinstance(frame, str) else socket.send_bytes)(frame)
        await socket.close()
        return socket

    with Upstream(talk) as upstream:
        provider, _ = connect(case, upstream.url)
        for frame in (None, *FRAMES):
            said[:] = [] if frame is None else [frame]
            with pytest.raises(ProviderError) as caught:
                await ask(case, provider)
            assert (caught.value.provider, caught.value.model) == (case.provider.name, "neutral-model")
