"""The options of the commands for what is no text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from betterai.cli.arguments import read_seconds, split_option

if TYPE_CHECKING:
    from betterai.cli.parser import Commands, Parser


def add_modalities(commands: Commands) -> None:
    _add_embed(commands)


def _add_embed(commands: Commands) -> None:
    from betterai.cli.parser import add_common

    parser = commands.add(
        "embed",
        "turn texts into vectors",
        notes="Each argument is a text, and each line of stdin. A line of JSON comes out for\n"
        "each: its vector. Any number of texts may be given: they go in as many requests\n"
        "as it takes.\n\n"
        "example: betterai embed -m PROVIDER/MODEL < titles.txt",
    )
    parser.add_argument("texts", nargs="*", metavar="TEXT", help="a text; those of stdin come after it")
    _add_usual(parser, "EmbeddingSettings", "BETTERAI_EMBEDDING_MODEL")
    add_common(parser, "one JSON object with vectors, usage, cost and warnings")


def _add_usual(parser: Parser, settings: str, variable: str) -> None:
    add = parser.add_argument
    add("-m", "--model", default="", help=f"PROVIDER/MODEL, or PROVIDER for its default; else the one of {variable}")
    add(
        "-o",
        "--option",
        dest="options",
        action="append",
        default=[],
        type=split_option,
        metavar="NAME=VALUE",
        help=f"any field of {settings}, as JSON or as text; may be repeated",
    )
    add("--base-url", metavar="URL", help="ask here instead of at the provider's own address")
    add("--timeout", type=read_seconds, metavar="SECONDS", help="of the whole call, with its retries")
