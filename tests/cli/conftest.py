"""The loopback provider, and signals as a shell in the foreground leaves them."""

from __future__ import annotations

import signal
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from cli.commands import Command, make_command
from cli.upstream import Upstream
from runtime.conftest import _no_keys as _no_keys


@pytest.fixture(scope="session", autouse=True)
def interruptible() -> None:
    """Where the tests run in the background, SIGINT is ignored, and processes inherit that."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def command(
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    _no_keys: None,
) -> Command:
    return make_command(tmp_path_factory.mktemp("stdin"), monkeypatch, capsys)


@pytest.fixture
async def upstream() -> AsyncIterator[Upstream]:
    upstream = Upstream()
    app = web.Application()
    app.router.add_post("/chat/completions", upstream.answer)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=1.0)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    upstream.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield upstream
    await runner.cleanup()
