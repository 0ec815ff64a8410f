"""`local/gguf:PATH`: a real model file in this process (a tiny random one, which speaks noise with real mechanics)."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import pytest

import betterai
from betterai.providers.local import gguf_engine
from betterai.providers.local.text import LocalTextProvider

SCHEMA = {"type": "object", "properties": {"sunny": {"type": "boolean"}}, "required": ["sunny"]}
PAINT = betterai.Tool(name="paint", description="Paints.", parameters=SCHEMA)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    for package in ("xllamacpp", "gguf"):
        pytest.importorskip(package, reason="needs betterai[dev]", exc_type=ImportError)
    from peers.tiny_gguf import write_tiny_gguf

    path = tmp_path_factory.mktemp("a folder") / "a tiny model.gguf"
    write_tiny_gguf(path)
    return path


@pytest.fixture
async def client() -> AsyncIterator[betterai.Client]:
    async with betterai.Client() as client:
        yield client
    assert not gguf_engine._engines, "closing frees the models"


async def test_a_file_answers_with_usage_and_at_no_cost(client: betterai.Client, file: Path) -> None:
    response = await client.generate(f"local/gguf:{file}", "Hello", max_tokens=8, temperature=0)

    assert response.content.strip()
    assert (response.provider, response.model, response.finish_reason) == ("local", f"gguf:{file}", "length")
    assert response.usage is not None
    assert response.usage.output_tokens == 8 < response.usage.input_tokens
    assert response.cost is not None
    assert (response.cost.amount, response.cost.status) == (Decimal(0), "exact")
    assert response.warnings == ()


async def test_a_stream_says_what_a_whole_answer_says(client: betterai.Client, file: Path) -> None:
    whole = await client.generate(f"local/gguf:{file}", "Hello", max_tokens=8, temperature=0)
    chunks = [chunk async for chunk in client.stream(f"local/gguf:{file}", "Hello", max_tokens=8, temperature=0)]

    assert "".join(chunk.content for chunk in chunks) == whole.content
    assert sum(bool(chunk.content) for chunk in chunks) > 2, "it comes in pieces"
    assert [chunk.finish_reason for chunk in chunks if chunk.finish_reason] == ["length"]
    assert chunks[-1].response is not None
    assert chunks[-1].response.message == whole.message


async def test_seed_and_temperature_are_heeded(client: betterai.Client, file: Path) -> None:
    answers = [
        (await client.generate(f"local/gguf:{file}", "Hello", max_tokens=16, temperature=2.0, seed=seed)).content
        for seed in (1, 1, 2)
    ]
    assert answers[0] == answers[1] != answers[2]


async def test_a_stop_sequence_ends_the_answer(client: betterai.Client, file: Path) -> None:
    whole = await client.generate(f"local/gguf:{file}", "Hello", max_tokens=8, temperature=0)
    word = whole.content.split()[1]
    stopped = await client.generate(f"local/gguf:{file}", "Hello", max_tokens=8, temperature=0, stop=[word])

    assert (stopped.content, stopped.finish_reason) == (whole.content.partition(word)[0], "stop")


async def test_a_schema_is_kept_to(client: betterai.Client, file: Path) -> None:
    response = await client.generate(f"local/gguf:{file}", "Hello", max_tokens=64, response_format=SCHEMA)
    assert set(response.parsed) == {"sunny"}


async def test_a_tool_is_called(client: betterai.Client, file: Path) -> None:
    settings = {"tools": [PAINT], "tool_choice": "required", "max_tokens": 96, "temperature": 0.0}
    response = await client.generate(f"local/gguf:{file}", "Hello", **settings)

    assert [call.name for call in response.tool_calls] == ["paint"]
    assert set(response.tool_calls[0].parse_arguments()) == {"sunny"}
    assert response.finish_reason == "tool_calls"


async def test_leaving_a_stream_stops_the_answer(client: betterai.Client, file: Path) -> None:
    options = {"local": {"context": 100_000}}
    async with client.stream(f"local/gguf:{file}", "Hello", options=options) as stream:
        async for chunk in stream:
            if chunk.content:
                break
    async with asyncio.timeout(20):  # the model answers one call at a time: this one waits for the other's end
        await client.generate(f"local/gguf:{file}", "Hello", max_tokens=1, options=options)


async def test_a_cancelled_call_stops_too(client: betterai.Client, file: Path) -> None:
    options = {"local": {"context": 100_000}}
    await client.generate(f"local/gguf:{file}", "Hello", max_tokens=1, options=options)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await client.generate(f"local/gguf:{file}", "Hello", options=options)
    async with asyncio.timeout(20):
        await client.generate(f"local/gguf:{file}", "Hello", max_tokens=1, options=options)


async def test_the_loop_runs_on_while_a_file_answers(client: betterai.Client, file: Path) -> None:
    answer = asyncio.ensure_future(client.generate(f"local/gguf:{file}", "Hello", max_tokens=200))
    turns = 0
    while not answer.done():
        await asyncio.sleep(0.001)
        turns += 1
    assert (await answer).usage is not None
    assert turns > 5


async def test_calls_at_once_wait_for_their_turn(client: betterai.Client, file: Path) -> None:
    calls = [client.generate(f"local/gguf:{file}", "Hello", max_tokens=4, temperature=0) for _ in range(8)]
    assert len({response.content for response in await asyncio.gather(*calls)}) == 1


async def test_a_file_is_loaded_once_however_it_is_named(
    client: betterai.Client, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(file.parent)
    monkeypatch.setenv("HOME", str(file.parent))
    monkeypatch.setenv("USERPROFILE", str(file.parent))
    for name in (file, file.name, f"~/{file.name}"):
        await client.generate(f"local/gguf:{name}", "Hello", max_tokens=1)
    assert list(gguf_engine._engines) == [(file, 8192)]


async def test_few_files_stay_loaded(client: betterai.Client, file: Path) -> None:
    for context in (256, 512, 768):
        options = {"local": {"context": context}}
        await client.generate(f"local/gguf:{file}", "Hello", max_tokens=1, options=options)
    assert list(gguf_engine._engines) == [(file, 512), (file, 768)]


async def test_an_answer_goes_on_when_other_files_take_its_place(client: betterai.Client, file: Path) -> None:
    chunks = aiter(client.stream(f"local/gguf:{file}", "Hello", max_tokens=400))
    await anext(chunks)
    for context in (256, 512):
        options = {"local": {"context": context}}
        await client.generate(f"local/gguf:{file}", "Hello", max_tokens=1, options=options)
    assert (file, 8192) not in gguf_engine._engines
    assert [chunk.response async for chunk in chunks][-1] is not None


async def test_closing_one_client_leaves_the_model_to_another(file: Path) -> None:
    async with betterai.Client() as stays:
        await stays.generate(f"local/gguf:{file}", "Hello", max_tokens=1)
        async with betterai.Client() as goes:
            await goes.generate(f"local/gguf:{file}", "Hello", max_tokens=1)
        assert list(gguf_engine._engines) == [(file, 8192)]
    assert not gguf_engine._engines


async def test_a_conversation_beyond_the_context_says_so(client: betterai.Client, file: Path) -> None:
    with pytest.raises(betterai.ContextLengthError):
        await client.generate(f"local/gguf:{file}", "word " * 500, options={"local": {"context": 256}})


@pytest.mark.parametrize(
    ("settings", "kind", "words"),
    [
        ({"n": 2}, betterai.UnsupportedParam, "one answer"),
        ({"max_tokens": 0}, betterai.ValidationError, "at least 1"),
        ({"options": {"local": {"text": "x"}}}, betterai.ValidationError, "local/echo"),
        ({"response_format": {"type": "zzz"}}, betterai.ValidationError, "zzz"),
        ({"reasoning": "boundless"}, betterai.ValidationError, "boundless"),
        ({"extra_body": {"temperature": "hot"}}, betterai.BadRequestError, "temperature|number"),
    ],
)
async def test_what_cannot_be_done_is_refused(
    client: betterai.Client, file: Path, settings: dict[str, object], kind: type[Exception], words: str
) -> None:
    with pytest.raises(kind, match=words):
        await client.generate(f"local/gguf:{file}", "Hello", **settings)  # type: ignore[arg-type]


async def test_a_picture_is_refused(client: betterai.Client, file: Path) -> None:
    picture = betterai.Message.user("What is it?", betterai.Media(kind="image", mime_type="image/png", data=b"x"))
    with pytest.raises(betterai.UnsupportedParam, match="image"):
        await client.generate(f"local/gguf:{file}", picture)


async def test_what_has_no_effect_is_reported(client: betterai.Client, file: Path) -> None:
    response = await client.generate(f"local/gguf:{file}", "Hello", max_tokens=1, user="me", extra_headers={"A": "b"})
    assert [(warning.code, warning.field) for warning in response.warnings] == [
        ("dropped", "user"),
        ("dropped", "extra_headers"),
    ]


async def test_a_missing_file_is_named(client: betterai.Client, tmp_path: Path) -> None:
    with pytest.raises(betterai.ModelNotFoundError, match=r"absent\.gguf"):
        await client.generate(f"local/gguf:{tmp_path / 'absent.gguf'}", "Hello")


async def test_a_file_that_is_no_gguf_is_named(client: betterai.Client, tmp_path: Path) -> None:
    (path := tmp_path / "model.gguf").write_bytes(b"pickle")
    with pytest.raises(betterai.ValidationError, match="not a GGUF file"):
        await client.generate(f"local/gguf:{path}", "Hello")


@pytest.fixture
def damaged(file: Path, tmp_path: Path) -> Path:
    (path := tmp_path / "half.gguf").write_bytes(file.read_bytes()[:5000])
    return path


async def test_a_damaged_file_is_named(client: betterai.Client, damaged: Path) -> None:
    with pytest.raises(betterai.ProviderError, match="cannot load"):
        await client.generate(f"local/gguf:{damaged}", "Hello")


async def test_without_the_extra_it_says_how_to_install_it(
    client: betterai.Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "xllamacpp", None)
    (path := tmp_path / "model.gguf").write_bytes(b"GGUF")
    with pytest.raises(betterai.ConfigurationError, match=r"betterai\[llama\]"):
        await client.generate(f"local/gguf:{path}", "Hello")


async def test_its_option_is_refused_by_the_other_models() -> None:
    with pytest.raises(betterai.ValidationError, match="local/gguf"):
        await LocalTextProvider(context=512).generate("Hello", "echo", betterai.GenerationSettings())


@pytest.mark.skipif(sys.platform == "win32", reason="needs os.fork")
async def test_a_forked_child_loads_the_file_anew(file: Path) -> None:
    program = f"""
import asyncio, multiprocessing, betterai

def ask():
    asyncio.run(betterai.generate({f"local/gguf:{file}"!r}, "Hello", max_tokens=2))

ask()
child = multiprocessing.get_context("fork").Process(target=ask)
child.start()
child.join(20)
assert child.exitcode == 0, child.exitcode
"""
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", program)
    assert await process.wait() == 0


async def test_a_process_ends_cleanly_with_a_model_loaded(file: Path) -> None:
    program = (
        f"import asyncio, betterai; asyncio.run(betterai.generate({f'local/gguf:{file}'!r}, 'Hello', max_tokens=2))"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-W", "error", "-c", program, env={**os.environ}, stderr=asyncio.subprocess.PIPE
    )
    _, errors = await process.communicate()
    assert (process.returncode, errors) == (0, b"")


@pytest.mark.parametrize("asked", ["", "refused by a parser", "refused by a reader"])
async def test_a_file_that_answered_nothing_is_freed_all_the_same(asked: str, file: Path) -> None:
    """In a process of its own: where freeing hangs, it holds the interpreter's lock, and all of the process hangs."""
    program = f"""
from pathlib import Path
from betterai.providers.local import gguf_engine

REFUSED = {{"refused by a parser": b'"temperature": "hot"', "refused by a reader": b'"response_format": {{"type": "zzz"}}'}}
asked, file = {asked!r}, Path({str(file)!r})
for _ in range(10):
    engine = gguf_engine.Engine(file, 512)
    heard, ends = [], []
    if asked:
        body = b'{{"messages": [{{"role": "user", "content": "."}}], ' + REFUSED[asked] + b"}}"
        engine.submit(body, heard.append, ends.append)
    else:
        engine._server = gguf_engine.load(file, 512)
    engine.close(stop=False).result()
    assert bool(asked) == (b"error" in b"".join(heard) or any(isinstance(end, Exception) for end in ends))
"""
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", program)
    try:
        assert await asyncio.wait_for(process.wait(), 40) == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
