"""Ctrl-C, and readers that go away."""

from __future__ import annotations

import asyncio
import json
import os
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
    """The answer is larger than a pipe holds, so that it cannot all be written before the reader has gone."""
    text = json.dumps({"local": {"text": "line\n" * 18_000, "chunk_size": 50}})
    reader, writer = os.pipe()
    process = await start("chat", "-m", "local/echo", "-o", f"options={text}", "x", stdout=writer)
    os.close(writer)
    assert process.stderr is not None
    assert await asyncio.to_thread(os.read, reader, 5) == b"line\n"
    os.close(reader)
    said = await asyncio.wait_for(process.stderr.read(), DEADLINE)
    assert (await process.wait(), said) == (141, b"")
