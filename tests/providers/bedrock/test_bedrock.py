"""What is special at Bedrock: who signs, where it is, and what counts tokens."""

from __future__ import annotations

import json
import sys
import traceback
from typing import Any

import pytest
from aiohttp import web

import betterai
from betterai.core.codec import TextCall
from betterai.core.exceptions import AuthenticationError, ConfigurationError
from betterai.core.message import Message
from betterai.core.response import TextChunk
from betterai.core.settings import GenerationSettings
from betterai.core.tools import Tool
from betterai.core.wire import Call, WireRequest, WireResponse
from betterai.providers import load_provider
from betterai.runtime.connection import Connection
from betterai.runtime.registry import resolve_model
from betterai.testing import record, replay
from betterai.transport.auth.renewed import remember_secret
from betterai.wire.bedrock_converse import BedrockConverseSurface
from doubles.signatures import signed_server
from recordings.store import ROOT, load, needs_recordings

BEDROCK = load_provider("bedrock")
KEYS = ("AKIACANARY", "canary-secret-key")
SETTINGS = {"access_key_id": KEYS[0], "secret_access_key": KEYS[1], "region": "eu-central-1"}
HELLO = {
    "output": {"message": {"role": "assistant", "content": [{"text": "Hi"}]}}, "stopReason": "end_turn",
    "usage": {"inputTokens": 7, "outputTokens": 2, "totalTokens": 9}, "metrics": {"latencyMs": 1},
}  # fmt: skip


@pytest.fixture(autouse=True)
def no_variables(monkeypatch):
    for setting in BEDROCK.settings:
        for name in setting.env:
            monkeypatch.delenv(name, raising=False)


def connect(url: str, **more: Any) -> Any:
    model = "bedrock/us.anthropic.claude-haiku-4-5-20251001-v1:0"
    return betterai.get_text_provider(
        betterai.CoreConfig(model=model, base_url=url, retries=0, settings=SETTINGS, **more)
    )


async def test_a_call_is_signed_for_its_region_and_priced():
    async with signed_server(KEYS, answer=lambda: web.json_response(HELLO)) as server:
        response = await connect(server.url).generate("Hello")
    (request,) = server.arrived
    assert request.genuine
    assert "/eu-central-1/bedrock/aws4_request" in request.headers["authorization"]
    assert request.path == "/model/us.anthropic.claude-haiku-4-5-20251001-v1%3A0/converse"
    assert request.canonical.split("\n")[1] == request.path.replace("%", "%25")
    assert (response.content, response.cost.status) == ("Hi", "exact")


async def test_each_attempt_is_signed_anew():
    answers = [web.json_response({"message": "slow"}, status=503), web.json_response(HELLO)]
    async with signed_server(KEYS, answer=lambda: answers.pop(0)) as server:
        config = betterai.CoreConfig(
            model="bedrock/x", base_url=server.url, settings=SETTINGS, retries=betterai.Retries(base=0.001)
        )
        await betterai.get_text_provider(config).generate("Hello")
    assert [request.genuine for request in server.arrived] == [True, True]


async def test_an_echoed_secret_is_shown_nowhere():
    """A key of the settings, and a token that was fetched."""
    remember_secret("fetched-canary-token")
    echo = {"message": f"You sent {KEYS[1]} and fetched-canary-token"}
    headers = {"x-amzn-errortype": "InvalidSignatureException"}
    async with signed_server(KEYS, answer=lambda: web.json_response(echo, status=403, headers=headers)) as server:
        with pytest.raises(AuthenticationError) as caught:
            await connect(server.url).generate("Hello")
    shown = "".join(traceback.format_exception(caught.value)) + repr(vars(caught.value))
    assert "canary-secret-key" not in shown
    assert "fetched-canary-token" not in shown
    assert caught.value.provider_message == "You sent *** and ***"


def place(**settings: str) -> str:
    return Connection(BEDROCK, betterai.CoreConfig(settings=settings)).endpoint().base_url


def test_where_it_is():
    assert place(region="us-east-1") == "https://bedrock-runtime.us-east-1.amazonaws.com"
    assert (
        place(region="cn-north-1", domain="amazonaws.com.cn") == "https://bedrock-runtime.cn-north-1.amazonaws.com.cn"
    )


@pytest.mark.parametrize("variable", ["AWS_REGION", "AWS_DEFAULT_REGION"])
def test_the_region_is_read_where_aws_has_it(monkeypatch, variable):
    monkeypatch.setenv(variable, "ap-southeast-2")
    assert ".ap-southeast-2." in place()


def test_a_missing_region_is_named():
    with pytest.raises(ConfigurationError, match="set AWS_REGION or AWS_DEFAULT_REGION"):
        place()


def test_a_login_in_the_address_goes_into_the_same_header():
    config = betterai.CoreConfig(base_url="https://user:password@h", settings=SETTINGS)
    with pytest.raises(ConfigurationError, match="same header"):
        Connection(BEDROCK, config).endpoint()


def test_models_are_found_as_they_are_written_here():
    assert resolve_model("bedrock/us.anthropic.claude-haiku-4-5-20251001-v1:0").price is not None
    arn = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc"
    found = resolve_model(f"bedrock/{arn}")
    assert (found.id, found.provider, found.known) == (arn, "bedrock", False)


COUNT = BEDROCK.protocols["count"]["bedrock_converse"]


def counted(**settings: Any) -> TextCall:
    model = resolve_model("bedrock/anthropic.claude-sonnet-4-20250514-v1:0")
    messages = (Message.system("S"), Message.user("Hello"))
    return Call(model=model, input=messages, settings=GenerationSettings(**settings))


def test_what_is_counted_is_what_would_be_sent_of_the_input():
    request = COUNT.build_request(counted(tools=[Tool(name="a")], max_tokens=5, reasoning=2000, temperature=0.5))
    assert request.url == "/model/anthropic.claude-sonnet-4-20250514-v1%3A0/count-tokens"
    assert request.safe_to_repeat
    assert set(request.body["input"]["converse"]) == {
        "messages",
        "system",
        "toolConfig",
        "additionalModelRequestFields",
    }
    reply = WireResponse(status=200, body=b'{"inputTokens": 375}')
    found = COUNT.parse_response(counted(), reply)
    assert (found.tokens, found.estimated) == (375, False)
    with pytest.raises(betterai.ProviderError):
        COUNT.parse_response(counted(), WireResponse(status=200, body=b"{}"))


@needs_recordings
@pytest.mark.recordings
def test_recorded_counts_are_asked_and_read_so():
    files = [
        file
        for file in (*sorted((ROOT / "bedrock/count-tokens").glob("*")), *sorted((ROOT / "bedrock/error").glob("*")))
        if load(file)["base_kind"] == "count-tokens"
    ]
    seen = 0
    for file in files:
        exchange = load(file)
        asked, answered = exchange["request"], exchange["response"]
        reply = WireResponse(
            status=answered["status"], headers=answered["headers"], body=json.dumps(answered["body"]).encode()
        )
        assert COUNT.answers(asked["url"])
        if answered["status"] != 200:
            assert COUNT.parse_error(reply).provider_message == answered["body"]["message"]
        else:
            assert COUNT.parse_response(counted(), reply).tokens == answered["body"]["inputTokens"]
        if (body := asked["body"]["input"].get("converse")) is None:
            continue
        url = asked["url"].replace("/count-tokens", "/converse")
        read = BedrockConverseSurface().parse_request(WireRequest(url=url, body=body))
        model = resolve_model(f"bedrock/{read.model.id}")
        built = COUNT.build_request(Call(model=model, input=read.input, settings=read.settings))
        assert json.loads(json.dumps(built.body)) == asked["body"]
        assert asked["url"].endswith(built.url)
        seen += 1
    assert seen >= 3


def stream_of_frames() -> web.Response:
    surface, state = BedrockConverseSurface(), {}
    items = (TextChunk(content="Hel"), TextChunk(content="lo"), TextChunk(finish_reason="stop"), None)
    body = b"".join(surface.build_event(counted(), item, state) for item in items)
    return web.Response(body=body, content_type="application/vnd.amazon.eventstream")


async def test_a_stream_of_frames_is_recorded_and_replayed(tmp_path):
    async def ask(url: str) -> str:
        return "".join([chunk.content async for chunk in connect(url).generate_stream("Hello")])

    async with signed_server(KEYS, answer=stream_of_frames) as server:
        with record(tmp_path / "calls"):
            assert await ask(server.url) == "Hello"
        with replay(tmp_path / "calls"):
            assert await ask(server.url) == "Hello"
    assert len(server.arrived) == 1
    (file,) = (tmp_path / "calls").glob("*.json")
    assert json.loads(file.read_text())["kind"] == "converse-stream"
    assert "canary" not in file.read_text().lower()


async def test_what_signing_fetched_is_not_in_a_recording(tmp_path, monkeypatch):
    """The keys of a profile are known only once the request was signed."""
    script = tmp_path / "keys.py"
    found = {
        "Version": 1,
        "AccessKeyId": "AKIAFOUND",
        "SecretAccessKey": "found-secret-7",
        "SessionToken": "found-session-7",
    }
    script.write_text(f"print({json.dumps(found)!r})")
    (tmp_path / "config").write_text(f"[profile recorded]\ncredential_process = {sys.executable} {script}\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
    monkeypatch.setenv("AWS_PROFILE", "recorded")
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    echo = {"message": "Your token was found-session-7"}
    keys = ("AKIAFOUND", "found-secret-7")
    async with signed_server(keys, "found-session-7", lambda: web.json_response(echo, status=400)) as server:
        provider = betterai.get_text_provider(betterai.CoreConfig(model="bedrock/x", base_url=server.url, retries=0))
        with record(tmp_path / "calls"), pytest.raises(betterai.BadRequestError, match=r"Your token was \*\*\*"):
            await provider.generate("Hello")
    assert server.arrived[0].genuine
    (file,) = (tmp_path / "calls").glob("*.json")
    assert "found-session-7" not in file.read_text()
