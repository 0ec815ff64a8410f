"""`betterai new-provider`: what it writes works at once, and nothing is overwritten."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from betterai.cli import main
from cli.processes import Result, make_environment

ROOT = Path(__file__).parents[2]
TOOLS = Path(sys.executable).parent


def run_in(folder: Path, *words: str, path: tuple[Path, ...]) -> Result:
    """Run Python there, with these places before all others."""
    environment = make_environment(PYTHONPATH=":".join(map(str, path)))
    done = subprocess.run([sys.executable, *words], cwd=folder, capture_output=True, env=environment, timeout=60)
    return Result(done.returncode, done.stdout, done.stderr)


def lint(root: Path, *paths: str) -> str:
    done = subprocess.run(
        [TOOLS / "ruff", "check", "--no-cache", "--select=E,F,I,UP", "--line-length=120", *paths],
        cwd=root, capture_output=True, text=True, env=make_environment(),
    )  # fmt: skip
    return "" if done.returncode == 0 else done.stdout


def test_a_new_folder_passes_the_contract_tests_at_once(tmp_path: Path):
    for name in ("src", "tests"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("models.json"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    words = ("new-provider", "acme_2", "--base-url", "https://api.acme.example/v1/", "--title", "Acme's Own")
    written = run_in(tmp_path, "-m", "betterai", *words, path=(tmp_path / "src",))
    assert written.code == 0, written
    folder = tmp_path / "src/betterai/providers/acme_2"
    assert written.stdout.splitlines()[0] == str(folder / "__init__.py")
    assert "next: python -m pytest tests/contract" in written.stderr
    tested = run_in(
        tmp_path, "-m", "pytest", "tests/contract", "tests/providers/acme_2", "-k", "acme_2", "-q", "-n", "0",
        "-p", "no:cacheprovider", path=(tmp_path / "src",),
    )  # fmt: skip
    assert tested.code == 0, tested
    assert tested.stdout.count(".") > 20, tested
    assert lint(tmp_path, "src/betterai/providers/acme_2", "tests/providers/acme_2") == ""
    again = run_in(tmp_path, "-m", "betterai", *words, path=(tmp_path / "src",))
    assert (again.code, "there is a provider 'acme_2' already" in again.stderr) == (2, True)


def test_a_new_package_passes_its_own_tests_when_it_is_installed(tmp_path: Path):
    root = tmp_path / "acme"
    words = ("new-provider", "acme", "--package", str(root), "--model", "best-1", "--json")
    written = run_in(tmp_path, "-m", "betterai", *words, path=(ROOT / "src",))
    assert written.code == 0, written
    assert sorted(written.json["files"]) == sorted(str(path) for path in root.rglob("*") if path.is_file())
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    points = project["entry-points"]["betterai.providers"]
    assert points == {"acme": "betterai_acme:PROVIDER"}
    info = tmp_path / "site" / "betterai_acme-0.1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: 0.1.0\n")
    (info / "entry_points.txt").write_text("[betterai.providers]\nacme = betterai_acme:PROVIDER\n")
    tested = run_in(
        root, "-m", "pytest", "-q", "-W", "ignore", "-p", "no:cacheprovider",
        path=(info.parent, root / "src", ROOT / "src"),
    )  # fmt: skip
    assert (tested.code, "2 passed" in tested.stdout) == (0, True), tested
    assert lint(root, ".") == ""


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("Acme",), "'Acme' cannot be a provider's name"),
        (("class",), "'class' cannot be a provider's name: it is a word of Python's"),
        (("a-b",), "lower case letters, digits and _"),
        (("groq",), "there is a provider 'groq' already"),
        (("acme", "--base-url", "http://acme.example"), "is not a plain https URL"),
        (("acme", "--base-url", "https://user:secret@acme.example"), "is not a plain https URL"),
        (("acme", "--key-env", "acme key"), "'acme key' cannot be a variable"),
        (("acme", "--title", 'The "Acme"'), "is not a line of plain text"),
        (("acme", "--base-url", "https://acme.example:port"), "is not a URL"),
        (("acme", "--package", "{full}"), "exists and is not empty"),
        (("acme", "--package", "{full}/file/acme"), "cannot write"),
    ],
)
def test_what_cannot_be_written_is_said(
    words: tuple[str, ...], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    (tmp_path / "file").touch()
    before = sorted((ROOT / "src/betterai/providers").iterdir())
    code = main(["new-provider", *(word.format(full=tmp_path) for word in words)])
    written = capsys.readouterr()
    assert (code, written.out, written.err.count("\n")) == (2, "", 1)
    assert said in written.err
    assert sorted((ROOT / "src/betterai/providers").iterdir()) == before
