"""Every Python block of the documentation runs as it stands, the vendors' services stood in for by a double."""

from __future__ import annotations

import ast
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import import_module
from inspect import CO_COROUTINE
from pathlib import Path
from types import CodeType
from typing import Any

import pytest
from aiohttp import ClientSession, web

from judges.app import serve
from runtime.file_services import FileService

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)


def blocks(page: Path) -> list[str]:
    return BLOCK.findall(page.read_text())


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page)], ids=lambda page: str(page.relative_to(ROOT)))
async def test_python_blocks_run(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    if page.name == "local-models.md":
        for package in ("xllamacpp", "gguf"):
            pytest.importorskip(package, reason="needs betterai[dev]", exc_type=ImportError)
        import_module("peers.tiny_gguf").write_tiny_gguf(tmp_path / "model.gguf")
    async with serve() as (chats, _), keep_files(chats) as url:
        monkeypatch.setenv("GROQ_BASE_URL", url)
        monkeypatch.setenv("OPENAI_BASE_URL", f"{url}/v1")
        monkeypatch.setenv("DEEPSEEK_BASE_URL", url)
        for name in ("GROQ_API_KEY", "OPENAI_API_KEY", "DEEPSEEK_API_KEY"):
            monkeypatch.setenv(name, "test-key")
        namespace: dict[str, Any] = {"__name__": "__main__"}
        for block in blocks(page):
            await run(block, namespace)


@asynccontextmanager
async def keep_files(chats: str) -> AsyncIterator[str]:
    """A service that keeps files under /v1/files, and passes everything else on to `chats`."""

    async def pass_on(request: web.Request) -> web.Response:
        async with ClientSession() as session:
            body, headers = await request.read(), {"Content-Type": request.content_type}
            async with session.request(request.method, chats + request.path, data=body, headers=headers) as reply:
                return web.Response(status=reply.status, body=await reply.read(), content_type=reply.content_type)

    app = web.Application()
    app.router.add_route("*", "/v1/files{id:.*}", FileService("openai", "test-key").answer)
    app.router.add_route("*", "/{path:.*}", pass_on)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def run(block: str, namespace: dict[str, Any]) -> None:
    """Execute one block; names carry over to the next, and top-level await is allowed."""
    code: CodeType = compile(block, "<docs>", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    result = eval(code, namespace)
    if code.co_flags & CO_COROUTINE:
        await result


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_to_files_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text()):
        assert (page.parent / target).exists(), target
