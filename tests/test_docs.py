"""Every Python block of the documentation runs as it stands, the vendors' services stood in for by a double."""

from __future__ import annotations

import ast
import re
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from importlib import import_module
from inspect import CO_COROUTINE
from pathlib import Path
from types import CodeType
from typing import Any

import pytest
from aiohttp import ClientSession, web

import betterai
from betterai.core.tools import ServerTool
from betterai.runtime import client
from betterai.runtime.registry import get_provider
from doubles.batches import AnthropicService, OpenAIService
from doubles.live_voices import LiveService
from doubles.openai_live import OpenAILiveService
from doubles.voices import VoiceService
from judges.app import serve
from providers.local.engines import need
from runtime.file_services import FileService
from together import each

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)


def blocks(page: Path) -> list[str]:
    return BLOCK.findall(page.read_text())


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page)], ids=lambda page: str(page.relative_to(ROOT)))
async def test_python_blocks_run(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BETTERAI_STATE", str(tmp_path))
    monkeypatch.setattr(client, "_client", None)
    if page.name == "local-models.md":
        for package in ("xllamacpp", "gguf"):
            pytest.importorskip(package, reason="needs betterai[dev]", exc_type=ImportError)
        import_module("peers.tiny_gguf").write_tiny_gguf(tmp_path / "model.gguf")
    if page.name in ("README.md", "local-engines.md", "realtime.md"):
        need("espeak", "pocketsphinx", "painter")
    batches = page.name in ("README.md", "batches.md")
    async with serve(Searching()) as (chats, _), keep_files(chats, batches=batches) as url:
        for name, value in environment(url).items():
            monkeypatch.setenv(name, value)
        namespace: dict[str, Any] = {"__name__": "__main__"}
        for block in blocks(page):
            await run(block, namespace)
        await client.default_client().aclose()


def environment(url: str) -> dict[str, str]:
    """What the pages' providers are reached with: all of them at `url`."""
    keys = ("ANTHROPIC", "DEEPSEEK", "GOOGLE", "GROQ", "OPENAI", "XAI")
    return {
        **{f"{name}_API_KEY": "test-key" for name in keys},
        **{f"{name}_BASE_URL": url for name in ("ANTHROPIC", "DEEPSEEK", "GOOGLE_GEMINI", "GROQ", "VERTEX")},
        **{f"{name}_BASE_URL": f"{url}/v1" for name in ("OPENAI", "XAI")},
        "VERTEX_ACCESS_TOKEN": "test-token",
        "GOOGLE_CLOUD_PROJECT": "test-project",
    }


class Searching(betterai.BaseTextProvider):
    """`local/echo`, and an answer as of one that searched where a tool of the provider's is asked for."""

    def __init__(self) -> None:
        self._echo = betterai.get_text_provider("local/echo")

    async def generate(
        self, messages: Any, model: str, settings: betterai.GenerationSettings
    ) -> betterai.ProviderResponse:
        if not settings.web_search and not any(isinstance(tool, ServerTool) for tool in settings.tools or ()):
            return await self._echo.generate(messages, model, settings)
        source = betterai.Citation(url="https://example.com", title="News", start=0, end=7)
        text = betterai.Text(text="It snows.", citations=(source,))
        message = betterai.Message(role="assistant", parts=(text,))
        return betterai.ProviderResponse(content=text.text, model=model, message=message, finish_reason="stop")

    async def generate_stream(
        self, messages: Any, model: str, settings: betterai.GenerationSettings
    ) -> AsyncGenerator[betterai.TextChunk, None]:
        async for chunk in self._echo.generate_stream(messages, model, settings):
            yield chunk


@asynccontextmanager
async def keep_files(chats: str, *, batches: bool) -> AsyncIterator[str]:
    """A service that keeps files under /v1/files, or batches and their files, and passes the rest on to `chats`."""

    async def pass_on(request: web.Request) -> web.Response:
        async with ClientSession() as session:
            body, headers = await request.read(), {"Content-Type": request.content_type}
            async with session.request(request.method, chats + request.raw_path, data=body, headers=headers) as reply:
                return web.Response(status=reply.status, body=await reply.read(), content_type=reply.content_type)

    app = web.Application()
    services: dict[str, Any] = {"/v1/files": FileService("openai", "test-key")}
    if batches:
        services = dict.fromkeys(("/v1/files", "/v1/batches"), OpenAIService("/v1"))
        services["/v1/messages/batches"] = AnthropicService()
    for path, service in services.items():
        service.key = "test-key"
        app.router.add_route("*", path + "{id:.*}", service.answer)
    app.router.add_route("*", "/v1/realtime{path:.*}", VoiceService("test-key").answer)
    app.router.add_route("*", "/v1/live/sessions", OpenAILiveService().answer)
    app.router.add_route("*", "/ws/{path:.*}", LiveService("test-key").answer)
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


@each("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_to_files_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text()):
        assert (page.parent / target).exists(), target


def test_the_page_on_protocols_says_who_speaks_which() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (`.*`) \|$", (ROOT / "docs/protocols.md").read_text(), re.MULTILINE)
    vendors = {path.parent.name for path in (ROOT / "src/betterai/providers").glob("*/__init__.py")} - {"local"}
    texts = {name: get_provider(name).protocols.get("text") for name in vendors}
    spoken = {name: list(protocols) for name, protocols in texts.items() if protocols}
    said = {name: re.findall(r"`(\w+)`", protocols) for name, protocols in rows}
    assert said == {name: protocols for name, protocols in spoken.items() if protocols != ["openai_chat"]}


def test_each_decision_has_a_number_of_its_own() -> None:
    records = sorted((ROOT / "docs/decisions").glob("*.md"))
    numbers = [int(record.name[:4]) for record in records]
    assert len(set(numbers)) == len(numbers)
    assert [record.read_text().split(".")[0] for record in records] == [f"# {number}" for number in numbers]


def test_the_page_on_the_handbook_names_places_and_tests_that_there_are() -> None:
    page = (ROOT / "docs/handbook.md").read_text()
    for place in re.findall(r"`((?:src|tests|docs)/[^`:]*)`", page):
        assert (ROOT / place).exists(), place
    for place, test in re.findall(r"`(tests/[^`]+)::(\w+)`", page):
        assert re.search(rf"def {test}\(", (ROOT / place).read_text()), f"{place}::{test}"


def test_the_page_on_the_handbook_leaves_no_line_of_it_out() -> None:
    handbook = ROOT.parent / "shared/provider-handbook.md"
    if not handbook.exists():
        pytest.skip("needs ../shared/provider-handbook.md")
    page, text = (ROOT / "docs/handbook.md").read_text(), handbook.read_text()
    headings = re.findall(r"^###? (?:Step \d: |Example: )?(.+?)(?: \([^()]*[./][^()]*\))?$", text, re.MULTILINE)
    about = {
        "Provider System Overview", "Step-by-Step: Adding a New Provider", "Provider Categories",
        "Provider Pattern Checklist", "Common Provider Patterns", "See Also",
    }  # fmt: skip
    lines = [
        *re.findall(r"^- \[ \] (.+)$", text, re.MULTILINE),
        *re.findall(r"^- (`supports_\w+`)", text, re.MULTILINE),
    ]
    assert len(headings) > 20
    assert len(lines) == 15
    assert [line for line in [*headings, *lines] if line not in page and line not in about] == []
