"""Providers that come from elsewhere: installed packages, and a new folder; and what remains when a folder is gone."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from betterai.providers import built_in_names
from runtime.subprocesses import SOURCE, TESTS, check_python, run_python
from runtime.upstream import Upstream, answer, stream, streamed

DECLARATION = '''
"""Acme: a compatible provider, published by a package of its own."""
from betterai.core.provider import BearerAuth, Provider, Setting
from betterai import ModelConfig
from betterai.wire.openai_chat import OpenAIChat


class AcmeChat(OpenAIChat):
    """Acme's deviation: it takes top_k."""

    extra_fields = frozenset({"top_k"})


PROVIDER = Provider(
    name="acme",
    title="Acme",
    docs="https://acme.example.com/keys",
    base_url="{base_url}",
    settings=(
        Setting(name="api_key", env=("ACME_API_KEY",), secret=True),
        Setting(name="base_url", env=("ACME_BASE_URL",), default="https://acme.example.com/v1"),
    ),
    auth=BearerAuth(),
    models=lambda: {"acme-1": ModelConfig(id="acme-1", provider="acme")},
    protocols={"text": {"openai_chat": AcmeChat()}},
    defaults={"text": "acme-1"},
)
'''

CLASS = '''
"""A provider that is a class, published by a package of its own."""
from betterai import BaseTextProvider, ProviderResponse


class Parrot(BaseTextProvider):
    def __init__(self, api_key, **options):
        self.api_key = api_key

    async def generate(self, messages, model, settings):
        return ProviderResponse(content=f"{self.api_key} {model} {messages[-1]['content']}", model=model)
'''


def install(site: Path, package: str, modules: Mapping[str, str], entry_points: Mapping[str, str]) -> Path:
    """A distribution as pip leaves it: modules, and a `.dist-info` with its entry points."""
    site.mkdir(exist_ok=True)
    for name, code in modules.items():
        (site / f"{name}.py").write_text(code, encoding="utf-8")
    info = site / f"{package.replace('-', '_')}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
    (info / "INSTALLER").write_text("pip\n")
    lines = [f"{name} = {value}" for name, value in entry_points.items()]
    (info / "entry_points.txt").write_text("\n".join(["[betterai.providers]", *lines, ""]))
    files = [*(f"{name}.py" for name in modules), *(f"{info.name}/{item.name}" for item in info.iterdir())]
    (info / "RECORD").write_text("".join(f"{name},,\n" for name in (*files, f"{info.name}/RECORD")))
    return site


@pytest.fixture
def site(tmp_path: Path) -> Path:
    modules = {"acme_provider": DECLARATION, "parrot_provider": CLASS}
    points = {"acme": "acme_provider:PROVIDER", "parrot": "parrot_provider:Parrot"}
    return install(tmp_path / "site", "betterai-birds", modules, points)


USE = """
import asyncio, sys
import betterai
from betterai.runtime.registry import provider_names

assert "{module}" not in sys.modules, "nothing is loaded before it is used"
names = provider_names()
assert "acme" in names and list(names) == sorted(names)
assert betterai.ALL_MODELS["acme/acme-1"].provider == "acme"
for name in ("acme/acme-1", "acme-1", "acme"):
    response = betterai.sync.generate(name, "Hello", top_k=3)
    assert (response.content, response.provider, response.warnings) == ("Hello", "acme", ()), response
print(betterai.sync.stream("acme/acme-1", "Hello").collect().content)
"""


def check_acme(module: str, **options: Any) -> None:
    """Acme is listed and answers, whole and streamed."""
    with Upstream(answer(), answer(), answer(), stream(streamed())) as upstream:
        env = {"ACME_API_KEY": "key", "ACME_BASE_URL": upstream.url}
        assert check_python(USE.replace("{module}", module), env=env, **options) == "Hello\n"
        assert [request.headers["Authorization"] for request in upstream.requests] == ["Bearer key"] * 4
        assert upstream.requests[0].body["top_k"] == 3
    listed = run_python(
        "import sys; from betterai.cli import main; sys.exit(main(['providers']))", strict=False, **options
    )
    assert listed.returncode == 0, listed.stderr
    assert "ACME_API_KEY" in listed.stdout + listed.stderr


def test_a_package_may_publish_a_declaration(site: Path) -> None:
    check_acme("acme_provider", path=(site,))


def test_a_package_may_publish_a_class(site: Path) -> None:
    code = """
    import betterai
    print(betterai.sync.generate("parrot/grey", "Hello").content)
    print(betterai.sync.stream("parrot/org/grey", "Hello").collect().content)
    print(type(betterai.get_text_provider("parrot/grey")).__module__)
    print("parrot" in betterai.ai_clients, betterai.sync.generate("parrot/grey", "Hello").warnings)
    """
    said = check_python(code, path=(site,), env={"PARROT_API_KEY": "key"})
    assert said.splitlines() == ["key grey Hello", "key org/grey Hello", "parrot_provider", "True ()"]


def test_a_missing_key_of_a_package_is_named(site: Path) -> None:
    code = """
    import betterai
    try:
        betterai.sync.generate("acme/acme-1", "Hello")
    except betterai.ConfigurationError as error:
        print(error)
    """
    said = check_python(code, path=(site,))
    assert "no key for Acme" in said
    assert "ACME_API_KEY" in said
    assert "https://acme.example.com/keys" in said


@pytest.mark.parametrize("target", ["acme_provider:PROVIDER", "parrot_provider:Parrot"])
def test_built_ins_cannot_be_shadowed(tmp_path: Path, target: str) -> None:
    modules = {"acme_provider": DECLARATION, "parrot_provider": CLASS}
    site = install(tmp_path / "site", "betterai-evil", modules, dict.fromkeys(built_in_names(), target))
    code = f"""
    import sys
    import betterai
    from betterai.providers import discover_names, load_provider
    assert sorted(set(discover_names())) == list(discover_names())
    for name in {built_in_names()!r}:
        provider = load_provider(name)
        assert provider.name == name and provider.title != "Acme", provider
    assert betterai.sync.generate("local/echo", "Hello").provider == "local"
    assert not {{"acme_provider", "parrot_provider"}} & set(sys.modules)
    print("ours")
    """
    assert check_python(code, path=(site,)) == "ours\n"


BROKEN = {
    "import fails": ("import nowhere_at_all", "broken:PROVIDER", "ModuleNotFoundError"),
    "module raises": ("raise RuntimeError('no luck')", "broken:PROVIDER", "no luck"),
    "name is missing": ("", "broken:PROVIDER", "AttributeError"),
    "neither": ("PROVIDER = 5", "broken:PROVIDER", "neither a Provider nor a class"),
    "no provider": ("class Thing: pass", "broken:Thing", "Thing is no provider"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_package_takes_nothing_else_away(tmp_path: Path, site: Path, name: str) -> None:
    code, target, said = BROKEN[name]
    other = install(tmp_path / "other", "betterai-broken", {"broken": code}, {"broken": target})
    program = """
    import betterai
    assert "local/eliza" in betterai.ALL_MODELS and "acme/acme-1" in betterai.ALL_MODELS
    assert betterai.sync.generate("", "Hello").provider == "local"
    assert "local" in list(betterai.ai_clients) and "broken" not in betterai.ai_clients
    try:
        betterai.sync.generate("broken/x", "Hello")
    except betterai.ConfigurationError as error:
        print(error)
    """
    done = run_python(program, path=(site, other))
    assert done.returncode == 0, done.stderr
    assert said in done.stdout
    if name != "no provider":
        assert "betterai-broken" in done.stdout
        assert said in done.stderr, "the log says why it is not there"


def test_a_declaration_goes_by_the_name_that_its_package_publishes(tmp_path: Path) -> None:
    site = install(
        tmp_path / "site", "betterai-other", {"acme_provider": DECLARATION}, {"summit": "acme_provider:PROVIDER"}
    )
    with Upstream(answer()) as upstream:
        code = """
        import betterai
        assert "acme/acme-1" not in betterai.ALL_MODELS
        response = betterai.sync.generate("summit/acme-1", "Hello")
        print(response.provider, response.content, betterai.ALL_MODELS["summit/acme-1"].provider)
        """
        said = check_python(code, path=(site,), env={"ACME_API_KEY": "key", "ACME_BASE_URL": upstream.url})
    assert said == "summit Hello summit\n"


def test_a_package_that_is_installed_while_the_process_runs_is_found_when_asked(tmp_path: Path) -> None:
    empty = tmp_path / "site"
    empty.mkdir()
    ready = install(
        tmp_path / "ready", "betterai-birds", {"parrot_provider": CLASS}, {"parrot": "parrot_provider:Parrot"}
    )
    code = """
    import importlib, shutil, sys
    import betterai
    from betterai.providers import discover_names, forget_discovered
    assert "parrot" not in discover_names()
    shutil.copytree(sys.argv[1], sys.argv[2], dirs_exist_ok=True)
    importlib.invalidate_caches()
    forget_discovered()
    print(betterai.sync.generate("parrot/grey", "Hello").content)
    """
    assert check_python(code, str(ready), str(empty), path=(empty,)) == " grey Hello\n"


# ── a folder more, a folder less ──


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A source tree of the test's own."""
    target = tmp_path / "src"
    shutil.copytree(SOURCE, target)
    return target


def test_a_new_folder_is_all_that_a_new_provider_needs(copy: Path) -> None:
    folder = copy / "betterai" / "providers" / "acme"
    folder.mkdir()
    (folder / "__init__.py").write_text(DECLARATION)
    check_acme("betterai.providers.acme", source=copy)


REST = """
import betterai
from betterai.config.defaults import default_model
from betterai.runtime.registry import get_provider, provider_names
for name in betterai.__all__:
    getattr(betterai, name)
providers = {key.partition("/")[0] for key in betterai.ALL_MODELS}
for name in provider_names():
    assert get_provider(name).name == name
list(betterai.ai_clients)
print(*sorted(set(provider_names())), *sorted(providers - set(provider_names())), repr(default_model()))
"""


def sample() -> list[tuple[str, ...]]:
    """One vendor (the first, one in the middle, the last), all but the embedded one, and all."""
    names = built_in_names()
    alone = [(name,) for name in dict.fromkeys((names[0], names[len(names) // 2], names[-1]))]
    return [*alone, tuple(name for name in names if name != "local"), names]


@pytest.mark.parametrize("gone", sample(), ids=lambda gone: gone[0] if len(gone) == 1 else str(len(gone)))
def test_what_is_left_works_when_folders_are_gone(copy: Path, gone: tuple[str, ...]) -> None:
    for name in gone:
        shutil.rmtree(copy / "betterai" / "providers" / name)
    left = [name for name in built_in_names() if name not in gone]
    default = "local/eliza" if "local" in left else ""
    assert check_python(REST, source=copy).split() == [*left, repr(default)]


def test_no_test_of_all_providers_misses_one_whose_folder_is_gone(copy: Path) -> None:
    """The tests that run over what is there, in a tree without two vendors; the vendors' own tests go with them."""
    tree = copy.parent
    gone = [names[0] for names in sample()[:3] if names[0] != "local"][:2]
    for name in gone:
        shutil.rmtree(copy / "betterai" / "providers" / name)
    shutil.copytree(TESTS, tree / "tests", ignore=shutil.ignore_patterns(*gone))
    shutil.copy(TESTS.parent / "pyproject.toml", tree)
    code = f"""
    import os, sys
    import pytest
    os.chdir({str(tree)!r})
    options = ["-rp", "-n", "0", "-p", "no:cacheprovider"]
    chat = "tests/contract/test_calls.py::test_a_chat_and_a_stream_say_the_same"
    sys.exit(pytest.main([*options, "tests/contract/test_declarations.py", chat]))
    """
    done = run_python(code, source=copy, strict=False)
    assert done.returncode == 0, done.stdout
    assert "PASSED" in done.stdout
    assert [name for name in gone if f"[{name}" in done.stdout] == []
