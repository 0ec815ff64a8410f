"""A terminal with the command line in it: what a person types and sees."""

from __future__ import annotations

import asyncio
import contextlib
import os
import pty
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

from cli.processes import COMMAND, DEADLINE, make_environment

CONTROL_C, CONTROL_D = "\x03", "\x04"

LAUNCH = (
    "import os, signal, sys; os.login_tty(0); signal.signal(signal.SIGINT, signal.SIG_DFL);"
    "os.execv(sys.argv[1], sys.argv[1:])"
)
"""Makes stdin's terminal the controlling one, so that Ctrl-C typed there is a signal."""


class Terminal:
    """`async with Terminal("chat", …) as terminal:` types into it, and waits for what is to be seen."""

    def __init__(self, *words: str, **variables: str) -> None:
        self._words = words
        self._environment = make_environment(**variables)
        self._seen = ""
        self._read = 0
        self._changed = asyncio.Event()

    async def __aenter__(self) -> Self:
        self._master, slave = pty.openpty()
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", LAUNCH, *COMMAND, *self._words, stdin=slave, stdout=slave, stderr=slave,
            env=self._environment,
        )  # fmt: skip
        os.close(slave)
        asyncio.get_running_loop().add_reader(self._master, self._take)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        asyncio.get_running_loop().remove_reader(self._master)
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()
        os.close(self._master)

    def _take(self) -> None:
        try:
            piece = os.read(self._master, 65536)
        except OSError:  # the other side is closed
            piece = b""
        if not piece:
            asyncio.get_running_loop().remove_reader(self._master)
        self._seen += piece.decode(errors="replace")
        self._changed.set()

    def type(self, text: str) -> None:
        os.write(self._master, text.encode())

    async def press_at_prompt(self, key: str) -> None:
        """Type a key when a prompt stands and the process waits for input: readline loses a signal just before."""
        await self.expect("> ")
        for _ in range(round(DEADLINE / 0.02)):
            await asyncio.sleep(0.02)
            if self._is_waiting():
                break
        self.type(key)

    def _is_waiting(self) -> bool:
        status = Path(f"/proc/{self._process.pid}/stat")
        return not status.exists() or status.read_text().rpartition(")")[2].split()[0] == "S"

    async def expect(self, text: str) -> str:
        """Wait until this is seen, after what was expected before; what stood before it."""

        async def look() -> None:
            while text not in self._seen[self._read :]:
                self._changed.clear()
                await self._changed.wait()

        try:
            await asyncio.wait_for(look(), DEADLINE)
        except TimeoutError:
            raise AssertionError(f"no {text!r} in {self._seen[self._read :]!r}") from None
        place = self._seen.index(text, self._read)
        before = self._seen[self._read : place]
        self._read = place + len(text)
        return before

    async def end(self) -> tuple[int, str]:
        """Wait for the process to end: its exit code, and all that was seen."""
        code = await asyncio.wait_for(self._process.wait(), DEADLINE)
        await asyncio.sleep(0)
        while True:
            try:
                piece = os.read(self._master, 65536)
            except OSError:
                return code, self._seen
            if not piece:
                return code, self._seen
            self._seen += piece.decode(errors="replace")
