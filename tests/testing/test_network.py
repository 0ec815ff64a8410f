"""No network by accident: what may be reached, and how a refusal reads."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

import betterai
from betterai.core.config import CoreConfig
from betterai.core.wire import WireRequest
from betterai.runtime.connection import Connection
from betterai.runtime.sessions.duplex import open_session
from betterai.testing import NetworkDenied, no_network
from betterai.transport.egress import is_loopback
from runtime.providers import HELLO, PROVIDER, ask, connect
from runtime.upstream import Upstream, answer
from together import each

FAR = "http://far.invalid:1/v1"


async def test_another_machine_is_refused_by_name_and_at_once() -> None:
    with no_network(), pytest.raises(NetworkDenied) as caught:
        await ask(connect(FAR))
    error = caught.value

    assert error.host == "far.invalid"
    assert "far.invalid" in str(error)
    assert "betterai_network" in str(error)
    assert not isinstance(error, betterai.ProviderError), "it is not tried again"
    assert len(error.attempts) == 1


@pytest.mark.parametrize("streaming", [False, True])
async def test_this_machine_is_reached(streaming: bool) -> None:
    with Upstream(answer("here")) as upstream, no_network():
        assert (await ask(connect(upstream.url), streaming=streaming)).content == "here"


async def test_a_stream_is_refused_too() -> None:
    with no_network(), pytest.raises(NetworkDenied):
        await ask(connect(FAR), streaming=True)


@pytest.mark.betterai_network
async def test_a_host_can_be_allowed() -> None:
    with no_network(allow=["Far.Invalid"]), pytest.raises(betterai.APIConnectionError):
        await ask(connect(FAR, retries=0))


async def test_media_from_elsewhere_are_refused() -> None:
    picture = betterai.Media(kind="document", url="https://files.example.com/a.pdf")
    message = betterai.Message.user("Read it", picture)
    with Upstream(answer()) as upstream, no_network(), pytest.raises(NetworkDenied, match=r"files\.example\.com"):
        await ask(connect(upstream.url), messages=[message])


async def test_media_of_class_providers_are_refused() -> None:
    class Reader(betterai.BaseTextProvider):
        def __init__(self, api_key: str = "") -> None: ...

        async def generate(self, messages: Any, model: str, settings: Any) -> betterai.ProviderResponse:
            raise AssertionError("unreachable")

    betterai.register_text_provider("reader", Reader, replace=True)
    picture = betterai.Media(kind="document", url="https://files.example.com/a.pdf")
    with no_network(), pytest.raises(NetworkDenied, match=r"files\.example\.com"):
        await betterai.generate("reader/any", betterai.Message.user("Read it", picture))


async def test_media_of_answers_are_refused() -> None:
    async with betterai.Client() as client:
        with no_network(), pytest.raises(NetworkDenied, match=r"files\.example\.com"):
            await client.load_media(betterai.Media(kind="image", url="https://files.example.com/a.png"))


async def test_sessions_are_refused_too() -> None:
    class Talk:
        def connect(self, call: Any) -> WireRequest:
            return WireRequest(url="/talk")

    connection = Connection(PROVIDER, CoreConfig(base_url=FAR, api_key="key-0123"))
    with no_network(), pytest.raises(NetworkDenied):
        await open_session(Talk(), None, connection)  # type: ignore[arg-type]


@pytest.mark.betterai_network
async def test_clients_made_before_are_guarded_and_free_afterwards() -> None:
    config = CoreConfig(model="openai/gpt-4o-mini", base_url=FAR, api_key="key-0123", retries=0)
    async with betterai.Client(config) as client:
        with no_network(), pytest.raises(NetworkDenied):
            await client.generate("openai/gpt-4o-mini", HELLO)
        with pytest.raises(betterai.APIConnectionError):
            async with asyncio.timeout(20):
                await client.generate("openai/gpt-4o-mini", HELLO)


@each(
    ("host", "here"),
    [
        ("localhost", True), ("api.localhost", True), ("127.0.0.1", True), ("127.8.9.1", True), ("127.1", True),
        ("::1", True), ("0.0.0.0", True), ("localhost.example.com", False), ("10.0.0.1", False),
        ("192.168.1.2", False), ("example.com", False), ("", False), ("2130706433", True), ("134744072", False),
    ],
)  # fmt: skip
def test_this_machine_is_known_in_any_spelling(host: str, here: bool) -> None:
    assert is_loopback(host) is here
