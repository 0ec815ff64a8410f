"""The sync face, and clients over several event loops: threads, running loops, forks, the end of the program."""

from __future__ import annotations

import asyncio
import gc
import sys
import textwrap
import threading
from concurrent.futures import CancelledError, ThreadPoolExecutor
from typing import Any

import pytest

import betterai
from betterai.core.config import CoreConfig
from betterai.core.exceptions import BetterAIError, OverloadedError, StreamInterrupted
from betterai.core.response import ProviderResponse, TextChunk
from runtime.providers import PROVIDER
from runtime.subprocesses import TESTS, check_python
from runtime.upstream import Upstream, answer, delta, hold, reply, stream, streamed
from together import each


@pytest.fixture(autouse=True, scope="module")
def _neutral() -> None:
    betterai.register_text_provider("neutral", PROVIDER)


def at(upstream: Upstream, **config: Any) -> CoreConfig:
    return CoreConfig(base_url=upstream.url, api_key="key", **config)


def test_e5_the_sync_face_answers_as_the_async_one() -> None:
    with Upstream(answer(), stream(streamed())) as upstream:
        whole = betterai.sync.generate("neutral/m-1", "Hello", config=at(upstream), temperature=0)
        chunks = betterai.sync.stream("neutral/m-1", "Hello", config=at(upstream), system="Be kind.")
        text = "".join(chunk.content for chunk in chunks)
        assert upstream.requests[0].body["temperature"] == 0
        assert [message["role"] for message in upstream.requests[1].body["messages"]] == ["system", "user"]
    assert whole.content == text == "Hello"
    assert chunks.response.tokens_used == chunks.partial.tokens_used == 9
    assert list(chunks) == []


def test_e5_errors_come_as_they_are() -> None:
    with Upstream(reply(503), stream([delta("Hel")])) as upstream:
        with pytest.raises(OverloadedError):
            betterai.sync.generate("neutral/m-1", "Hello", config=at(upstream, retries=0))
        chunks = betterai.sync.stream("neutral/m-1", "Hello", config=at(upstream))
        assert next(chunks).content == "Hel"
        with pytest.raises(StreamInterrupted):
            next(chunks)
        assert chunks.partial.content == "Hel"
        with pytest.raises(StopIteration):
            next(chunks)


def test_e5_many_threads_share_one_loop() -> None:
    with Upstream(answer()) as upstream:
        config = at(upstream)

        def ask(number: int) -> str:
            return betterai.sync.generate("neutral/m-1", f"Hello {number}", config=config).content

        with ThreadPoolExecutor(8) as pool:
            assert list(pool.map(ask, range(40))) == ["Hello"] * 40
        assert len({request.raw for request in upstream.requests}) == 40
    assert sum(thread.name == "betterai-sync" for thread in threading.enumerate()) == 1


async def test_e5_it_works_inside_a_running_loop() -> None:
    with Upstream(answer(), stream(streamed())) as upstream:
        assert betterai.sync.generate("neutral/m-1", "Hello", config=at(upstream)).content == "Hello"
        assert betterai.sync.stream("neutral/m-1", "Hello", config=at(upstream)).collect().content == "Hello"


def test_e5_it_says_so_where_it_would_wait_for_itself() -> None:
    class Nested(betterai.BaseTextProvider):
        def __init__(self, api_key: str) -> None:
            pass

        async def generate(self, messages: Any, model: str, settings: Any) -> ProviderResponse:
            return betterai.sync.generate("local/echo", "Hello")

    betterai.register_text_provider("nested", Nested)
    with pytest.raises(BetterAIError, match="code that it runs itself"):
        betterai.sync.generate("nested/x", "Hello")


def test_s3_closing_a_sync_stream_early_closes_the_connection() -> None:
    with Upstream(stream([delta("Hel"), delta("lo")], "hold")) as upstream:
        with betterai.sync.stream("neutral/m-1", "Hello", config=at(upstream)) as chunks:
            assert next(chunks).content == "Hel"
        upstream.wait_until(lambda: upstream.left == 1, seconds=1)
        assert list(chunks) == []
        assert chunks.partial.content.startswith("Hel")


@pytest.mark.parametrize("count", [1, 500], ids=["waiting", "full"])
def test_s7_a_sync_stream_that_is_left_by_break_closes_the_connection(count: int) -> None:
    with Upstream(stream([delta("x")] * count, "hold")) as upstream:
        for chunk in betterai.sync.stream("neutral/m-1", "Hello", config=at(upstream)):
            assert chunk.content == "x"
            break
        del chunk
        gc.collect()
        upstream.wait_until(lambda: upstream.left == 1, seconds=2)


def test_a_sync_stream_that_was_never_begun_closes_quietly() -> None:
    with Upstream(hold) as upstream:
        with betterai.sync.stream("neutral/m-1", "Hello", config=at(upstream)):
            pass
        assert upstream.requests == []


def test_s8_all_chunks_of_a_long_stream_come_in_order() -> None:
    pieces = [f"{number} " for number in range(1000)]
    with Upstream(stream(streamed(pieces))) as upstream:
        chunks = list(betterai.sync.stream("neutral/m-1", "Hello", config=at(upstream)))
    assert [chunk.content for chunk in chunks if chunk.content] == pieces
    assert chunks[-1].response is not None


def test_a_provider_that_is_cancelled_from_within_does_not_hang_the_caller() -> None:
    class Cancelled(betterai.BaseTextProvider):
        def __init__(self, api_key: str) -> None:
            pass

        async def generate_stream(self, messages: Any, model: str, settings: Any) -> Any:
            yield TextChunk(content="Hel")
            raise asyncio.CancelledError

    betterai.register_text_provider("cancelled", Cancelled)
    chunks = betterai.sync.stream("cancelled/x", "Hello")
    assert next(chunks).content == "Hel"
    with pytest.raises(CancelledError):
        next(chunks)


PROGRAMS = {
    "plain": """
        print(betterai.sync.generate("neutral/m-1", "Hello", config=config).content)
    """,
    "stream left open": """
        chunks = betterai.sync.stream("neutral/m-1", "Hello", config=config)
        print("".join(chunk.content for _, chunk in zip(range(2), chunks)))
    """,
    "exit inside a stream": """
        for chunk in betterai.sync.stream("neutral/m-1", "Hello", config=config):
            print(chunk.content + "lo")
            sys.exit(0)
    """,
    "exit inside a stream of a class": """
        class Held(betterai.BaseTextProvider):
            def __init__(self, api_key):
                pass

            async def generate_stream(self, messages, model, settings):
                try:
                    while True:
                        yield betterai.TextChunk(content="Hel")
                finally:
                    await asyncio.sleep(0)
                    print("lo", flush=True)

        betterai.register_text_provider("held", Held)
        for chunk in betterai.sync.stream("held/x", "Hello"):
            print(chunk.content, end="")
            sys.exit(0)
    """,
    "threads that outlive the main one": """
        import threading, time
        def ask():
            main = threading.main_thread()
            while main.is_alive():
                time.sleep(0.01)
            print(betterai.sync.generate("neutral/m-1", "Hello", config=config).content, flush=True)
        threading.Thread(target=ask).start()
    """,
    "pool without an end": """
        from concurrent.futures import ThreadPoolExecutor
        pool = ThreadPoolExecutor(2)
        pool.submit(lambda: print(betterai.sync.generate("neutral/m-1", "Hello", config=config).content, flush=True))
    """,
    "no thread for it at first": """
        import threading
        threading.stack_size(1 << 46)
        try:
            betterai.sync.generate("neutral/m-1", "Hello", config=config)
        except betterai.BetterAIError:
            threading.stack_size(0)
            print(betterai.sync.generate("neutral/m-1", "Hello", config=config).content)
    """,
    "inside a running loop": """
        async def main():
            print(betterai.sync.generate("neutral/m-1", "Hello", config=config).content)
        asyncio.run(main())
    """,
    "sync and async": """
        betterai.sync.generate("neutral/m-1", "Hello", config=config)
        print(asyncio.run(betterai.generate("neutral/m-1", "Hello", config=config)).content)
    """,
    "one client, three loops": """
        client = betterai.Client(config)
        async def main():
            return (await client.generate("neutral/m-1", "Hello")).content
        said = {asyncio.run(main()) for _ in range(3)}
        print(*said)
    """,
    "three loops, closed by hand": """
        async def main():
            async with betterai.Client(config) as client:
                return [(await client.generate("neutral/m-1", "Hello")).content for _ in range(2)]
        print(*set(sum((asyncio.run(main()) for _ in range(3)), [])))
    """,
    "after a fork": """
        betterai.sync.generate("neutral/m-1", "Hello", config=config)
        child = os.fork()
        said = betterai.sync.generate("neutral/m-1", "Hello", config=config).content
        if child == 0:
            sys.exit(0 if said == "Hello" else 1)
        assert os.waitpid(child, 0)[1] == 0
        print(betterai.sync.generate("neutral/m-1", "Hello", config=config).content)
    """,
    "processes by fork": """
        import multiprocessing
        def ask(number):
            return betterai.sync.generate("neutral/m-1", "Hello", config=config).content
        ask(0)
        with multiprocessing.get_context("fork").Pool(2) as pool:
            print(*set(pool.map(ask, range(4))))
    """,
    "a fork inside async code": """
        async def main():
            client = betterai.Client(config)
            await client.generate("neutral/m-1", "Hello")
            child = os.fork()
            if child == 0:
                code = 1
                try:
                    said = betterai.sync.generate("neutral/m-1", "Hello", config=config).content
                    code = 0 if said == "Hello" else 1
                finally:
                    os._exit(code)
            assert os.waitpid(child, 0)[1] == 0
            print((await client.generate("neutral/m-1", "Hello")).content)
        asyncio.run(main())
    """,
}


NO_THREADS_AT_THE_END = sys.version_info[:3] in ((3, 12, 0), (3, 12, 1))


@each("name", PROGRAMS)
def test_e5_a_program_ends_well_and_says_nothing(name: str) -> None:
    if NO_THREADS_AT_THE_END and name in ("threads that outlive the main one", "pool without an end"):
        pytest.skip("this Python begins no thread once the main one has ended")
    head = """
    import asyncio, os, sys, warnings
    warnings.filterwarnings("ignore", "This process .* multi-threaded", DeprecationWarning)  # what a fork says since 3.12
    import betterai
    from runtime.providers import PROVIDER
    betterai.register_text_provider("neutral", PROVIDER)
    config = betterai.CoreConfig(base_url=sys.argv[1], api_key="key")
    """
    streams = "stream" in name
    script = stream([delta("Hel"), delta("lo")], "hold") if streams else answer()
    with Upstream(script) as upstream:
        said = check_python(textwrap.dedent(head) + textwrap.dedent(PROGRAMS[name]), upstream.url, path=(TESTS,))
    assert said == "Hello\n"
