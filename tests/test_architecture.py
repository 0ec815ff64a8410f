"""The house rules that no linter knows: vendors stay in their folders, files stay small, names say what they are."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from betterai.core.provider import Provider
from betterai.providers import built_in_names, load_provider
from sources import NAMES, nodes_of, text_of, tree_of
from together import each

PROTOCOL_NAMES = r"\b(openai_chat|openai_responses|anthropic_messages)\b"
AT_HOME = {
    "wire/anthropic_messages/": r"\banthropic-(version|beta|workspace-id|user-profile-id)\b",
    "transport/auth/google_cloud.py": r"\bgoogle[.-](auth|oauth2)\b|\bGoogle Cloud\b|betterai\[google\]",
}
"""Headers of a protocol, and a library for tokens: no vendors where they belong."""


def docstring_positions(nodes: Iterable[ast.AST]) -> set[tuple[int, int]]:
    """Where docstrings, and the strings that document attributes, begin."""
    return {
        (node.value.lineno, node.value.col_offset)
        for node in nodes
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
    }


@cache
def embedded_names() -> frozenset[str]:
    """The providers without a network: they have no host, and ".local" is a network's name."""
    loaded = (load_provider(name) for name in built_in_names())
    return frozenset(item.name for item in loaded if isinstance(item, Provider) and item.embedded)


def vendor_words(text: str, name: str = "") -> list[tuple[int, str]]:
    """Vendor ids that occur as identifiers, or as words in string literals, with their lines."""
    known = re.compile("|".join((PROTOCOL_NAMES, *(words for home, words in AT_HOME.items() if name.startswith(home)))))
    docs = docstring_positions(nodes_of(name) if name else ast.walk(ast.parse(text)))
    names, hosts = "|".join(built_in_names()), "|".join(set(built_in_names()) - embedded_names())
    ids = re.compile(rf"(?<![\w.])({names})\b|(?<=\.)({hosts})(?=\.)", re.IGNORECASE)
    found = []
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.NAME and ids.fullmatch(token.string):
            found.append((token.start[0], token.string))
        elif token.type == tokenize.STRING and token.start not in docs:
            said = known.sub("", token.string)
            found += [(token.start[0], match[0]) for match in ids.finditer(said) if not is_plain_word(said, match)]
    return found


def is_plain_word(said: str, match: re.Match[str]) -> bool:
    """Whether it stands among the words of a sentence, in lower case: some vendors are called what is a word too."""
    before, after = said[: match.start()], said[match.end() :]
    alone = re.search(r"[\s\"'(]$", before) and re.match(r"[\s\"').,;:?]", after)
    return (
        match[0].islower() and bool(alone) and bool(re.search(r"\w[,;:]? $", before) or re.match(r"[,;:.]? \S", after))
    )


def is_home(name: str) -> bool:
    return name.startswith("catalogue/") or (name.startswith("providers/") and name.count("/") > 1)


@each("name", [name for name in NAMES if not is_home(name)])
def test_no_vendor_is_named_outside_its_folder(name: str) -> None:
    assert vendor_words(text_of(name), name) == []


def test_the_search_for_vendors_finds_them() -> None:
    text = '"""groq is a vendor."""\nx = "groq/model"\ndef groq():\n    return "openai_chat"\nimport openai\n'
    assert [word for _, word in vendor_words(text)] == ["groq", "groq", "openai"]
    for said in ("groq", "groq/a", "org/groq", "api.groq.com", "see groq-1", "a.groq.b", "keys of Groq", "Groq has it"):
        assert vendor_words(f"x = {said!r}"), said
    for said in ("they went groq into town", "h.groq", "groqs"):
        assert vendor_words(f"x = {said!r}") == [], said


@each("name", [name for name in NAMES if name.startswith("providers/") and name.count("/") > 1])
def test_a_vendor_names_no_other(name: str) -> None:
    own = name.split("/")[1]
    imported = {node.module or "" for node in nodes_of(name) if isinstance(node, ast.ImportFrom)}
    others = {module.split(".")[2] for module in imported if module.startswith("betterai.providers.")} - {own}
    assert others == set()


@each("name", NAMES)
def test_a_module_says_in_its_first_line_what_it_is_for(name: str) -> None:
    doc = ast.get_docstring(tree_of(name))
    assert doc, "no docstring"
    assert doc.splitlines()[0].endswith((".", ":")), doc.splitlines()[0]


@each("name", NAMES)
def test_files_and_functions_are_small(name: str) -> None:
    assert len(text_of(name).splitlines()) <= 400
    for node in nodes_of(name):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert (node.end_lineno or 0) - node.lineno < 60, f"{node.name} is longer than a screen"


def test_no_room_without_a_purpose_in_its_name() -> None:
    assert [name for name in NAMES if Path(name).stem in {"utils", "helpers", "common", "misc"}] == []


def test_no_banners_and_no_unfinished_places() -> None:
    unfinished = re.compile(r"\b(TODO|FIXME|XXX)\b|pragma: no cover|^\s*#\s*[=\-#*─]{6,}", re.MULTILINE)
    assert [name for name in NAMES if unfinished.search(text_of(name))] == []


def test_codecs_are_pure() -> None:
    """No await, no clock, no environment in `wire`, nor in the codecs of vendors (the embedded provider is none)."""
    for name in NAMES:
        vendor = name.split("/")[1] if name.startswith("providers/") and name.count("/") > 1 else ""
        if name.startswith("wire/") or (vendor and vendor not in embedded_names()):
            nodes = nodes_of(name)
            assert not any(isinstance(node, ast.Await | ast.AsyncFunctionDef) for node in nodes), name
            calls = {ast.unparse(node.func) for node in nodes if isinstance(node, ast.Call)}
            assert not calls & {"open", "print", "time.time", "time.monotonic", "os.getenv", "datetime.now"}, name


OPENERS = {"aiohttp", "socket", "ssl", "http", "urllib.request", "httpx", "requests", "urllib3", "websockets", "ftplib"}
CALLS = {"open_connection", "open_unix_connection", "create_connection", "create_unix_connection", "urlopen"}


def opened_by(nodes: Iterable[ast.AST]) -> set[str]:
    """What a module imports or calls that can open a connection, when it runs."""
    found, nodes = set(), list(nodes)
    typing_only = {
        id(inner)
        for node in nodes
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)
        for inner in ast.walk(node)
    }
    for node in nodes:
        if id(node) in typing_only:
            continue
        if isinstance(node, ast.Import):
            names = {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names = {node.module or ""} | {f"{node.module}.{alias.name}" for alias in node.names}
        else:
            names = {node.attr} & CALLS if isinstance(node, ast.Attribute) else set()
        found |= {name for name in names if name in CALLS or {name, name.partition(".")[0]} & OPENERS}
    return found


def test_x3_only_the_transport_opens_connections():
    """And `betterai models update`, which fetches what its user asks it to."""
    openers = {name for name in NAMES if opened_by(nodes_of(name))}
    assert {name.partition("/")[0] for name in openers - {"catalogue/update/fetch.py"}} == {"transport"}


@each(
    "source", ["import http.client", "from urllib import request", "import socket as s", "async def f(): await asyncio.open_connection()"]
)  # fmt: skip
def test_x3_the_search_for_them_finds_them(source):
    assert opened_by(ast.walk(ast.parse(source)))
