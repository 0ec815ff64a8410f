"""The pytest plugin: no network unless a test asks for it, recordings by a marker, a scripted provider as a fixture.

It imports nothing of BetterAI that a test does not use.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from betterai.runtime.stand_in import stand_in

if TYPE_CHECKING:
    from betterai.runtime.connection import Connection
    from betterai.testing import Recording, ScriptedProvider, Step
    from betterai.transport.http import HTTPTransport

MARKERS = (
    "betterai_network(*hosts): the test may reach the network through BetterAI, or these hosts only",
    "betterai_recording(path=…, mode=…, …): calls are given from a recording, by default recordings/MODULE/TEST",
)


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("betterai")
    group.addoption(
        "--betterai-record",
        choices=("none", "once", "new", "all"),
        help="record the calls of tests with the betterai_recording marker: where there is no recording yet (once), "
        "what is missing (new), everything anew (all); by default nothing (none)",
    )
    parser.addini("betterai_network", "whether tests may reach the network through BetterAI", "bool", default=False)
    parser.addini("betterai_allow_hosts", "hosts that tests may reach through BetterAI", "linelist", default=[])


def pytest_configure(config: pytest.Config) -> None:
    for marker in MARKERS:
        config.addinivalue_line("markers", marker)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """The fixtures of a test are kept from the network as it is."""
    marker = item.get_closest_marker("betterai_network")
    if item.config.getini("betterai_network") or (marker is not None and not marker.args):
        return (yield)
    hosts = {*item.config.getini("betterai_allow_hosts"), *(marker.args if marker is not None else ())}
    allowed = frozenset(host.lower() for host in hosts)

    def guard(transport: HTTPTransport, connection: Connection | None) -> Any:
        from betterai.testing.network import GuardedTransport

        return GuardedTransport(transport, allowed)

    with stand_in(guard):
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, None, None]:
    with ExitStack() as stack:
        if item.get_closest_marker("betterai_recording") is not None:
            stack.enter_context(_open_recording(item))
        yield


def _open_recording(item: pytest.Item) -> AbstractContextManager[Recording]:
    """The recording that the marker of a test speaks of."""
    from betterai.testing.recording import record

    marker = item.get_closest_marker("betterai_recording")
    options: dict[str, Any] = dict(marker.kwargs) if marker is not None else {}
    place = Path(options.pop("path", None) or Path("recordings", item.path.stem, re.sub(r"[^\w.-]+", "-", item.name)))
    mode = options.pop("mode", "none")
    return record(item.path.parent / place, item.config.getoption("--betterai-record") or mode, **options)


@pytest.fixture
def betterai_script() -> Iterator[Callable[..., ScriptedProvider]]:
    """`betterai_script("Hello", …)` answers the calls of `scripted/…`, or of the provider `name=`, in this test."""
    from betterai.testing.script import scripted

    with ExitStack() as stack:

        def answer(*script: Step, name: str = "scripted", **options: Any) -> ScriptedProvider:
            return stack.enter_context(scripted(script, name=name, **options))

        yield answer
