"""Vertex AI: where it is asked, by location, project and key."""

from __future__ import annotations

from typing import Any

import pytest

from betterai.core.config import CoreConfig
from betterai.core.exceptions import ConfigurationError
from betterai.core.message import Message
from betterai.providers.vertex import PROVIDER
from betterai.runtime.connection import Connection
from wire.geminis import CODECS, build, fields, make_call, model

COUNT = PROVIDER.protocols["count"]["gemini"]
VERTEX = model("vertex")


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    for variable in {name for setting in PROVIDER.settings for name in setting.env}:
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.delenv("BETTERAI_CONFIG", raising=False)


def base_url(**settings: str) -> str:
    key = settings.pop("api_key", None)
    return Connection(PROVIDER, CoreConfig(api_key=key, settings=settings)).endpoint().base_url


@pytest.mark.parametrize(
    ("location", "host"),
    [
        ("global", "aiplatform.googleapis.com"),
        ("us-central1", "us-central1-aiplatform.googleapis.com"),
        ("europe-west4", "europe-west4-aiplatform.googleapis.com"),
        ("us", "aiplatform.us.rep.googleapis.com"),
        ("eu", "aiplatform.eu.rep.googleapis.com"),
    ],
)
def test_the_location_says_the_host(location: str, host: str) -> None:
    url = base_url(access_token="t", project="p", location=location)
    assert url == f"https://{host}/v1beta1/projects/p/locations/{location}"


def test_the_location_is_global_and_the_version_the_newest_where_nothing_is_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "from-env")
    assert base_url(access_token="t") == "https://aiplatform.googleapis.com/v1beta1/projects/from-env/locations/global"
    assert "/v1/projects/" in base_url(access_token="t", api_version="v1")


def test_express_mode_is_a_key_without_a_project() -> None:
    assert base_url(api_key="k") == "https://aiplatform.googleapis.com/v1beta1"
    endpoint = Connection(PROVIDER, CoreConfig(api_key="k")).endpoint()
    assert endpoint.headers == {"x-goog-api-key": "k"}
    assert base_url(api_key="k", project="p").endswith("/projects/p/locations/global")


def test_an_address_that_is_given_is_taken() -> None:
    config = CoreConfig(base_url="https://proxy.example/v1", settings={"access_token": "t", "project": "p"})
    assert Connection(PROVIDER, config).endpoint().base_url == "https://proxy.example/v1"


def test_what_is_missing_is_named() -> None:
    with pytest.raises(ConfigurationError, match="GOOGLE_CLOUD_PROJECT"):
        base_url()
    with pytest.raises(ConfigurationError, match="GOOGLE_CLOUD_PROJECT"):
        base_url(access_token="t")


def test_options_of_its_own_and_what_it_does_not_take() -> None:
    options = {
        "vertex": {"labels": {"team": "x"}, "audioTimestamp": True, "modelArmorConfig": {"promptTemplateName": "y"}}
    }
    body, warnings = build(make_call(of=VERTEX, options=options, store=True))
    assert (body["labels"], body["generationConfig"]) == ({"team": "x"}, {"audioTimestamp": True})
    assert body["modelArmorConfig"] == {"promptTemplateName": "y"}
    assert fields(warnings) == ["store"]


def test_counting_has_no_wrapping() -> None:
    call = make_call([Message.system("S"), Message.user("Hello")], of=VERTEX, temperature=0, tool_choice="auto")
    request = COUNT.build_request(call)
    assert request.url == "/publishers/google/models/any-model:countTokens"
    assert request.body.keys() == {"contents", "systemInstruction", "generationConfig"}
    assert CODECS["vertex"].answers("/v1/projects/p/locations/l/publishers/google/models/m:streamGenerateContent")
