"""Caches in a file: shared by processes, bounded, and never in the way of a call."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import time
from pathlib import Path

import pytest

import betterai
from betterai import Cached, GenerationSettings
from betterai.runtime.attempts import Clock
from betterai.runtime.middleware.stores import MOST_PENDING, REST_SECONDS, SQLiteStore
from runtime.middleware.priced import Priced
from runtime.subprocesses import TESTS, check_python

PROCESS = """
    import asyncio
    from betterai import Cached
    from runtime.middleware.priced import Priced

    async def main() -> None:
        provider = Priced()
        async with Cached(provider, path={path!r}, patience=30) as cached:
            for number in range(20):
                response = await cached.generate(f"question {{number}}")
                assert response.content == "Hello"
        print(len(provider.calls))

    asyncio.run(main())
"""


def rows(path: Path, query: str) -> list[tuple[object, ...]]:
    connection = sqlite3.connect(path)
    try:
        return connection.execute(query).fetchall()
    finally:
        connection.close()


async def test_processes_share_a_file_and_find_it_again(tmp_path: Path) -> None:
    path = tmp_path / "answers.db"
    code = PROCESS.format(path=str(path))
    said = await asyncio.gather(*[asyncio.to_thread(check_python, code, path=(TESTS,)) for _ in range(2)])
    assert 20 <= sum(map(int, said)) <= 40
    provider = Priced()
    async with Cached(provider, path=path, patience=30) as cached:
        kept = await cached.generate("question 7")
    assert kept.timing is not None
    assert kept.timing.age is not None
    assert provider.calls == []


def folder_files(folder: Path) -> list[Path]:
    return [file for file in folder.iterdir() if not file.name.endswith("-shm")]


async def test_no_question_no_key_and_no_header_is_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "answers.db"
    provider = Priced()
    provider.headers = {"set-cookie": "session-cookie"}
    async with Cached(provider, path=path, patience=30) as cached:
        secret = GenerationSettings(extra_headers={"x-api-key": "very-secret-key"}, user="ada")
        await cached.generate("What is the plan?", settings=secret)
    content = b"".join(map(Path.read_bytes, folder_files(tmp_path)))
    for word in (b"very-secret", b"the plan", b"ada", b"session-cookie"):
        assert word not in content
    assert b"Hello" in content
    assert path.stat().st_mode & 0o777 == 0o600


async def test_the_file_stays_as_small_as_it_may_be(tmp_path: Path) -> None:
    path, now = tmp_path / "answers.db", [0.0]
    store = SQLiteStore(path, 50, 100_000, 30, Clock(now=lambda: now[0]))
    for number in range(400):
        now[0] += 1
        store.put(b"%032d" % number, bytes(1000), now[0], 0.0)
        if number % MOST_PENDING == 0:
            assert await store.get(b"%032d" % number, 0.0) is not None
    assert await store.get(b"%032d" % 399, 0.0) is not None
    assert await store.get(b"%032d" % 0, 0.0) is None
    for number in range(20):
        store.put(b"large%027d" % number, bytes(30_000), now[0] + number, 0.0)
    assert await store.get(b"large%027d" % 19, 0.0) is not None
    await store.aclose()
    [(count, size)] = rows(path, "SELECT COUNT(*), SUM(size) FROM betterai_answers")
    assert isinstance(size, int)
    assert (count, size <= 100_000 * 1.05) == (3, True)
    assert path.stat().st_size < 400_000


async def test_what_is_used_is_kept_and_what_is_old_is_deleted(tmp_path: Path) -> None:
    path, now = tmp_path / "answers.db", [0.0]
    store = SQLiteStore(path, 2, 1_000, 30, Clock(now=lambda: now[0]))
    store.put(b"a", b"a", 0.0, -1.0)
    store.put(b"b", b"b", 1.0, -1.0)
    now[0] = 100.0
    assert await store.get(b"a", -1.0) == (b"a", 0.0)
    store.put(b"c", b"c", 100.0, -1.0)
    assert await store.get(b"b", -1.0) is None
    assert await store.get(b"a", -1.0) == (b"a", 0.0)
    store.put(b"d", b"d", 200.0, 50.0)
    assert await store.get(b"a", 50.0) is None
    await store.aclose()
    assert sorted(rows(path, "SELECT key FROM betterai_answers")) == [(b"c",), (b"d",)]


async def test_x6_a_damaged_file_is_left_alone_and_the_call_goes_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path, now = tmp_path / "answers.db", [0.0]
    damaged = b"this is no database " * 100
    path.write_bytes(damaged)
    provider = Priced()
    async with Cached(provider, path=path, clock=Clock(monotonic=lambda: now[0])) as cached:
        with caplog.at_level(logging.WARNING, "betterai.middleware"):
            for _ in range(3):
                assert (await cached.generate("Hi")).content == "Hello"
        assert len(caplog.records) == 1, "said once, and not tried again at once"
        assert "answers are not cached in" in caplog.text
        assert path.read_bytes() == damaged
        path.unlink()
        now[0] += REST_SECONDS
        for _ in range(2):
            await cached.generate("Hi")
    assert len(provider.calls) == 4


async def test_x6_a_locked_file_does_not_hold_a_call_up(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "answers.db"
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("PRAGMA journal_mode=WAL")
    other.execute("PRAGMA locking_mode=EXCLUSIVE")
    other.execute("CREATE TABLE x (y)")
    provider, now = Priced(), [0.0]
    try:
        async with Cached(provider, path=path, clock=Clock(monotonic=lambda: now[0])) as cached:
            began = time.monotonic()
            for _ in range(20):
                assert (await cached.generate("Hi")).content == "Hello"
            assert time.monotonic() - began < 4
            assert "locked" in caplog.text
            other.close()
            now[0] += REST_SECONDS
            for _ in range(2):
                await cached.generate("Hi")
            assert cached.hits == 1
    finally:
        other.close()


async def test_x6_what_cannot_be_opened_or_read_is_asked_for_anew(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with Cached(Priced(), path=tmp_path / "no" / "such" / "folder.db") as cached:
        assert (await cached.generate("Hi")).content == "Hello"
    assert "No such file or directory" in caplog.text
    path, provider = tmp_path / "answers.db", Priced()
    async with Cached(provider, path=path, patience=30) as cached:
        await cached.generate("Hi")
    connection = sqlite3.connect(path)
    with connection:
        connection.execute("UPDATE betterai_answers SET value = x'7b'")
    connection.close()
    async with Cached(provider, path=path, patience=30) as cached:
        assert [(await cached.generate("Hi")).content for _ in range(2)] == ["Hello"] * 2
    assert len(provider.calls) == 2
    assert "a cached answer cannot be read" in caplog.text


async def test_what_is_under_one_namespace_is_not_found_under_another(tmp_path: Path) -> None:
    path, provider = tmp_path / "answers.db", Priced()
    for name in ("a", "b", "a"):
        async with Cached(provider, path=path, namespace=name, patience=30) as cached:
            await cached.generate("Hi")
    assert len(provider.calls) == 2


def test_a_fork_opens_the_file_for_itself(tmp_path: Path) -> None:
    code = """
        import asyncio, os, sys, warnings
        from betterai import Cached
        from runtime.middleware.priced import Priced

        provider = Priced()
        cached = Cached(provider, path=sys.argv[1], patience=30)

        async def ask() -> None:
            await cached.generate("Hi")

        asyncio.run(ask())
        warnings.simplefilter("ignore")  # from Python 3.12 on: it has threads
        child = os.fork()
        asyncio.run(ask())
        asyncio.run(cached.aclose())
        if child:
            assert os.waitpid(child, 0)[1] == 0
            print(len(provider.calls))
    """
    assert check_python(code, str(tmp_path / "answers.db"), path=(TESTS,), strict=False) == "1\n"


def test_a_cache_that_nobody_closes_says_nothing_at_the_end(tmp_path: Path) -> None:
    code = """
        import asyncio, sys
        from betterai import Cached
        from runtime.middleware.priced import Priced

        print(asyncio.run(Cached(Priced(), path=sys.argv[1], patience=30).generate("Hi")).content)
    """
    assert check_python(code, str(tmp_path / "answers.db"), path=(TESTS,)) == "Hello\n"
    assert rows(tmp_path / "answers.db", "SELECT COUNT(*) FROM betterai_answers") == [(1,)]


async def test_the_sync_face_and_other_loops_share_the_file(tmp_path: Path) -> None:
    provider = Priced()
    async with Cached(provider, path=tmp_path / "answers.db", patience=30) as cached:
        await cached.generate("Hi")
        kept = await asyncio.to_thread(lambda: betterai.sync.generate(cached, "Hi"))
    assert kept.timing is not None
    assert kept.timing.age is not None
    assert len(provider.calls) == 1
