"""The modules of the package, read and parsed once for all tests that judge them."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import betterai

SOURCE = Path(betterai.__file__).parent
NAMES = sorted(str(file.relative_to(SOURCE)) for file in SOURCE.rglob("*.py"))


@cache
def text_of(name: str) -> str:
    return (SOURCE / name).read_text(encoding="utf-8")


@cache
def nodes_of(name: str) -> list[ast.AST]:
    """All of a module's syntax tree; the module itself first."""
    return list(ast.walk(ast.parse(text_of(name))))


def tree_of(name: str) -> ast.Module:
    tree = nodes_of(name)[0]
    assert isinstance(tree, ast.Module)
    return tree
