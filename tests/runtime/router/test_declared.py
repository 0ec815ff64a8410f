"""Routers of the configuration file, and a text provider wherever a model's name goes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import betterai
from betterai import BaseTextProvider, ConfigurationError, Message, ModelNotFoundError, Router, ValidationError
from betterai.config.file import TargetTable, read_file
from cli.commands import Command, make_command
from runtime.router.targets import PREFILL, Scripted, down, route
from runtime.upstream import Upstream, answer, reply

WHOLE = """
[providers.groq]
api_key = "test-key-of-the-file"

[routers.main]
targets = [
    { model = "groq/m-1", keys = [{ env = "FIRST" }, { env = "SECOND" }, { env = "NOT_SET" }], base_url = "%s", timeout = { first_byte = 9 }, settings = { max_tokens = 77 }, weight = 2, concurrency = 4, account = "a", region = "eu" },
    "local/echo",
]
choose = "order"
on_break = "restart"
hedge = { after = 2.5, share = 0.5 }
breaker = { failures = 1 }
timeout = { total = 60 }
retries = 4
sticky = true
also_after = ["content_filter"]
queue = 8
"""


@pytest.fixture
def declare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    def write(text: str) -> Path:
        path = tmp_path / f"{len(list(tmp_path.iterdir()))}.toml"  # a file is read once
        path.write_text(text)
        path.chmod(0o600)
        monkeypatch.setenv("BETTERAI_CONFIG", str(path))
        return path

    return write


@pytest.fixture
def command(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Command:
    return make_command(tmp_path_factory.mktemp("stdin"), monkeypatch, capsys)


async def test_a_router_of_the_file_is_one_of_python(declare: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FIRST", "key-one-123")
    monkeypatch.setenv("SECOND", "key-two-123")
    with Upstream(reply(401, {}), answer("from the second key")) as upstream:
        declare(WHOLE % upstream.url)
        router = Router.from_config("main")
        assert (router.name, router.on_break, router.timeout.total, router.retries.attempts) == (
            "router/main",
            "restart",
            60.0,
            5,
        )
        assert (router.hedging.hedge, router.breaker.failures) == (betterai.Hedge(after=2.5, share=0.5), 1)
        target = router.lanes[0].target
        assert (target.keys, target.weight, target.concurrency) == (("key-one-123", "key-two-123"), 2.0, 4)
        assert (target.account, target.region) == ("a", "eu")
        assert target.settings == betterai.GenerationSettings(max_tokens=77)
        assert target.config is not None
        assert target.config.timeout == betterai.Timeout(first_byte=9)
        async with betterai.Client() as client:
            assert (await client.generate("router/main", "Hi")).content == "from the second key"
            assert client._find("router/main", None).provider is client._find("router/main", None).provider
            assert (await client.stream("router/main", "Hi")).content
        assert [request.headers["Authorization"] for request in upstream.requests][:2] == [
            "Bearer key-one-123",
            "Bearer key-two-123",
        ]


async def test_its_name_goes_wherever_a_models_name_goes(declare: Any) -> None:
    declare('[models]\ntext = "router/main"\n[routers.main]\ntargets = ["local/echo"]\n')
    assert (await betterai.generate("router/main", "Hi")).content == "Hi"
    assert (await betterai.generate("", "Hi")).content == "Hi"
    assert isinstance(betterai.get_text_provider("router/main"), Router)
    assert (await betterai.count_tokens("router/main", "Hi")).tokens > 0
    talk = betterai.Conversation("router/main")
    assert (await talk.ask("Hi")).content == "Hi"
    assert betterai.Conversation.from_json(talk.to_json()).model == "router/main"


async def test_a_router_asks_with_the_clients_keys_and_limits(declare: Any) -> None:
    with Upstream(answer()) as upstream:
        declare('[routers.main]\ntargets = ["groq/m-1"]\n')
        config = betterai.CoreConfig(
            providers={"groq": {"api_key": "test-key-7", "base_url": upstream.url}}, timeout=7.0
        )
        async with betterai.Client(config) as client:
            assert (await client.generate("router/main", "Hi")).content == "Hello"
            router: Any = client._find("router/main", None).provider
            assert router.timeout.total == 7.0
        assert upstream.requests[0].headers["Authorization"] == "Bearer test-key-7"


async def test_a_router_of_the_factory_has_the_limits_and_keys_of_its_configuration(declare: Any) -> None:
    declare('[routers.main]\ntargets = ["groq/m-1"]\n')
    with Upstream(answer()) as upstream:
        tables = {"groq": {"api_key": "test-key-8", "base_url": upstream.url}}
        router = betterai.get_text_provider(betterai.CoreConfig(model="router/main", timeout=9, providers=tables))
        assert isinstance(router, Router)
        assert router.timeout.total == 9
        assert (await router.generate("Hi")).content == "Hello"
        assert upstream.requests[0].headers["Authorization"] == "Bearer test-key-8"


def test_no_provider_is_called_router() -> None:
    with pytest.raises(ConfigurationError, match="choose another name"):
        betterai.register_text_provider("router", Handbook)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[routers.main]\ntarget = ["a/b"]', r"there is no routers.main.target .* did you mean targets"),
        ("[routers.main]\ntargets = []", r"routers.main: .*length >= 1"),
        ('[routers.main]\nchoose = "order"', r"routers.main: .*missing required field `targets`"),
        ('[routers.main]\ntargets = ["a/b"]\nchoose = "best"', r"routers.main: .*'best'"),
        ('[routers.main]\ntargets = [{ model = "a/b", wait = 2 }]', r"there is no routers.main.targets\[0\].wait"),
        ('[routers.main]\ntargets = [{ model = "a/b", weight = 0 }]', r"routers.main.targets\[0\]: .*> 0"),
        ('[routers.main]\ntargets = ["a/b"]\nhedge = { afer = 2 }', r"routers.main.hedge.afer .* did you mean after"),
        ('[routers.main]\ntargets = ["a/b"]\nhedge = { after = "p50" }', r"routers.main: .*'p50'"),
        ('[routers.main]\ntargets = ["a/b"]\nbreaker = { failures = 0 }', r"routers.main: .*at least 1"),
        ('[routers.main]\ntargets = ["a/b"]\ntimeout = -1', r"routers.main: "),
    ],
)
def test_mistakes_in_the_file_are_shown_with_their_place(text: str, said: str, declare: Any) -> None:
    declare(text)
    with pytest.raises(ConfigurationError, match=said):
        Router.from_config("main")


def test_unknown_routers_and_keys_that_are_not_set(declare: Any) -> None:
    declare('[routers.main]\ntargets = [{ model = "groq/m", keys = [{ env = "NOT_SET" }] }]')
    with pytest.raises(ConfigurationError, match=r"routers.main.targets\[0\]: none of the variables"):
        Router.from_config("main")
    with pytest.raises(ModelNotFoundError, match="did you mean router/main"):
        betterai.get_text_provider("router/mian")
    declare("")
    with pytest.raises(ModelNotFoundError, match=r"write \[routers.main\]"):
        Router.from_config("main")


def test_x5_keys_in_the_file_are_not_shown(declare: Any, command: Command) -> None:
    path = declare(
        '[routers.main]\ntargets = [{ model = "groq/m", keys = ["canary-123456", { env = "X" }], base_url = "https://u:canary-123456@h.example" }]'
    )
    table = read_file(path).routers["main"]
    assert isinstance(table.targets[0], TargetTable)
    assert "canary" not in repr(table) + repr(Router.from_config("main").lanes[0].target) + str(
        table.targets[0].__rich_repr__()
    )
    shown = command("config", "show").stdout + command("config", "show", "--json").stdout
    assert "canary" not in shown
    assert 'keys = ["***", { env = "X" }]' in shown


def test_the_command_line_takes_a_routers_name(declare: Any, command: Command) -> None:
    declare('[routers.main]\ntargets = ["local/echo"]\non_break = "restart"\n')
    result = command("chat", "-m", "router/main", "Hi there")
    assert (result.code, result.stdout, result.stderr) == (0, "Hi there\n", "")
    wrong = command("chat", "-m", "router/main", "--base-url", "http://127.0.0.1:1", "Hi")
    assert (wrong.code, "take out --base-url" in wrong.stderr) == (2, True)
    assert "no router 'other'" in command("chat", "-m", "router/other", "Hi").stderr


def test_the_shell_completes_a_routers_name(declare: Any, command: Command) -> None:
    declare('[routers.main]\ntargets = ["local/echo"]\n')
    assert command("complete", "fish", "betterai chat -m rout").stdout.split() == ["router/main"]


def test_an_answer_that_begins_anew_is_not_written_twice_into_a_file(declare: Any, command: Command) -> None:
    declare('[routers.main]\ntargets = ["broken/m", "local/echo"]\non_break = "restart"\n')

    class Broken(Scripted):
        def __init__(self, **_: Any) -> None:
            super().__init__(("half an answer", betterai.StreamInterrupted("it broke")))

    betterai.register_text_provider("broken", Broken, replace=True)
    result = command("chat", "-m", "router/main", "Hi there")
    assert (result.code, result.stdout, result.stderr) == (0, "Hi there\n", "")


# ── a provider in place of a name ──


class Handbook(BaseTextProvider):
    """As the handbook has it: messages are dicts."""

    def __init__(self) -> None:
        self.seen: list[Any] = []

    async def generate(self, messages: Any, model: str, settings: Any) -> betterai.ProviderResponse:
        self.seen.append((messages, model))
        return betterai.ProviderResponse(content=messages[-1]["content"].upper())

    async def count_tokens(self, messages: Any, model: str, settings: Any) -> int:
        return 42


async def test_a_provider_goes_where_a_models_name_goes() -> None:
    provider = Handbook()
    assert (await betterai.generate(provider, "hi")).content == "HI"
    assert (await betterai.generate(provider, "hi", system="be brief")).content == "HI"
    assert (await betterai.stream(provider, [{"role": "user", "content": "hi"}])).content == "HI"
    hi = {"role": "user", "content": "hi"}
    assert provider.seen == [([hi], ""), ([{"role": "system", "content": "be brief"}, hi], ""), ([hi], "")]
    assert (await betterai.count_tokens(provider, "hi")).tokens == 42
    estimated = await betterai.count_tokens(Scripted("x"), "hi")
    assert (estimated.estimated, estimated.tokens > 0) == (True, True)


@pytest.mark.parametrize("given", ["class", "target"])
async def test_a_class_keeps_the_response_format_or_says_that_it_did_not(given: str) -> None:
    class Counting(BaseTextProvider):
        async def generate(self, messages: Any, model: str, settings: Any) -> betterai.ProviderResponse:
            return betterai.ProviderResponse(content="[1, 2]")

    provider = Counting() if given == "class" else Router([Counting()])
    response = await betterai.generate(provider, "count", response_format=list[int])
    assert response.parsed == [1, 2]
    with pytest.raises(betterai.OutputInvalidError):
        await betterai.generate(provider, "count", response_format=list[str])


async def test_a_provider_made_by_the_factory_too_and_runs_of_tools() -> None:
    echo = Router(["local/echo"])
    assert (await betterai.generate(echo, "hi")).content == "hi"
    run = await betterai.run_tools(echo, "hi")
    assert run.messages[-1].text == "hi"
    assert (await betterai.count_tokens(echo, "hi")).tokens > 0
    talk = betterai.Conversation(echo, system="be brief")
    assert (await talk.ask("hi")).content == "hi"
    async with betterai.Client() as client:
        assert (await client.generate(echo, Message.user("hi"))).content == "hi"
        assert client._providers == {}


def test_the_sync_face_takes_a_provider() -> None:
    router = Router([Scripted(down()), "local/echo"])
    assert betterai.sync.generate(router, "hi").content == "hi"
    assert betterai.sync.stream(router, "hi").collect().content == "hi"
    assert betterai.sync.run_tools(router, "hi").messages[-1].text == "hi"
    assert betterai.sync.count_tokens("local/echo", "hi").tokens > 0
    assert betterai.sync.Conversation(router).ask("hi").content == "hi"


async def test_a_provider_takes_no_configuration_and_must_be_one() -> None:
    with pytest.raises(ValidationError, match="has its configuration already"):
        await betterai.generate(Handbook(), "hi", config=betterai.CoreConfig(api_key="x"))
    with pytest.raises(ValidationError, match="a name or a text provider"):
        await betterai.generate(7, "hi")  # type: ignore[call-overload]


async def test_a_conversation_with_a_limit_needs_the_prices_of_all_targets() -> None:
    priced, unpriced = Scripted("hi", model="a", **PREFILL), Scripted("hi", model="b")
    assert (await betterai.Conversation(route(priced), max_cost=1, unknown_cost=0).ask("hi")).content == "hi"
    for router in (route(priced, unpriced), route(priced, Handbook())):
        with pytest.raises(betterai.SpendLimitReached, match="no price is known"):
            await betterai.Conversation(router, max_cost=1).ask("hi")


async def test_a_provider_is_not_stored_with_a_conversation() -> None:
    talk = betterai.Conversation(Scripted("hi"))
    await talk.ask("hi")
    stored = talk.to_json()
    with pytest.raises(betterai.BetterAIError):
        await betterai.Conversation.from_json(stored).ask("hi")
    again = betterai.Conversation.from_json(stored, model=Scripted("again"))
    assert (await again.ask("hi")).content == "again"


async def test_a_router_of_the_file_is_a_target_by_its_name(declare: Any) -> None:
    with Upstream(reply(401, {})) as upstream:
        keyed = f'{{ model = "groq/m-1", keys = ["k-1"], base_url = "{upstream.url}" }}'
        declare(f'[routers.first]\ntargets = [{keyed}]\n[routers.both]\ntargets = ["router/first", "local/echo"]\n')
        async with betterai.Client() as client:
            for _ in range(2):
                assert (await client.generate("router/both", "Hi")).content == "Hi"
            inner: Any = client._find("router/first", None).provider
            assert inner.status().targets[0].routes[0].state == "resting", "it is one router in all calls"
            (warning,) = Router(["router/first"], client=client).check()
            assert "groq/m-1 is not in the catalogue" in warning.message
        assert len(upstream.requests) == 1


def test_a_router_is_not_among_its_own_targets(declare: Any) -> None:
    declare('[routers.a]\ntargets = ["local/echo", "router/b"]\n[routers.b]\ntargets = ["router/a"]\n')
    with pytest.raises(ConfigurationError, match="a → b → a"):
        betterai.get_text_provider("router/a")


def test_settings_of_a_target_are_checked(declare: Any) -> None:
    declare('[routers.a]\ntargets = [{ model = "local/echo", settings = { temprature = 1 } }]\n')
    with pytest.raises(ConfigurationError, match=r"routers\.a\.targets\[0\].*did you mean temperature"):
        Router.from_config("a")
