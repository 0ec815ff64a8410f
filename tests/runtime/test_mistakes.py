"""What a caller gets wrong is told in plain words before anything is sent, and without a secret in it."""

from __future__ import annotations

import traceback
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

import betterai
from betterai.core.config import CoreConfig, Retries, Timeout
from betterai.core.exceptions import ValidationError
from betterai.core.media import Media
from betterai.core.message import Message, Text
from betterai.core.tools import Tool, ToolChoice
from runtime.providers import PROVIDER
from runtime.upstream import Upstream, answer
from together import each

SECRET = "sk-canary-12345678"
MODEL = "neutral/m-1"


@pytest.fixture(autouse=True, scope="module")
def _neutral() -> None:
    betterai.register_text_provider("neutral", PROVIDER, replace=True)
    betterai.register_text_provider("unfit", Unfit)
    betterai.register_batch_provider("unfit", UnfitBatches)


class Unfit(betterai.BaseTextProvider):
    """Takes no key."""


class UnfitBatches(betterai.BaseBatchProvider):
    """Takes no key either."""


async def fail(ask: Callable[[], Any]) -> str:
    """What it raises: one of ours, not from deep within a library, and with no secret."""
    try:
        given = ask()
        if hasattr(given, "__await__"):
            given = await given
    except ValidationError as error:
        whole = "".join(traceback.format_exception(error))
        assert SECRET not in whole
        assert not [name for name in ("site-packages/aiohttp", "site-packages/yarl") if name in whole]
        return str(error)
    raise AssertionError(f"it was taken: {given!r:.200}")


# ── clients and configurations ──

CLIENTS: dict[str, tuple[dict[str, Any], str]] = {
    "proxy without a scheme": ({"proxy": "nope"}, "'nope' is not the URL of a proxy – it is http or https"),
    "proxy of another scheme": ({"proxy": f"socks5://u:{SECRET}@host:1"}, "'host:1' is not the URL of a proxy"),
    "proxy of no port": ({"proxy": "http://host:99999"}, "is not the URL of a proxy"),
    "empty proxy": ({"proxy": ""}, "is not the URL of a proxy"),
    "proxy of another type": ({"proxy": 5}, "is not the URL of a proxy"),
    "no certificates there": ({"ca_bundle": "/nope.pem"}, "ca_bundle '/nope.pem' is no file"),
    "certificates of another type": ({"ca_bundle": 5}, "ca_bundle must be str, the path of a file, not int"),
    "headers as a list": ({"headers": ["a"]}, "headers are a dict, not list"),
    "a header's name": ({"headers": {"a b": SECRET}}, "'a b' is not the name of a header"),
    "a header's line break": ({"headers": {"Authorization": f"{SECRET}\r\nX: y"}}, "the header Authorization holds a line break"),
    "a header of another type": ({"headers": {"a": 5}}, "the header a must be str, not int"),
    "a session that is none": ({"session": 5}, "session is an aiohttp.ClientSession, not int"),
    "trust_env": ({"trust_env": "yes"}, "trust_env must be True or False, not 'yes'"),
    "a limit below 0": ({"timeout": -1}, "timeout.total must be a number of seconds above 0, not -1"),
    "a limit as a text": ({"timeout": Timeout(idle="5")}, "timeout.idle must be a number of seconds above 0, not '5'"),  # type: ignore[arg-type]
    "a limit that is none": ({"timeout": Timeout(connect=None)}, "timeout.connect must be"),  # type: ignore[arg-type]
    "retries below 0": ({"retries": -1}, "a call has at least one attempt"),
    "retries as a text": ({"retries": Retries(attempts="3")}, "retries.attempts must be a whole number, not '3'"),  # type: ignore[arg-type]
    "a wait below 0": ({"retries": Retries(base=-1)}, "retries.base must be a number of seconds, not -1"),
    "a wait of another type": ({"retries": Retries(longest="x")}, "retries.longest must be a number of seconds, not 'x'"),  # type: ignore[arg-type]
    "a hook that is none": ({"on_event": 5}, "a hook is a plain function, not 5"),
}  # fmt: skip

CONFIGS: dict[str, tuple[dict[str, Any], str]] = {
    "model": ({"model": 5}, "CoreConfig: model must be str, not int"),
    "model None": ({"model": None}, "CoreConfig: model must be str, not NoneType"),
    "a base URL without a scheme": ({"base_url": "localhost:8000"}, "'localhost:8000' is not a base URL – it begins with https://"),
    "a base URL with a space": ({"base_url": "https://a host/v1"}, "is not a base URL"),
    "an empty base URL": ({"base_url": ""}, "CoreConfig: base_url is empty – leave it out"),
    "hops": ({"hops": True}, "CoreConfig: hops must be int, not bool"),
    "timeout": ({"timeout": True}, "CoreConfig: timeout must be int or float or Timeout, not bool"),
    "settings as a list": ({"settings": ["a"]}, "CoreConfig: settings must be Mapping, not list"),
    "a setting of another type": ({"settings": {"region": 5}}, "CoreConfig: settings['region'] must be str, not int"),
    "a setting's name": ({"settings": {5: "x"}}, "CoreConfig: the names in settings must be str, not int"),
    "a misspelt setting": ({"settings": {"api_kye": SECRET}}, "no settings.api_kye – did you mean api_key?"),
    "providers as a list": ({"providers": ["a"]}, "CoreConfig: providers must be Mapping, not list"),
    "a provider as a text": ({"providers": {"neutral": SECRET}}, "providers['neutral'] must be a dict of texts, not str"),
    "a misspelt provider": ({"providers": {"neutrl": {"api_key": SECRET}}}, "no providers.neutrl – did you mean neutral?"),
    "a misspelt setting of a provider": (
        {"providers": {"neutral": {"api_kye": SECRET}}}, "no providers.neutral.api_kye – did you mean api_key?",
    ),
    "options": ({"options": ["a"]}, "CoreConfig: options must be Mapping, not list"),
    "unsupported": ({"unsupported": "rase"}, "unsupported must be 'warn' or 'raise', not 'rase'"),
    "protocol": ({"protocol": "opanai_chat"}, "neutral does not speak 'opanai_chat' – it speaks openai_chat"),
}  # fmt: skip


@each("name", CLIENTS)
async def test_a_client_that_cannot_be_is_refused_when_it_is_made(name: str) -> None:
    given, said = CLIENTS[name]
    assert said in await fail(lambda: betterai.Client(**given))


@each("name", CONFIGS)
async def test_a_configuration_that_cannot_be_is_refused_before_anything_is_sent(name: str) -> None:
    given, said = CONFIGS[name]
    with Upstream(answer()) as upstream:
        base = {"base_url": upstream.url, "api_key": SECRET}
        async with betterai.Client() as client:
            told = await fail(lambda: client.generate(MODEL, "Hello", config=CoreConfig(**{**base, **given})))
    assert said in told
    assert upstream.requests == []


async def test_a_class_that_takes_no_key_is_told_what_to_take() -> None:
    for said in (
        await fail(lambda: betterai.generate("unfit/m", "Hello")),
        await fail(lambda: betterai.batches.submit("unfit/m", {"a": "Hello"})),
    ):
        assert "the class behind 'unfit' cannot be made" in said
        assert "have __init__ take these" in said
    assert "client is a betterai.Client, not str" in await fail(lambda: betterai.Conversation(MODEL, client="x"))  # type: ignore[arg-type]


# ── messages, media, settings, tools ──

MESSAGES: dict[str, tuple[Any, str]] = {
    "None": (None, "messages must be a text, or a list"),
    "an empty list": ([], "messages must be a text, or a list"),
    "bytes": (b"Hello", "messages must be a text, or a list"),
    "a single dict": ({"role": "user", "content": "Hi"}, "put it into a list: [message]"),
    "texts": (["Hi"], "messages[0] must be a Message or a dict, not str"),
    "media": ([Media(kind="image", data=b"x")], 'write betterai.Message.user("…", media)'),
    "a misspelt role": ([{"role": "usr", "content": "Hi"}], "'usr' is not a role – did you mean 'user'?"),
    "no role": ([{"rol": "user", "content": "Hi"}], "messages[0] has no 'rol' – did you mean 'role'?"),
    "no content": ([{"role": "user", "contents": "Hi"}], "messages[0] has no 'contents' – did you mean 'content'?"),
    "a misspelt name": ([{"role": "user", "content": "Hi", "nmae": "x"}], "did you mean 'name'?"),
    "a misspelt list of calls": ([{"role": "assistant", "content": "Hi", "tool_call": []}], "did you mean 'tool_calls'?"),
    "a name of another type": ([{"role": "user", "content": "Hi", 5: "x"}], "the names in a message are str, not int"),
    "an answer of nothing": ([{"role": "assistant"}], "has neither content nor tool_calls"),
    "calls that are none": ([{"role": "assistant", "content": None, "tool_calls": "x"}], "tool_calls must be a list, not str"),
    "content of another type": ([{"role": "user", "content": 5}], "messages[0].content must be a text or a list"),
    "an unknown part": ([{"role": "user", "content": [{"type": "txt", "text": "Hi"}]}], "content[0].type 'txt' is not"),
    "a role of ours": ([Message(role="usr", parts=(Text(text="Hi"),))], "'usr' is not a role – did you mean 'user'?"),  # type: ignore[arg-type]
    "a text as parts": ([Message(role="user", parts="Hi")], "parts are a tuple, not str"),  # type: ignore[arg-type]
    "a text as a part": ([Message(role="user", parts=("Hi",))], "has a part that is str – write betterai.Text"),  # type: ignore[arg-type]
    "a number as a text": ([Message(role="user", parts=(Text(text=5),))], "the text of a part is str, not int"),  # type: ignore[arg-type]
}  # fmt: skip

MEDIA: dict[str, tuple[dict[str, Any], str]] = {
    "a text as bytes": ({"data": "x"}, "media: data must be bytes or bytearray, not str – a file is path=…"),
    "bytes as base64": ({"base64": b"aGk="}, "media: base64 must be str, not bytes"),
    "no base64": ({"base64": "@@@"}, "media: base64 is no base64 text"),
    "a data URL as base64": ({"base64": "data:image/png;base64,aGk="}, "pass it as url=…"),
    "a number as a path": ({"path": 5}, "media: path must be str or PathLike, not int"),
    "an empty path": ({"path": ""}, "media: cannot read '': the path is empty"),
    "no file": ({"path": "/nope/x.png"}, "cannot read '/nope/x.png': No such file or directory"),
    "a folder": ({"path": "/"}, "cannot read '/': it is not a file"),
    "no URL": ({"url": "cat.png?key=" + SECRET}, "media: 'cat.png' is not an http or https URL – it begins with https://; a file is path=…"),
    "a file's URL": ({"url": "file:///cat.png"}, "a file is path=…"),
    "a number as a URL": ({"url": 5}, "media: url must be str, not int"),
    "two sources": ({"data": b"x", "url": "https://example.com/x"}, "data and url are set, and one of them is enough"),
    "an unknown kind": ({"kind": "imgae", "data": b"x"}, "no imgae can be sent"),
}  # fmt: skip

TOOL = Tool(name="look", parameters={"type": "object", "properties": {}})
SETTINGS: dict[str, tuple[dict[str, Any], str]] = {
    "temperature": ({"temperature": "hot"}, "temperature must be int or float, not str ('hot')"),
    "max_tokens": ({"max_tokens": -1}, "max_tokens must be at least 0, not -1 – leave out max_tokens for none"),
    "n": ({"n": -1}, "n must be at least 0"),
    "an empty stop": ({"stop": ""}, "stop must not be an empty text"),
    "an empty stop among others": ({"stop": ["a", ""]}, "stop must not be an empty text"),
    "a stop of another type": ({"stop": [5]}, "stop[0] must be str, not int"),
    "modalities": ({"modalities": [5]}, "modalities[0] must be str, not int"),
    "logit_bias": ({"logit_bias": {"a": "b"}}, "logit_bias['a'] must be int or float, not str"),
    "prediction": ({"prediction": [5]}, "prediction[0] must be str or Mapping, not int"),
    "a vendor's name": ({"options": {5: {}}}, "the names in options must be str, not int"),
    "a header": ({"extra_headers": {"a": 5}}, "extra_headers['a'] must be str, not int"),
    "a header's name": ({"extra_headers": {5: SECRET}}, "the names in extra_headers must be str, not int"),
    "a header's characters": ({"extra_headers": {"X-Key": f"{SECRET}\n"}}, "the header X-Key holds a line break"),
    "a parameter": ({"extra_query": {"a": None}}, "extra_query['a'] must be str or int or float"),
    "a misspelt setting": ({"temprature": 1}, "no setting 'temprature'; did you mean temperature?"),
    "a schema of no type": ({"response_format": {"type": "objct"}}, "'objct' is no type of JSON Schema – did you mean object?"),
    "a type that is none": ({"response_format": "json"}, "response_format cannot be 'json'"),
    "two tools of one name": ({"tools": [TOOL, TOOL]}, "tools: two of them are called 'look'"),
    "a tool that is not there": ({"tools": [TOOL], "tool_choice": "lok"}, "there is no tool 'lok' – did you mean look?"),
    "tools that are not there": (
        {"tools": [TOOL], "tool_choice": ToolChoice(mode="required", names=("run",))}, "there is no tool 'run' – there are look",
    ),
}  # fmt: skip


@each("name", MESSAGES)
async def test_messages_that_are_none_are_refused(name: str) -> None:
    messages, said = MESSAGES[name]
    await refuse(lambda client, model: client.generate(model, messages), said)


async def test_a_vendors_own_name_beside_the_known_one_is_no_mistake() -> None:
    with Upstream(answer()) as upstream:
        async with betterai.Client(CoreConfig(base_url=upstream.url, api_key=SECRET)) as client:
            said = {"role": "assistant", "content": "Hi", "context": {"citations": []}}  # as Azure's own search has it
            await client.generate(MODEL, [{"role": "user", "content": "Hi"}, said, {"role": "user", "content": "And?"}])
    assert upstream.requests[0].body["messages"][1]["content"] == "Hi"


@each("name", MEDIA)
async def test_media_that_are_none_are_refused(name: str) -> None:
    given, said = MEDIA[name]
    media = Media(**{"kind": "image", **given})
    opened = given.get("path") in ("/", "/nope/x.png") or "kind" in given
    await refuse(lambda client, model: client.generate(model, [Message.user("look", media)]), said, classes=not opened)


@each("name", SETTINGS)
async def test_settings_that_cannot_be_are_refused(name: str) -> None:
    given, said = SETTINGS[name]
    await refuse(
        lambda client, model: client.generate(model, "Hello", **given), said, classes="header's ch" not in name
    )


async def refuse(ask: Callable[[betterai.Client, str], Any], said: str, *, classes: bool = True) -> None:
    """By the runner of codecs, before anything is sent, and by that of classes."""
    with Upstream(answer()) as upstream:
        async with betterai.Client(CoreConfig(base_url=upstream.url, api_key=SECRET)) as client:
            told = await fail(lambda: ask(client, MODEL))
        assert upstream.requests == []
    assert said in told
    if classes:
        async with betterai.Client() as client:
            assert said in await fail(lambda: ask(client, "local/eliza"))


async def test_numbers_that_are_floats_are_taken() -> None:
    """numpy's float64 is one."""

    class Float(float):
        pass

    with Upstream(answer()) as upstream:
        async with betterai.Client(CoreConfig(base_url=upstream.url, api_key=SECRET)) as client:
            await client.generate(MODEL, "Hello", temperature=Float(0.5), logit_bias={"1": 2})
        assert upstream.requests[0].body["temperature"] == 0.5


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Tool(name=5), "the name of a tool is a text, not 5"),
        (lambda: Tool(name=""), "the name of a tool is a text, not ''"),
        (lambda: Tool(name="a", description=5), "the description of the tool 'a' is a text, not 5"),
        (lambda: Tool(name="a", parameters=int), "the parameters of the tool 'a' are a dict"),
        (lambda: betterai.CustomTool(name="a", format="lark"), "the format of the tool 'a' are a dict"),
        (lambda: betterai.run_tools("local/eliza", "Hi", tools=[], approve="yes"), "approve is a function of the call"),
        (lambda: betterai.realtime("cascade", tools=[TOOL, TOOL]), "two of them are called 'look'"),
    ],
)
async def test_tools_that_can_be_none_are_refused(make: Callable[[], Any], said: str) -> None:
    assert said in await fail(make)


# ── the other categories ──


def closed_file() -> Any:
    with Path(__file__).open("rb") as file:
        return file


async def numbers() -> AsyncIterator[Any]:
    yield 5


Ask = Callable[[betterai.Client], Any]
OTHERS: dict[str, tuple[Ask, str]] = {
    "a prompt": (lambda client: client.generate_image("openai/gpt-image-1", None), "a text is wanted, not NoneType"),  # type: ignore[arg-type]
    "settings of another kind": (
        lambda client: client.generate_image("openai/gpt-image-1", "a cat", settings=betterai.GenerationSettings()),  # type: ignore[arg-type]
        "settings are ImageSettings or a dict, not GenerationSettings – write betterai.ImageSettings(…)",
    ),
    "a misspelt setting in a dict": (
        lambda client: client.generate_image("openai/gpt-image-1", "a cat", settings={"qualty": "x"}),  # type: ignore[arg-type]
        "ImageSettings has no setting 'qualty'; did you mean quality?",
    ),
    "settings of a session": (lambda client: client.realtime("openai/gpt-realtime", settings="x"), "settings are RealtimeSettings"),  # type: ignore[arg-type]
    "a number below 0": (lambda client: client.embed("openai/text-embedding-3-small", "Hi", dimensions=-5), "dimensions must be at least 0"),
    "a store": (lambda client: client.start_video("openai/sora-2", "a cat", store="x"), "store is a betterai.JobStore or None, not str"),  # type: ignore[arg-type]
    "a file that is closed": (lambda client: client.transcribe("openai/whisper-1", closed_file()), "the file cannot be read"),
    "a recording that is not there": (lambda client: client.transcribe("openai/whisper-1", "/nope.wav"), "cannot read '/nope.wav'"),
    "a text in numbers": (lambda client: anext(client.stream_speech("local/espeak", numbers())), "a text comes in texts or TextChunks, not in int"),
    "texts": (lambda client: client.embed("openai/text-embedding-3-small", None), "texts are a text, or a list of them, not NoneType"),  # type: ignore[arg-type]
    "texts as bytes": (lambda client: client.embed("local/minilm", b"Hi"), "texts are a text, or a list of them, not bytes"),  # type: ignore[arg-type]
    "texts as a dict": (lambda client: client.embed("local/minilm", {"a": 1}), "texts are a text, or a list of them, not dict"),  # type: ignore[arg-type]
    "no texts": (lambda client: client.embed("local/minilm", []), "there are no texts to embed"),
    "a query": (lambda client: client.rerank("cohere/rerank-v3.5", None, ["a"]), "a text is wanted, not NoneType"),  # type: ignore[arg-type]
    "documents": (lambda client: client.rerank("cohere/rerank-v3.5", "q", 5), "texts are a text, or a list of them, not int"),  # type: ignore[arg-type]
    "what is judged": (lambda client: client.moderate("openai/omni-moderation-latest", [b"x"]), "input 0 is bytes, and must be str or Media"),  # type: ignore[list-item]
    "a model": (lambda client: client.embed(None, "Hi"), "the model must be a name, not None"),  # type: ignore[arg-type]
    "a model of a session": (lambda client: client.realtime(5), "the model must be a name or a realtime provider, not 5"),  # type: ignore[arg-type]
    "a place": (lambda client: client.save_media(Media(kind="image", data=b"x"), None), "media are saved in a path, not in NoneType"),  # type: ignore[arg-type]
    "media": (lambda client: client.load_media("x"), "media are Media, not str"),  # type: ignore[arg-type]
    "a provider": (lambda client: client.list_models(None), "a provider is told by its name, not by None"),  # type: ignore[arg-type]
    "a file": (lambda client: client.files.upload("openai", None), "NoneType is no file"),  # type: ignore[arg-type]
    "a file's place": (lambda client: client.files.upload(None, b"x"), "files are at a provider, by its name"),  # type: ignore[arg-type]
    "a file's handle": (lambda client: client.files.delete(5), "a file is a FileHandle or its id, not int"),  # type: ignore[arg-type]
    "a job's handle": (lambda client: betterai.Job.resume(5), "a handle is a text, not int"),  # type: ignore[arg-type]
    "a batch's handle": (lambda client: client.batches.resume(None), "a handle is a text, not NoneType"),  # type: ignore[arg-type]
    "a router's client": (lambda client: betterai.Router(["local/eliza"], client="x"), "Router: client is a betterai.Client, not str"),  # type: ignore[arg-type]
    "a provider's name": (lambda client: betterai.register_text_provider(5, Unfit), "5 cannot be a provider's name"),  # type: ignore[arg-type]
    "a configuration": (lambda client: betterai.get_image_provider(None), "a configuration is a CoreConfig, not NoneType"),  # type: ignore[arg-type]
    "a category": (lambda client: betterai.load_config(category="txt"), "there is no category 'txt' – did you mean text?"),  # type: ignore[arg-type]
}  # fmt: skip


@each("name", OTHERS)
async def test_what_other_categories_cannot_work_on_is_refused(name: str) -> None:
    ask, said = OTHERS[name]
    with Upstream(answer()) as upstream:
        async with betterai.Client(CoreConfig(base_url=upstream.url, api_key=SECRET)) as client:
            assert said in await fail(lambda: ask(client))
        assert upstream.requests == []
