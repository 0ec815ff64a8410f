"""The files that `betterai new-provider` writes, with places such as «name» to be filled in."""

DECLARATION = '''\
"""«title» («docs»)."""

«imports»
PROVIDER = Provider(
    name="«name»",
    title="«title»",
    docs="«docs»",
    base_url="{base_url}",
    settings=(
        Setting(name="api_key", env=("«key_env»",), secret=True),
        Setting(name="base_url", env=("«base_env»",), default="«base_url»"),
    ),
    auth=BearerAuth(),
    models=lambda: PROVIDER_MODELS,
    protocols={"text": {"openai_chat": OpenAIChat()}},
    defaults={"text": "«model»"},
    list_models_path="/models",
)
'''

FOLDER_IMPORTS = """\
from betterai.core.provider import BearerAuth, Provider, Setting
from betterai.providers.«name».models import PROVIDER_MODELS
from betterai.wire.openai_chat import OpenAIChat
"""

PACKAGE_IMPORTS = """\
from betterai.core.provider import BearerAuth, Provider, Setting
from betterai.wire.openai_chat import OpenAIChat

from betterai_«name».models import PROVIDER_MODELS
"""

MODELS = '''\
"""Models of «title»: prices and limits go here; others can be asked all the same."""

from __future__ import annotations

from betterai.core.model import ModelConfig

PROVIDER_MODELS: dict[str, ModelConfig] = {
    "«model»": ModelConfig(id="«model»", name="«model»", provider="«name»"),
}
'''

ANSWERING_TEST = '''\
"""«title» answers, whole and streamed."""

from __future__ import annotations

import betterai
from judges.app import serve


async def test_a_question_is_answered() -> None:
    async with serve() as (url, app), betterai.Client() as client:
        config = betterai.CoreConfig(api_key="test-key", base_url=url)
        response = await client.generate("«name»/«model»", "Hello", config=config)
        stream = client.stream("«name»/«model»", "Hello", config=config)
        assert "".join([chunk.content async for chunk in stream]) == "Hello"
    assert (response.content, response.provider) == ("Hello", "«name»")
    assert [body["model"] for body in app.bodies] == ["«model»"] * 2
'''

PACKAGE_TEST = '''\
"""«title» is found as an installed package, and answers, whole and streamed."""

from __future__ import annotations

import asyncio
import json

import betterai
from aiohttp import web
from betterai.providers import discover_names


async def answer(request: web.Request) -> web.StreamResponse:
    """A double of the service: it says Hello."""
    assert request.headers["Authorization"] == "Bearer test-key"
    body = await request.json()
    said = {"role": "assistant", "content": "Hello"}
    choice = {"index": 0, "finish_reason": "stop", "delta" if body.get("stream") else "message": said}
    reply = {"id": "1", "model": body["model"], "choices": [choice]}
    if not body.get("stream"):
        return web.json_response(reply)
    return web.Response(text=f"data: {json.dumps(reply)}\\n\\ndata: [DONE]\\n\\n", content_type="text/event-stream")


async def ask() -> tuple[str, str]:
    app = web.Application()
    app.router.add_post("/chat/completions", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        async with betterai.Client(betterai.CoreConfig(api_key="test-key", base_url=url)) as client:
            response = await client.generate("«name»/«model»", "Hi")
            pieces = [chunk.content async for chunk in client.stream("«name»/«model»", "Hi")]
    finally:
        await runner.cleanup()
    return response.content, "".join(pieces)


def test_it_is_found() -> None:
    assert "«name»" in discover_names(), "install it first: python -m pip install -e ."


def test_it_answers() -> None:
    assert asyncio.run(ask()) == ("Hello", "Hello")
'''

PYPROJECT = """\
[build-system]
requires = ["hatchling>=1.24"]
build-backend = "hatchling.build"

[project]
name = "betterai-«name»"
version = "0.1.0"
description = "«title» for BetterAI"
readme = "README.md"
requires-python = ">=3.11"
dependencies = ["betterai"]

[project.optional-dependencies]
dev = ["pytest>=8"]

[project.entry-points."betterai.providers"]
«name» = "betterai_«name»:PROVIDER"

[tool.hatch.build.targets.wheel]
packages = ["src/betterai_«name»"]
"""

README = """\
# «title» for BetterAI

    pip install betterai-«name»
    export «key_env»=…
    betterai chat -m «name»/«model» "Hello"
"""
