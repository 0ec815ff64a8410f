"""Webhooks: believed only with the signature of their body, and in time; matched with the jobs of the store."""

from __future__ import annotations

import hashlib
import hmac
import json
import pickle
import time
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

import betterai
from betterai import JobHandle, JobStore, WebhookEvent, WebhookSignatureError, parse_webhook
from betterai.core.exceptions import ConfigurationError, ProviderError
from betterai.providers import declared_providers
from together import each

NOW = 1_796_000_000.0
KEY = b"a key of thirty-two bytes or so!"
SECRET = "whsec_" + b64encode(KEY).decode()
SENDERS = [provider.name for provider in declared_providers() if provider.webhooks is not None]


def sign_standard(body: bytes, *, id: str = "wh_1", time: float | str = NOW, key: bytes = KEY) -> dict[str, str]:
    """By nothing of ours: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md"""
    stamp = time if isinstance(time, str) else str(int(time))
    digest = hmac.new(key, f"{id}.{stamp}.".encode() + body, hashlib.sha256).digest()
    signature = "v1," + b64encode(digest).decode()
    return {"Webhook-Id": id, "webhook-timestamp": stamp, "Webhook-Signature": signature}


def sign_bfl(body: bytes, **_: Any) -> dict[str, str]:
    return {"X-BFL-Signature": "sha256=" + hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()}


SIGN = {"openai": sign_standard, "kling": sign_standard, "bfl": sign_bfl}
BODIES: dict[str, dict[str, Any]] = {
    "openai": {"id": "evt_1", "object": "event", "created_at": int(NOW), "type": "video.completed", "data": {"id": "v 1"}},
    "kling": {"id": "v 1", "status": "succeeded", "external_id": "c" * 32, "outputs": []},
    "bfl": {"id": "v 1", "status": "Ready", "result": {"sample": "https://a/b"}, "timestamp": "2026-11-30T00:53:20Z"},
}  # fmt: skip


def read(
    provider: str, body: dict[str, Any] | bytes, *, now: float = NOW, secret: str = SECRET, **signing: Any
) -> WebhookEvent:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return parse_webhook(provider, SIGN[provider](content, **signing), content, secret=secret, now=now)


def test_every_sender_is_tested() -> None:
    assert set(SENDERS) == set(SIGN) == set(BODIES)


@pytest.mark.parametrize("provider", SENDERS)
def test_a_webhook_names_the_job_and_how_it_stands(provider: str) -> None:
    event = read(provider, BODIES[provider])
    assert (event.provider, event.job, event.status) == (provider, "v 1", "done")
    assert event.data == BODIES[provider]
    assert event.sent is not None
    assert abs(event.sent - NOW) < 300
    assert event.call == ("c" * 32 if provider == "kling" else "")
    assert event.id == {"openai": "wh_1", "kling": "wh_1", "bfl": ""}[provider]


@each(
    ("provider", "body", "status"),
    [
        ("openai", {"type": "batch.expired", "data": {"id": "b"}}, "failed"),
        ("openai", {"type": "response.incomplete", "data": {"id": "r"}}, "done"),
        ("openai", {"type": "eval.run.canceled", "data": {"id": "r"}}, "cancelled"),
        ("openai", {"type": "fine_tuning.job.succeeded", "data": {"id": "r"}}, "done"),
        ("openai", {"type": "realtime.call.incoming", "data": {"call_id": "rtc", "sip_headers": []}}, None),
        ("kling", {"data": {"id": "a", "status": "processing"}}, "running"),
        ("kling", {"task_id": "a", "task_status": "failed", "task_info": {"external_task_id": "b"}}, "failed"),
        ("bfl", {"task_id": "a", "status": "SUCCESS"}, "done"),
        ("bfl", {"id": "a", "status": "Content Moderated"}, "failed"),
        ("bfl", {"id": "a", "status": "Generating", "timestamp": NOW}, "running"),
    ],
)
def test_the_words_of_each_vendor(provider: str, body: dict[str, Any], status: str | None) -> None:
    assert read(provider, body).status == status


@pytest.mark.parametrize("provider", SENDERS)
@settings(max_examples=40, deadline=None)
@given(data=some.data())
def test_one_bit_of_the_body_or_of_a_signed_header_is_found(provider: str, data: some.DataObject) -> None:
    content = json.dumps(BODIES[provider]).encode()
    headers = SIGN[provider](content)
    name = data.draw(some.sampled_from(["", *headers]))
    changed = bytearray(headers[name].encode() if name else content)
    place = data.draw(some.integers(0, 8 * len(changed) - 1))
    changed[place // 8] ^= 1 << place % 8
    if name:
        headers = {**headers, name: changed.decode("latin-1")}
    else:
        content = bytes(changed)
    with pytest.raises(WebhookSignatureError):
        parse_webhook(provider, headers, content, secret=SECRET, now=NOW)


WORDS = some.binary(max_size=40).map(lambda data: data.decode("latin-1"))


@settings(max_examples=30, deadline=None)
@given(
    headers=some.dictionaries(some.sampled_from(["webhook-id", "webhook-timestamp", "webhook-signature"]), WORDS),
    body=some.binary(),
)
def test_what_nobody_signed_is_never_believed(headers: dict[str, str], body: bytes) -> None:
    with pytest.raises(WebhookSignatureError):
        parse_webhook("openai", headers, body, secret=SECRET, now=NOW)


@pytest.mark.parametrize("provider", SENDERS)
def test_old_and_future_ones_and_those_of_another_secret_are_refused(provider: str) -> None:
    sent = read(provider, BODIES[provider]).sent
    assert sent is not None
    for apart in (-300.0, 300.0):
        assert read(provider, BODIES[provider], now=sent + apart)
    for apart, word in ((-301.0, "future"), (301.0, "old")):
        with pytest.raises(WebhookSignatureError, match=word) as caught:
            read(provider, BODIES[provider], now=sent + apart)
    assert caught.value.provider == provider
    assert type(pickle.loads(pickle.dumps(caught.value))) is WebhookSignatureError
    with pytest.raises(WebhookSignatureError, match="not that of its body") as caught:
        read(provider, BODIES[provider], secret="another secret")
    assert "another secret" not in repr(vars(caught.value))


def test_one_of_several_signatures_is_enough_and_other_versions_do_not_count() -> None:
    body = json.dumps(BODIES["openai"]).encode()
    headers = sign_standard(body)
    right = headers["Webhook-Signature"]
    for said in (f"v1,AAAA {right}", f"{right} v1a,AAAA"):
        assert parse_webhook("openai", {**headers, "Webhook-Signature": said}, body, secret=SECRET, now=NOW)
    for said in (right.removeprefix("v1,"), right.replace("v1,", "v2,"), "v1,", right[:-1], ""):
        with pytest.raises(WebhookSignatureError):
            parse_webhook("openai", {**headers, "Webhook-Signature": said}, body, secret=SECRET, now=NOW)


def test_a_secret_without_the_prefix_is_a_text_and_one_that_is_none_is_said() -> None:
    assert read("openai", BODIES["openai"], key=b"plain", secret="plain").job == "v 1"
    for secret, why in (("", "no secret"), ("whsec_!", "no base64")):
        with pytest.raises(ConfigurationError, match=why):
            read("openai", BODIES["openai"], secret=secret)


def test_times_that_are_none_and_bodies_that_are_no_event() -> None:
    for stamp in ("soon", "1e9", "-5", "٣", "9" * 40):
        with pytest.raises(WebhookSignatureError, match="no number"):
            read("openai", BODIES["openai"], time=stamp)
    for body in (b"", b"[]", b"{}", b"\xff", b'{"type": 3}', b"[" * 5000):
        with pytest.raises(ProviderError, match="no event") as caught:
            read("openai", body)
        assert caught.value.code == "unreadable_webhook"
    for provider in ("kling", "bfl"):
        with pytest.raises(ProviderError, match="no event"):
            read(provider, {"status": "Ready"})


def test_who_sends_none_is_said_and_who_is_unknown_too() -> None:
    for provider in ("runway", "nobody"):
        with pytest.raises(ConfigurationError):
            parse_webhook(provider, {}, b"", secret="a")


def test_the_event_finds_its_job_in_the_store(tmp_path: Path) -> None:
    store = JobStore(tmp_path / "jobs.sqlite")
    for id, provider, remote in (("a" * 32, "openai", "v 1"), ("b" * 32, "bfl", "v 1"), ("c" * 32, "kling", 'k"1')):
        state = {"call": id, "id": remote}
        handle = JobHandle(id=id, provider=provider, model="m", category="video", protocol="p", account="", state=state)
        store.add(handle, b"")
    for provider, id in (("openai", "a"), ("bfl", "b"), ("kling", "c")):
        found = store.find_event(read(provider, BODIES[provider]))
        assert found is not None
        assert found.handle.id == id * 32
    quoted = store.find_event(WebhookEvent(type="x", job='k"1', provider="kling"))
    assert quoted is not None
    assert quoted.handle.provider == "kling"
    for event in (
        WebhookEvent(type="x", job="v", provider="openai"),
        WebhookEvent(type="x"),
        WebhookEvent(type="x", job="v 1", provider="xai"),
    ):
        assert store.find_event(event) is None


def test_openais_sdk_believes_the_same_webhooks() -> None:
    openai = pytest.importorskip("openai", reason="needs betterai[dev]")
    now = time.time()
    types = ["batch.completed", "response.failed", "video.completed", "fine_tuning.job.cancelled", "eval.run.succeeded"]
    with openai.OpenAI(api_key="k", webhook_secret=SECRET) as client:
        for type in types:
            body = json.dumps({**BODIES["openai"], "type": type}).encode()
            for change in (
                {},
                {"time": NOW - 301},
                {"time": NOW + 301},
                {"time": "soon"},
                {"key": b"another"},
                {"id": "é"},
            ):
                headers = sign_standard(body, **{"time": now, **change})  # type: ignore[arg-type]
                try:
                    theirs = client.webhooks.unwrap(body, headers)
                except openai.InvalidWebhookSignatureError:
                    theirs = None
                try:
                    ours = betterai.parse_webhook("openai", headers, body, secret=SECRET)
                except WebhookSignatureError:
                    ours = None
                assert (ours is None) == (theirs is None), change
                if ours is not None:
                    assert (ours.type, ours.job) == (theirs.type, theirs.data.id)
