"""Embeddings, ranking and moderation over every provider that declares them: sent or reported, read whole, nothing shown."""

from __future__ import annotations

from typing import Any

import pytest
from aiohttp import web

import betterai
from betterai.core.exceptions import BetterAIError, RateLimitError, UnsupportedParam
from betterai.core.results import RerankInput
from betterai.core.settings import EmbeddingSettings, ModerationSettings, RerankSettings
from betterai.core.wire import Call
from betterai.runtime.encoding import encode_request
from betterai.runtime.factory import find_provider
from contract.cases import CODECS, Case, visible
from contract.modality_doubles import EMBEDDINGS, TOKENS, VECTORS, gemini_single, moderations, rerank
from contract.test_calls import no_variables
from contract.test_secrets import canary_of, echo, texts_of
from runtime.upstream import Behaviour, Upstream, reply

__all__ = ["no_variables"]
CANARY = "canary-17"
SETTINGS: dict[str, tuple[type[Any], dict[str, Any]]] = {
    "embeddings": (EmbeddingSettings, {"dimensions": 1717, "task": CANARY, "encoding": "int8", "truncate": False, "user": CANARY}),
    "rerank": (RerankSettings, {"top": 1717, "max_tokens": 1717, "truncate": False}),
    "moderation": (ModerationSettings, {}),
}  # fmt: skip
SHARED = {
    "extra_body": {"unheard_of": CANARY},
    "extra_headers": {"X-Unheard-Of": CANARY},
    "extra_query": {"unheard_of": CANARY},
}
INPUTS: dict[str, Any] = {
    "embeddings": ("alpha", "beta"), "rerank": RerankInput(query="which", documents=("alpha", "beta")), "moderation": ("alpha", "beta"),
}  # fmt: skip
CASES = [case for case in CODECS if case.category in SETTINGS]
OVER_ALL = pytest.mark.parametrize("case", CASES, ids=str)


def test_there_are_such_providers() -> None:
    assert {case.category for case in CASES} == set(SETTINGS)
    assert len({case.provider.name for case in CASES if case.category == "embeddings"}) >= 12


def build(case: Case, **settings: Any) -> Any:
    kind = SETTINGS[case.category][0]
    call: Any = Call(model=case.model, input=INPUTS[case.category], settings=kind(**settings), id="0" * 32, now=1.8e9)
    return encode_request(case.codec.build_request(call), settings.get("extra_body"))


@OVER_ALL
def test_the_model_and_all_inputs_are_sent_and_no_null_is(case: Case) -> None:
    request = build(case)
    leaves = visible(request)
    said = repr(leaves)
    assert "neutral-model" in said
    for text in ("alpha", "beta"):
        sent_alone = (
            case.category == "embeddings" and case.codec.most_texts == 1 if hasattr(case.codec, "most_texts") else False
        )
        assert text in said or (text == "beta" and sent_alone)
    assert None not in leaves.values()
    assert request.warnings == ()


def build_or_refuse(case: Case, name: str, value: Any) -> Any:
    """The request with one setting; None where that is refused by its name."""
    refused = ""
    try:
        return build(case, **{name: value})
    except UnsupportedParam as error:
        refused = error.param
    assert refused == name
    return None


NAMED = [(case, name) for case in CASES for name in (*SETTINGS[case.category][1], *SHARED)]


@pytest.mark.parametrize(("case", "name"), NAMED, ids=[f"{case}-{name}" for case, name in NAMED])
def test_t1_each_setting_is_sent_or_reported_or_raises(case: Case, name: str) -> None:
    value = {**SETTINGS[case.category][1], **SHARED}[name]
    request = build_or_refuse(case, name, value)
    if request is None:
        return
    before, after = visible(build(case)), visible(request)
    reported = {warning.field.partition(".")[0] for warning in request.warnings}
    changed = {place: leaf for place, leaf in after.items() if before.get(place, ...) != leaf}
    assert changed or name in reported
    if not reported:
        assert any(str(leaf).casefold() in (str(value).casefold(), CANARY, "none") for leaf in changed.values())


@OVER_ALL
def test_an_option_of_the_vendor_that_is_not_known_is_reported(case: Case) -> None:
    request = build(case, options={case.provider.name: {"unheard_of": 1}, "elsewhere": {"a": 1}})
    assert [warning.field for warning in request.warnings] == [f"options.{case.provider.name}.unheard_of"]


def double_of(case: Case) -> Behaviour:
    """A server of the case's protocol."""
    if case.category == "rerank":
        return reply(200, rerank("data" if case.codec.fields.get("top") == "top_k" else "results"))
    if case.category == "moderation":
        return reply(200, moderations())
    if getattr(case.codec, "most_texts", None) == 1:
        return single
    return reply(200, EMBEDDINGS[case.protocol]())


async def single(request: web.Request) -> web.StreamResponse:
    text = (await request.json())["content"]["parts"][0]["text"]
    return web.json_response(gemini_single(("alpha", "beta").index(text)))


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
    key = values.pop("api_key", None)
    config = betterai.CoreConfig(
        model=f"{case.provider.name}/neutral-model", protocol=case.protocol, base_url=url, api_key=key, settings=values, retries=0,
    )  # fmt: skip
    provider, model, _ = find_provider(case.category, config)  # type: ignore[arg-type]
    assert model.category == case.category
    return provider, secrets


async def ask(case: Case, provider: Any) -> Any:
    if case.category == "embeddings":
        return await provider.embed(["alpha", "beta"])
    if case.category == "rerank":
        return await provider.rerank("which", ["alpha", "beta"])
    return await provider.moderate(["alpha", "beta"])


@OVER_ALL
async def test_a_reply_is_read_whole_in_the_order_of_what_was_given(case: Case) -> None:
    with Upstream(double_of(case)) as upstream:
        provider, secrets = connect(case, upstream.url)
        result = await ask(case, provider)
        paths = [request.path for request in upstream.requests]
    assert all(case.codec.answers(path) for path in paths)
    if case.category == "embeddings":
        assert [list(vector) for vector in result.vectors] == VECTORS
        assert result.encoding == "float"
    elif case.category == "rerank":
        assert [(item.index, item.score, item.document) for item in result.ranking] == [
            (1, 0.9, "beta"),
            (0, 0.25, "alpha"),
        ]
    else:
        first, second = result.verdicts
        assert (first.flagged, second.flagged) == (False, True)
        assert second.categories == {"violence": True, "hate": False}
        assert second.scores == {"violence": 0.75, "hate": 0.125}
    if case.category != "moderation":
        assert result.usage is not None
        assert result.usage.input_tokens == TOKENS
    assert result.provider == case.provider.name
    assert result.model
    assert result.cost is not None
    assert result.timing is not None
    assert [secret for secret in secrets if secret in repr(result) + repr(vars(provider))] == []


@OVER_ALL
async def test_x5_no_secret_shows_when_a_server_echoes_it(case: Case) -> None:
    with Upstream(echo) as upstream:
        provider, secrets = connect(case, upstream.url)
        with pytest.raises(BetterAIError) as caught:
            await ask(case, provider)
        assert any(secret in repr([(one.headers, one.query) for one in upstream.requests]) for secret in secrets)
    assert [secret for secret in secrets if secret in texts_of(caught.value)] == []
    assert caught.value.provider == case.provider.name
    assert caught.value.model == "neutral-model"


@OVER_ALL
async def test_r1_a_limit_is_told_as_one(case: Case) -> None:
    refused = reply(429, {"error": {"message": "slow down"}}, {"retry-after": "7"})
    with Upstream(refused) as upstream:
        provider, _ = connect(case, upstream.url)
        with pytest.raises(RateLimitError) as caught:
            await ask(case, provider)
    assert caught.value.retry_after == 7.0
