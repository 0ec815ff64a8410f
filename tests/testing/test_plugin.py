"""The pytest plugin, as our users' test suites meet it: warnings are errors there."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
from pathlib import Path

import pytest

import betterai
from betterai.testing import no_network, record, scripted
from runtime.upstream import Upstream, answer

pytest_plugins = ["pytester"]

PYTHON = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
STRICT = ("-W", "error", "--strict-markers", "-p", "no:cacheprovider", "-p", "betterai.testing.plugin")
ASK = """
import asyncio, os
import betterai, pytest
from betterai.testing import NetworkDenied

def ask(text="Hi", url="http://far.invalid/v1", **options):
    config = betterai.CoreConfig(base_url=url, api_key="key-0123", retries=0)
    return asyncio.run(betterai.generate("together/neutral", text, config=config, **options))
"""


@pytest.fixture(scope="module", autouse=True)
def _all_is_loaded(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Before the first run: pytester forgets the modules that a run loads, which may not be loaded twice."""
    with Upstream(answer()) as upstream, record(tmp_path_factory.mktemp("loaded")), scripted(["x"]), no_network():
        config = betterai.CoreConfig(base_url=upstream.url, api_key="key-0123", retries=0)
        for model in ("together/neutral", "groq/openai/gpt-oss-120b", "scripted/any"):
            asyncio.run(betterai.generate(model, "Hi", config=config))


def run(pytester: pytest.Pytester, test: str, *arguments: str, ini: str = "") -> pytest.RunResult:
    pytester.makepyfile(test_users=ASK + test)
    pytester.makeini(f"[pytest]\nasyncio_default_fixture_loop_scope = function\n{ini}")
    return pytester.runpytest_inprocess(*STRICT, *arguments)


DENIED = """
def test_far():
    with pytest.raises(NetworkDenied, match="far.invalid"):
        ask()
"""
ALLOWED = """
def test_far():
    with pytest.raises(betterai.APIConnectionError):
        ask()
"""


def test_the_network_is_denied_by_default(pytester: pytest.Pytester) -> None:
    run(pytester, DENIED).assert_outcomes(passed=1)


def test_fixtures_are_denied_too(pytester: pytest.Pytester) -> None:
    test = "@pytest.fixture\ndef asked():\n    return ask()\n\ndef test_far(asked): pass\n"
    result = run(pytester, test)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*NetworkDenied*far.invalid*"])


@pytest.mark.betterai_network
@pytest.mark.parametrize(
    ("marker", "ini"),
    [
        ("@pytest.mark.betterai_network", ""),
        ("@pytest.mark.betterai_network('far.invalid')", ""),
        ("", "betterai_network = true"),
        ("", "betterai_allow_hosts =\n    near.invalid\n    far.invalid"),
    ],
)
def test_the_network_can_be_allowed(pytester: pytest.Pytester, marker: str, ini: str) -> None:
    run(pytester, f"{marker}\n{ALLOWED.strip()}\n", ini=ini).assert_outcomes(passed=1)


def test_a_marker_with_hosts_allows_no_others(pytester: pytest.Pytester) -> None:
    run(pytester, f"@pytest.mark.betterai_network('near.invalid')\n{DENIED.strip()}\n").assert_outcomes(passed=1)


def test_a_script_answers_and_is_gone_after_the_test(pytester: pytest.Pytester) -> None:
    test = """
def test_scripted(betterai_script):
    provider = betterai_script("one", name="together")
    assert ask("Hello").content == "one"
    assert provider.calls[0].text == "Hello"

def test_afterwards():
    with pytest.raises(NetworkDenied):
        ask()
"""
    run(pytester, test).assert_outcomes(passed=2)


RECORDED = """
@pytest.mark.betterai_recording({options})
@pytest.mark.parametrize("text", ["a/b", "c"])
def test_recorded(text):
    assert ask(text, os.environ["UPSTREAM"]).content == "recorded"
"""


def test_recordings_are_made_when_asked_for_and_given_back(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Upstream(answer("recorded")) as upstream:
        monkeypatch.setenv("UPSTREAM", upstream.url)
        test = RECORDED.format(options="")
        missing = run(pytester, test)
        missing.assert_outcomes(failed=2)
        missing.stdout.fnmatch_lines(["*RecordingMissing*no recording in*--betterai-record=new*"])
        run(pytester, test, "--betterai-record=once").assert_outcomes(passed=2)
        run(pytester, test).assert_outcomes(passed=2)
        assert len(upstream.requests) == 2
    folder = pytester.path / "recordings" / "test_users"
    assert sorted(path.name for path in folder.iterdir()) == ["test_recorded-a-b-", "test_recorded-c-"]
    assert "key-0123" not in "".join(file.read_text() for file in folder.rglob("*.json"))


def test_the_marker_says_where_and_how(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    with Upstream(answer("recorded")) as upstream:
        monkeypatch.setenv("UPSTREAM", upstream.url)
        options = "path='kept/here', mode='new', match_on=['path']"
        run(pytester, RECORDED.format(options=options)).assert_outcomes(passed=2)
        assert len(upstream.requests) == 1, "for the second test, the first one's recording will do"
    assert len(list((pytester.path / "kept" / "here").glob("*.json"))) == 1


def test_unused_recordings_can_fail_a_test(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    with Upstream(answer("recorded")) as upstream:
        monkeypatch.setenv("UPSTREAM", upstream.url)
        test = "@pytest.mark.betterai_recording(require_all=True, path='kept')\ndef test_it():\n    {}"
        run(pytester, test.format("ask('a', os.environ['UPSTREAM'])"), "--betterai-record=all").assert_outcomes(
            passed=1
        )
        result = run(pytester, test.format("pass"))
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*RecordingUnused*001-together-chat.json*"])


def test_a_failed_test_records_nothing(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    with Upstream(answer("recorded")) as upstream:
        monkeypatch.setenv("UPSTREAM", upstream.url)
        test = (
            "@pytest.mark.betterai_recording\ndef test_it():\n    ask('a', os.environ['UPSTREAM'])\n    assert False\n"
        )
        run(pytester, test, "--betterai-record=once").assert_outcomes(failed=1)
    assert not (pytester.path / "recordings").exists()


def test_async_tests_are_recorded(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    test = """
@pytest.mark.betterai_recording
@pytest.mark.asyncio
async def test_it():
    config = betterai.CoreConfig(base_url=os.environ["UPSTREAM"], api_key="key-0123", retries=0)
    assert (await betterai.generate("together/neutral", "Hi", config=config)).content == "recorded"
"""
    with Upstream(answer("recorded")) as upstream:
        monkeypatch.setenv("UPSTREAM", upstream.url)
        for arguments in (["--betterai-record=once"], []):
            run(pytester, test, *arguments).assert_outcomes(passed=1)
        assert len(upstream.requests) == 1


def test_the_tests_on_the_page_run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    page = (Path(__file__).parents[2] / "docs" / "testing.md").read_text()
    first, tests = (next(block for block in PYTHON.findall(page) if word in block) for word in ("greet(", "def test_"))
    with Upstream(answer("Hello, Ada!")) as upstream:
        monkeypatch.setenv("GROQ_BASE_URL", upstream.url)
        pytester.makepyfile(first.partition("\nwith ")[0] + tests)
        pytester.makeini("[pytest]\nasyncio_mode = auto\nasyncio_default_fixture_loop_scope = function")
        for arguments in (["--betterai-record=once"], []):
            pytester.runpytest_inprocess(*STRICT, *arguments).assert_outcomes(passed=2)
        assert len(upstream.requests) == 1


def test_it_works_in_the_processes_of_xdist(pytester: pytest.Pytester) -> None:
    run(pytester, DENIED, "-n", "1").assert_outcomes(passed=1)


def test_it_is_loaded_with_the_package() -> None:
    project = (Path(__file__).parents[2] / "pyproject.toml").read_text()
    assert '[project.entry-points.pytest11]\n"betterai.testing.plugin" = "betterai.testing.plugin"' in project


def test_unused_it_imports_next_to_nothing(pytester: pytest.Pytester) -> None:
    """A test run that never asks a model loads neither msgspec nor aiohttp, nor any of our packages but the plugin's."""
    pytester.makepyfile(
        test_light="""
        import sys

        def test_light():
            heavy = {"aiohttp", "msgspec", "tenacity", "betterai.core", "betterai.transport", "betterai.runtime.client"}
            assert heavy & set(sys.modules) == set()
        """
    )
    command = [sys.executable, "-m", "pytest", *STRICT, "-p", "no:asyncio", "-p", "no:hypothesispytest", "-q"]
    ran = subprocess.run(command, cwd=pytester.path, capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0, ran.stdout + ran.stderr
