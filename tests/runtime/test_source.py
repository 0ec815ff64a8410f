"""X4: no code, command or module is run because somebody named it; where modules are found by name is listed here."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from sources import NAMES, nodes_of, text_of
from together import each

FORBIDDEN_CALLS = frozenset({"eval", "exec", "compile", "__import__", "import_module", "load_module"})
OF_OS = frozenset({"system", "popen", "execv", "execve", "spawnv", "posix_spawn"})
FORBIDDEN_MODULES = frozenset(
    {"pickle", "cPickle", "dill", "marshal", "shelve", "subprocess", "runpy", "code", "ctypes", "yaml"}
)
ALLOWED = {
    ("__init__.py", "import_module"): "the public names, from a table in the same file",
    ("catalogue/update/fetch.py", "subprocess"): "pip, with fixed arguments, when the catalogue is to be updated",
    ("cli/__init__.py", "import_module"): "the commands, from a table in the same file",
    ("providers/__init__.py", "import_module"): "the folders beside it",
    ("transport/auth/google_cloud.py", "import_module"): "google-auth, an extra, by names in the same file",
    ("providers/local/espeak.py", "ctypes"): "espeak-ng, where its wheel says that its library is",
    ("providers/local/extras.py", "import_module"): "engines, by names that stand in this folder",
    ("testing/__init__.py", "import_module"): "the public names, from a table in the same file",
    ("providers/__init__.py", "load"): "what installed packages publish",
}


def read_calls(nodes: Iterable[ast.AST]) -> Iterator[str]:
    """Names of what is called, and of modules that are imported, as far as they are forbidden."""
    for node in nodes:
        if isinstance(node, ast.Call):
            name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
            owner = getattr(getattr(node.func, "value", None), "id", "")
            if (name in FORBIDDEN_CALLS and owner != "re") or (owner == "os" and name in OF_OS):
                yield name
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.partition(".")[0] in FORBIDDEN_MODULES)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] in FORBIDDEN_MODULES:
            yield node.module or ""


@each("name", NAMES)
def test_x4_nothing_is_executed_that_a_user_named(name: str) -> None:
    found = [call for call in read_calls(nodes_of(name)) if (name, call) not in ALLOWED]
    assert found == []


@each(
    "code",
    [
        "eval('1')",
        "import pickle",
        "from subprocess import run",
        "importlib.import_module(x)",
        "os.system(x)",
        "exec(x)",
    ],
)
def test_x4_the_search_finds_what_is_forbidden(code: str) -> None:
    assert list(read_calls(ast.walk(ast.parse(code))))


def test_x4_what_is_allowed_is_still_there() -> None:
    for (name, call), why in ALLOWED.items():
        text = text_of(name)
        assert f"{call}(" in text or f"import {call}" in text, why


def test_x4_only_the_discovery_loads_entry_points() -> None:
    assert [name for name in NAMES if "entry_points" in text_of(name)] == ["providers/__init__.py"]
