"""Ctrl-C, and readers that go away."""

from __future__ import annotations

import asyncio
import json
import signal
from asyncio.subprocess import PIPE

from cli.processes import COMMAND, DEADLINE, finish, make_environment, start
from cli.upstream import KEY, Upstream


async def test_ctrl_c_in_mid_stream_closes_the_upstream_and_says_nothing(upstream: Upstream):
    upstream.holds = True
    process = await start(*upstream.words, "Hello", GROQ_API_KEY=KEY)
    assert process.stdout is not None
    assert await process.stdout.readexactly(7) == b"one two"
    assert not upstream.left.is_set()
    process.send_signal(signal.SIGINT)
    await upstream.wait_until_left()
    result = await finish(process)
    assert (result.code, result.stdout, result.stderr) == (130, "\n", "")


async def test_ctrl_c_while_a_whole_answer_is_waited_for(upstream: Upstream):
    upstream.failure = (503, {"error": {"message": "later"}})
    process = await start(*upstream.words, "--json", "Hello", GROQ_API_KEY=KEY)
    await asyncio.wait_for(upstream.asked.wait(), DEADLINE)
    process.send_signal(signal.SIGINT)
    result = await finish(process)
    assert (result.code, result.stdout, result.stderr) == (130, "", "")


async def test_ctrl_c_while_the_prompt_is_read():
    process = await asyncio.create_subprocess_exec(
        *COMMAND, "chat", "-m", "local/echo", "Hello", stdin=PIPE, stdout=PIPE, stderr=PIPE, env=make_environment()
    )
    assert process.stderr is not None
    line = await asyncio.wait_for(process.stderr.readline(), DEADLINE)
    assert b"waiting for the rest of the prompt on stdin" in line
    process.send_signal(signal.SIGINT)
    result = await finish(process)
    assert (result.code, result.stderr) == (130, "")


async def test_a_closed_pipe_ends_the_answer_quietly():
    text = json.dumps({"local": {"text": "line\n" * 10_000, "chunk_size": 50}})
    process = await start("chat", "-m", "local/echo", "-o", f"options={text}", "x")
    assert process.stdout is not None
    assert process.stderr is not None
    assert await process.stdout.readline() == b"line\n"
    process.stdout._transport.close()
    said = await asyncio.wait_for(process.stderr.read(), DEADLINE)
    assert (await process.wait(), said) == (141, b"")
