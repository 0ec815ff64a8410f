"""AWS signatures, verified on the server's side; and where credentials come from."""

from __future__ import annotations

import asyncio
import json
import sys
from hashlib import sha256

import pytest

from betterai.core.exceptions import APIConnectionError, AuthenticationError, ConfigurationError, ValidationError
from betterai.core.media import Media
from betterai.core.provider import SigV4Auth
from betterai.core.wire import WireRequest
from betterai.transport.auth import sigv4
from betterai.transport.auth.renewed import fetched_secrets
from doubles.calls import LIMITS, at
from doubles.signatures import signed_server

AUTH = SigV4Auth(service="bedrock")
KEYS = ("AKIACANARY", "canary/secret+key=")
VALUES = {"region": "eu-west-1", "access_key_id": KEYS[0], "secret_access_key": KEYS[1]}


@pytest.fixture(autouse=True)
def no_credentials(monkeypatch, tmp_path):
    """Nothing of this machine is found, and nothing of an earlier test."""
    sigv4._find_source.cache_clear()
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    yield
    sigv4._find_source.cache_clear()


def post(path: str, body: bytes | None = b"{}", **more) -> WireRequest:
    headers = {"Content-Type": "application/json", "X-Amzn-Trace-Id": "t", "X-Unheard-Of": "x"}
    return WireRequest(url=path, body=body, headers=headers, **more)


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/model/anthropic.claude-x-v1%3A0/converse", {}),
        ("/model/arn%3Aaws%3Abedrock%3Aeu-west-1%3A1%3Ainference-profile%2Feu.x/converse-stream", {}),
        ("/model/plain/converse", {"b": "2 x", "a": "1/ü"}),
        ("/model/a%20b~c_d-e.f/converse", {}),
    ],
)
async def test_the_server_finds_the_signature_genuine(transport, path, query):
    async with signed_server(KEYS) as server:
        await transport.send(post(path, query=query), at(server.url, auth=AUTH, values=VALUES), LIMITS)
    (request,) = server.arrived
    assert request.genuine
    assert request.path.partition("?")[0] == path
    signed = request.headers["authorization"].partition("SignedHeaders=")[2].partition(",")[0]
    assert signed == "content-type;host;x-amz-date"


async def test_the_path_is_encoded_twice(transport):
    """Only S3's is not: the path on the wire is encoded once, and the canonical one again."""
    async with signed_server(KEYS) as server:
        await transport.send(post("/model/a%3A0/converse"), at(server.url, auth=AUTH, values=VALUES), LIMITS)
    method, path, query, *_, digest = server.arrived[0].canonical.split("\n")
    assert (method, path, query) == ("POST", "/model/a%253A0/converse", "")
    assert digest == sha256(b"{}").hexdigest()


async def test_a_session_token_is_signed_and_sent(transport):
    async with signed_server(KEYS, token="canary-session") as server:
        values = {**VALUES, "session_token": "canary-session"}
        await transport.send(post("/model/x/converse"), at(server.url, auth=AUTH, values=values), LIMITS)
    assert server.arrived[0].genuine
    assert "x-amz-security-token" in server.arrived[0].canonical


async def test_a_large_body_is_signed_whole(transport):
    body = b'"' + b"x" * (2 * 1024 * 1024) + b'"'
    async with signed_server(KEYS) as server:
        await transport.send(post("/model/x/converse", body), at(server.url, auth=AUTH, values=VALUES), LIMITS)
    assert server.arrived[0].genuine
    assert server.arrived[0].body == body


async def test_a_get_without_a_body_is_signed(transport):
    async with signed_server(KEYS) as server:
        await transport.send(post("/models", None, method="GET"), at(server.url, auth=AUTH, values=VALUES), LIMITS)
    assert server.arrived[0].genuine


async def test_a_bearer_key_wins_and_takes_no_signer(transport, monkeypatch):
    monkeypatch.setattr(sigv4, "_load_signer", None)
    headers: dict[str, str] = {}
    from betterai.transport.auth import sign

    assert sign(AUTH, {**VALUES, "api_key": "canary"}, headers, {}) is None
    assert headers == {"Authorization": "Bearer canary"}


async def test_what_cannot_be_signed_is_refused(transport):
    media = Media(kind="image", data=b"x")
    with pytest.raises(ValidationError, match="Media cannot be signed"):
        await transport.send(
            WireRequest(url="/x", body=media), at("http://127.0.0.1:9", auth=AUTH, values=VALUES), LIMITS
        )


@pytest.mark.parametrize("name", ["access_key_id", "secret_access_key"])
async def test_half_a_key_is_named(transport, name):
    values = {"region": "x", name: "canary"}
    with pytest.raises(ConfigurationError, match=r"is set, and .* is not") as caught:
        await transport.send(post("/x"), at("http://127.0.0.1:9", auth=AUTH, values=values), LIMITS)
    assert "canary" not in str(caught.value)


async def send_with_found(transport, **values):
    async with signed_server(("AKIAFOUND", "found-secret-1"), "found-session-1") as server:
        where = at(server.url, auth=AUTH, values={"region": "eu-west-1", **values})
        await asyncio.gather(*(transport.send(post("/model/x/converse"), where, LIMITS) for _ in range(8)))
    assert [request.genuine for request in server.arrived] == [True] * 8


async def test_without_keys_a_profile_is_asked_once_and_its_secrets_are_known(transport, tmp_path):
    """A process that gives keys is one of botocore's many ways."""
    count = tmp_path / "count"
    script = tmp_path / "keys.py"
    found = {
        "Version": 1, "AccessKeyId": "AKIAFOUND", "SecretAccessKey": "found-secret-1",
        "SessionToken": "found-session-1", "Expiration": "2099-01-01T00:00:00Z",
    }  # fmt: skip
    script.write_text(f"open({str(count)!r}, 'a').write('x')\nprint({json.dumps(found)!r})")
    (tmp_path / "config").write_text(f"[profile work]\ncredential_process = {sys.executable} {script}\n")
    await send_with_found(transport, profile="work")
    assert count.read_text() == "x"
    assert {"found-secret-1", "found-session-1"} <= set(fetched_secrets())


async def test_without_any_it_says_what_to_set(transport):
    with pytest.raises(ConfigurationError, match="no credentials of AWS were found") as caught:
        await transport.send(post("/x"), at("http://127.0.0.1:9", auth=AUTH, values={"region": "x"}), LIMITS)
    assert "AWS_ACCESS_KEY_ID" in str(caught.value)


async def test_an_unknown_profile_is_named(transport):
    values = {"region": "x", "profile": "nowhere"}
    with pytest.raises(ConfigurationError, match="no AWS profile 'nowhere'"):
        await transport.send(post("/x"), at("http://127.0.0.1:9", auth=AUTH, values=values), LIMITS)


async def test_what_cannot_be_renewed_is_an_error_of_the_key(transport, tmp_path):
    (tmp_path / "config").write_text(f"[profile work]\ncredential_process = {sys.executable} -c raise(SystemExit(3))\n")
    values = {"region": "x", "profile": "work"}
    with pytest.raises(AuthenticationError, match="could not be renewed"):
        await transport.send(post("/x"), at("http://127.0.0.1:9", auth=AUTH, values=values), LIMITS)


async def test_a_container_that_does_not_answer_is_an_error_of_the_way(transport, monkeypatch):
    from botocore.exceptions import ConnectTimeoutError
    from botocore.session import Session

    def fail(_):
        raise ConnectTimeoutError(endpoint_url="http://canary/")

    monkeypatch.setattr(Session, "get_credentials", fail)
    with pytest.raises(APIConnectionError) as caught:
        await transport.send(post("/x"), at("http://127.0.0.1:9", auth=AUTH, values={"region": "x"}), LIMITS)
    assert caught.value.retryable


async def test_without_botocore_the_extra_is_named(transport, monkeypatch):
    sigv4._load_signer.cache_clear()
    for name in ("botocore", "botocore.auth", "botocore.awsrequest"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ConfigurationError, match=r"needs botocore – pip install .betterai\[aws\]."):
        await transport.send(post("/x"), at("http://127.0.0.1:9", auth=AUTH, values=VALUES), LIMITS)
    sigv4._load_signer.cache_clear()
