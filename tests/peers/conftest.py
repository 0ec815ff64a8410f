"""The peers that tests may ask for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from peers.llamacpp import ServerUnavailable, run_llama_server

StartServer = Callable[..., AbstractContextManager[str]]


@pytest.fixture(scope="session")
def tiny_gguf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a tiny random model."""
    pytest.importorskip("gguf", reason="needs the gguf package (pip install betterai[dev])", exc_type=ImportError)
    from peers.tiny_gguf import write_tiny_gguf

    path = tmp_path_factory.mktemp("gguf") / "tiny.gguf"
    write_tiny_gguf(path)
    return path


@pytest.fixture(scope="session")
def start_llama_server(tiny_gguf: Path) -> StartServer:
    """`with start_llama_server(api_key) as url:` is a llama.cpp server with the tiny model, for those who end it."""

    @contextmanager
    def start(api_key: str = "") -> Iterator[str]:
        with ExitStack() as stack:
            try:
                folder = Path(stack.enter_context(TemporaryDirectory(dir=tiny_gguf.parent)))
                url = stack.enter_context(run_llama_server(tiny_gguf, folder / "server.log", api_key))
            except ServerUnavailable as error:
                if not error.missing:
                    raise
                pytest.skip(f"needs the xllamacpp package (pip install betterai[dev]): {error}")
            yield url

    return start


@pytest.fixture(scope="session")
def llama_server(start_llama_server: StartServer) -> Iterator[str]:
    """Base URL, without /v1, of a llama.cpp server with a tiny random model, named "tiny"; one a worker."""
    with start_llama_server() as url:
        yield url


@pytest.fixture(scope="session")
def locked_llama_server(start_llama_server: StartServer) -> Iterator[str]:
    """The same, but it asks for the key "right-key"."""
    with start_llama_server("right-key") as url:
        yield url
