"""Every provider that speaks a protocol of ours, called for real: at our server half, and at servers that fail."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Mapping, Sequence
from importlib import import_module
from importlib.util import find_spec
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints, is_typeddict

import pytest

import betterai
from betterai.core.base import BaseTextProvider
from betterai.core.exceptions import (
    AuthenticationError,
    BetterAIError,
    ConfigurationError,
    OverloadedError,
    ProviderError,
    RateLimitError,
    StreamInterrupted,
    UnsupportedParam,
)
from betterai.core.provider import GoogleAuth, SigV4Auth
from betterai.core.response import ProviderResponse
from betterai.core.settings import GenerationSettings
from betterai.providers import built_in_names
from betterai.wire.surfaces import SURFACES
from contract.answers import CHUNKS, TERMINATED, events_of, streamed_answer, whole_answer
from contract.cases import CASES, PROVIDERS, TEXT_CODECS, Case, build, over, visible
from judges.app import SERVED, serve
from runtime.upstream import Upstream, reply, stream
from together import each

HELLO = [{"role": "user", "content": "Hello, vendor"}]
KEY = "canary-53cr3t-0123456789"
SPOKEN = over(case for case in TEXT_CODECS if case.protocol in SERVED)
"""What the servers here speak."""


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Nothing of this machine's environment reaches a provider."""
    for variable in {name for provider in PROVIDERS.values() for setting in provider.settings for name in setting.env}:
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path_factory.getbasetemp() / "no-config"))
    monkeypatch.delenv("BETTERAI_CONFIG", raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")


def connect(case: Case, url: str, *, key: str | None = KEY, **config: Any) -> BaseTextProvider:
    """The vendor at a server of ours, its other settings filled in."""
    needed = {item.name: "filled-in" for item in case.provider.settings if item.required and item.default is None}
    needed = {name: value for name, value in needed.items() if name not in ("api_key", "base_url")}
    model = f"{case.provider.name}/neutral-model"
    return betterai.get_text_provider(
        betterai.CoreConfig(
            model=model,
            protocol=case.protocol,
            base_url=url,
            api_key=key,
            settings=needed,
            retries=0,
            timeout=20,
            **config,
        )
    )


async def ask(provider: BaseTextProvider, *, streaming: bool, model: str = "", **settings: Any) -> ProviderResponse:
    given = GenerationSettings(**settings)
    if not streaming:
        return await provider.generate(HELLO, model, given)
    chunks = [chunk async for chunk in provider.generate_stream(HELLO, model, given)]
    response = chunks[-1].response
    assert response is not None
    assert "".join(chunk.content for chunk in chunks) == response.content
    return response


def texts_of(error: BaseException) -> str:
    """All that a program could print of an error."""
    return "".join(traceback.format_exception(error)) + repr(error) + repr(vars(error))


@SPOKEN
async def test_a_chat_and_a_stream_say_the_same(case: Case) -> None:
    async with serve() as (url, app):
        whole = await ask(connect(case, url), streaming=False)
        streamed = await ask(connect(case, url), streaming=True)
    assert "Hello, vendor" in whole.content
    assert (whole.provider, whole.finish_reason) == (case.provider.name, "stop")
    assert streamed.message == whole.message
    asked = getattr(case.codec, "stream_usage", True)  # some vendors send it unasked; this server does not
    assert streamed.usage == (whole.usage if asked else None)
    assert whole.usage is not None
    assert whole.usage.output_tokens > 0
    assert [body.get("model", "neutral-model") for body in app.bodies] == ["neutral-model"] * 2
    assert {warning.code for warning in (*whole.warnings, *streamed.warnings)} <= {"unknown_model"}


@SPOKEN
async def test_the_key_is_sent_and_shown_nowhere(case: Case, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with Upstream(whole_answer(case), streamed_answer(case)) as upstream:
        provider = connect(case, upstream.url)
        shown = [repr(await ask(provider, streaming=streaming)) for streaming in (False, True)]
    assert all(KEY in repr((request.headers, request.query)) for request in upstream.requests)
    assert KEY not in "".join((*shown, caplog.text, repr(provider), repr(vars(provider))))


@SPOKEN
@each("streaming", [False, True], ids=["whole", "stream"])
async def test_a_missing_key_is_named_before_anything_is_sent(case: Case, streaming: bool) -> None:
    setting = case.provider.setting("api_key")
    with Upstream(streamed_answer(case) if streaming else whole_answer(case)) as upstream:
        provider = connect(case, upstream.url, key=None)
        if isinstance(case.provider.auth, SigV4Auth | GoogleAuth):
            with pytest.raises(ConfigurationError, match=r"no credentials of (AWS|Google Cloud) were found"):
                await ask(provider, streaming=streaming)
            return
        if setting is None or not setting.required:
            await ask(provider, streaming=streaming)
            assert "Authorization" not in upstream.requests[0].headers
            return
        with pytest.raises(ConfigurationError) as caught:
            await ask(provider, streaming=streaming)
    assert upstream.requests == []
    assert setting.env[0] in str(caught.value)
    assert case.provider.docs in str(caught.value)


ECHO = f"You sent {KEY}: odd"
FAILURES: Mapping[int, type[BetterAIError]] = {
    401: AuthenticationError, 429: RateLimitError, 500: ProviderError, 503: OverloadedError,
}  # fmt: skip


@SPOKEN
@each("streaming", [False, True], ids=["whole", "stream"])
@each("status", FAILURES)
async def test_a_failure_says_who_failed_and_not_the_key(
    case: Case, status: int, streaming: bool, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    failure = reply(status, {"error": {"message": ECHO, "type": "odd", "code": None}})
    with Upstream(failure) as upstream, pytest.raises(FAILURES[status]) as caught:
        await ask(connect(case, upstream.url), streaming=streaming)
    error = caught.value
    assert (error.provider, error.model, error.status) == (case.provider.name, "neutral-model", status)
    assert "odd" in error.provider_message
    assert KEY not in texts_of(error) + caplog.text


@SPOKEN
async def test_half_an_answer_is_an_error_and_a_whole_one_without_a_terminator_is_none(case: Case) -> None:
    cut = CHUNKS[0]
    failed = ProviderError("odd", status=500, provider_message="odd")
    scripts = [
        stream(events_of(case)[:-1]),
        streamed_answer(case, cut),
        streamed_answer(case, cut, ending="abort"),
        streamed_answer(case, cut, failed),
    ]
    with Upstream(*scripts) as upstream:
        provider = connect(case, upstream.url)
        for kind in (None, StreamInterrupted, StreamInterrupted, ProviderError):
            if kind is None and case.protocol in TERMINATED:
                assert (await ask(provider, streaming=True)).content == "Hello"
                continue
            with pytest.raises(kind or StreamInterrupted) as caught:
                await ask(provider, streaming=True)
            assert caught.value.provider == case.provider.name
    assert "odd" in caught.value.provider_message


@SPOKEN
async def test_what_is_not_sent_is_reported_or_raises(case: Case) -> None:
    options = {case.provider.name: {"unheard_of": 1}}
    with Upstream(whole_answer(case)) as upstream:
        response = await ask(connect(case, upstream.url), streaming=False, options=options)
        with pytest.raises(UnsupportedParam):
            await ask(connect(case, upstream.url, unsupported="raise"), streaming=False, options=options)
    assert "unheard_of" not in repr(upstream.requests[0].body)
    assert [warning.field for warning in response.warnings if warning.code == "dropped"] == [
        f"options.{case.provider.name}.unheard_of"
    ]


def options_of(name: str) -> dict[str, Any]:
    """The types of a vendor's own options, from the typed dicts in its `options.py`."""
    place = f"betterai.providers.{name}.options"
    if name not in built_in_names() or find_spec(place) is None:
        return {}
    module = import_module(place)
    dicts = [item for item in vars(module).values() if is_typeddict(item) and item.__name__.endswith("Options")]
    assert dicts, f"{place} has no typed dict named …Options"
    return {name: hint for item in dicts for name, hint in get_type_hints(item).items()}


def sample(hint: Any) -> Any:
    """A value of a type, none that is a usual default."""
    origin, inner = get_origin(hint), get_args(hint)
    if origin is Literal:
        return inner[-1]
    if origin in (Union, UnionType):
        return sample(next(item for item in inner if item is not NoneType))
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return {"canary": sample(inner[1])}
    if isinstance(origin, type) and issubclass(origin, Sequence):
        return [sample(inner[0])]
    if is_typeddict(hint):
        return {name: sample(item) for name, item in get_type_hints(hint).items()}
    return {str: "canary", int: 1717, float: 0.625, bool: True, Any: "canary"}[hint]


def sends_option(case: Case, name: str, value: Any) -> bool:
    request = build(case, options={case.provider.name: {name: value}})
    return request.warnings == () and visible(request) != visible(build(case))


@SPOKEN
def test_a_vendors_own_options_are_typed_and_sent(case: Case) -> None:
    """Each by the protocols that have it; none is there for nothing."""
    hints = options_of(case.provider.name)
    named = getattr(case.codec, "vendor_options", frozenset())
    assert named <= set(hints)
    spoken = [other for other in TEXT_CODECS if other.provider is case.provider]
    for name, hint in hints.items():
        senders = [other for other in spoken if sends_option(other, name, sample(hint))]
        assert senders, name
        assert case in senders or name not in named, name


def test_every_protocol_that_can_be_served_is_spoken_here() -> None:
    assert SERVED | {"bedrock_converse"} == SURFACES.keys()


EMBEDDED = [case for case in CASES if case.is_class and case.category == "text" and case.provider.embedded]


@over(EMBEDDED)
async def test_an_embedded_class_says_the_same_whole_and_streamed(case: Case) -> None:
    for model in case.models:
        whole, streamed = [
            await ask(betterai.get_text_provider(f"{case.provider.name}/{model}"), model=model, streaming=streaming)
            for streaming in (False, True)
        ]
        assert whole.content
        assert (streamed.content, streamed.finish_reason) == (whole.content, whole.finish_reason)


NO_TEXT = [provider for provider in PROVIDERS.values() if "text" not in provider.protocols]


@each("provider", NO_TEXT, ids=lambda provider: provider.name)
def test_a_vendor_that_does_not_speak_yet_says_so(provider: Any) -> None:
    with pytest.raises((ConfigurationError, betterai.ModelNotFoundError)) as caught:
        betterai.get_text_provider(f"{provider.name}/{next(iter(provider.models()), 'any-model')}")
    assert provider.title in str(caught.value)
