"""Worker: asyncio and a bare socket, no HTTP client: the floor of the time to the first piece."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

from measure import MESSAGES, MODEL, TEMPERATURE, Answer, Streamed, run


class SocketClient:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, path: str) -> None:
        self.reader, self.writer, self.path = reader, writer, path

    async def call(self) -> Answer:
        raise SystemExit("the bare socket only streams")

    async def stream(self) -> Streamed:
        request = {"model": MODEL, "messages": MESSAGES, "temperature": TEMPERATURE, "stream": True}
        body = json.dumps(request, separators=(",", ":")).encode()
        head = f"POST {self.path}/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n"
        self.writer.write(head.encode() + body)
        first, events, characters, tokens = 0.0, 0, 0, 0
        async for line in self.reader:
            if line.startswith(b"data: {"):
                chunk = json.loads(line[6:])
                if chunk["usage"]:
                    tokens = chunk["usage"]["total_tokens"]
                if chunk["choices"] and (text := chunk["choices"][0]["delta"].get("content")):
                    first = first or time.perf_counter()
                    events += 1
                    characters += len(text)
            elif line == b"0\r\n":
                await self.reader.readline()
                break
        return Streamed(first, events, characters, tokens)


@asynccontextmanager
async def open_client(url: str) -> AsyncIterator[SocketClient]:
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    yield SocketClient(reader, writer, parts.path)
    writer.close()


if __name__ == "__main__":
    run(open_client)
