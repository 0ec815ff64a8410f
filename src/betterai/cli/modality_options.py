"""The options of the commands for what is no text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from betterai.cli.arguments import read_seconds, split_option

if TYPE_CHECKING:
    from betterai.cli.parser import Commands, Parser


def add_modalities(commands: Commands) -> None:
    _add_embed(commands)
    _add_jobs(commands)


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


def _add_jobs(commands: Commands) -> None:
    from betterai.cli.parser import add_common

    parser = commands.add(
        "jobs",
        "list what is worked on at providers",
        more="\nFilms, and whatever else takes long, are jobs.",
        notes="They are kept in jobs.sqlite in BETTERAI_STATE, else in betterai in\n"
        "XDG_STATE_HOME or ~/.local/state.\n\n"
        "example: betterai jobs --running",
    )
    parser.add_argument("--running", action="store_true", help="those alone that are not over")
    add_common(parser, "one JSON object with the jobs")
    resume = commands.add(
        "jobs resume",
        "wait for a job, and save what it makes",
        module="jobs",
        notes="example: betterai jobs resume 3f2a --save films/",
    )
    resume.add_argument("job", metavar="JOB", help="its id, the beginning of it, or its handle")
    resume.add_argument("--save", metavar="PATH", help="a folder, or a file; here by default")
    resume.add_argument("--timeout", type=read_seconds, metavar="SECONDS", help="how long to wait")
    add_common(resume, "one JSON object with files, usage, cost and warnings")
    for name, about in (
        ("cancel", "stop a job at its provider"),
        ("forget", "take a job out of the list; at the provider nothing changes"),
    ):
        other = commands.add(f"jobs {name}", about, module="jobs", notes=f"example: betterai jobs {name} 3f2a")
        other.add_argument("job", metavar="JOB", help="its id, or the beginning of it")
        add_common(other, "errors as JSON")


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
