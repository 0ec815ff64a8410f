"""The options of `betterai chat`."""

from __future__ import annotations

from argparse import BooleanOptionalAction
from functools import partial
from typing import TYPE_CHECKING

from betterai.cli.arguments import name_option, read_seconds, split_option

if TYPE_CHECKING:
    from betterai.cli.parser import Commands

NOTES = """\
The prompt is also read from stdin where that is no terminal; with both,
stdin's text comes after PROMPT. With neither, on a terminal, a conversation
begins, and /help lists its commands.

An attachment is a file, an http or https URL, or - for stdin. Files of plain
text are sent as text. Where a URL does not show what it is, say so:
-a image:https://…, and likewise audio, video, document.

There is no option for keys, as options show in lists of processes: set them
in the environment, whose variables `betterai providers` names, or in the file
that `betterai config` shows.

example: betterai chat -a photo.jpg "What is this?"
example: git diff | betterai chat -m PROVIDER/MODEL "Write a commit message"
"""


def add_chat(commands: Commands) -> None:
    from betterai.cli.parser import add_common

    parser = commands.add("chat", "ask a text model, once or in a conversation", notes=NOTES)
    add = parser.add_argument
    add("prompt", nargs="*", metavar="PROMPT", help="what to ask, its words in one place")
    add("-m", "--model", help="PROVIDER/MODEL, or PROVIDER for its default; else the one of BETTERAI_MODEL")
    add("-s", "--system", metavar="TEXT", help="system message")
    add("-a", "--attach", action="append", default=[], metavar="FILE", help="a file or URL to send; may be repeated")
    for flags, metavar, name, text in (
        (("-t", "--temperature"), "NUMBER", "temperature", "how freely words are chosen, mostly 0 to 2"),
        (("--max-tokens",), "COUNT", "max_tokens", "at most so many tokens in the answer"),
        (("-r", "--reasoning"), "EFFORT", "reasoning", "none, low, medium, high …; or tokens; or true, false"),
    ):
        add(*flags, dest="options", action="append", type=partial(name_option, name), metavar=metavar, help=text)
    add("--schema", metavar="FILE", help="a JSON Schema that the answer must follow")
    add(
        "-o",
        "--option",
        dest="options",
        action="append",
        type=split_option,
        metavar="NAME=VALUE",
        help="any field of GenerationSettings, as JSON or as text; may be repeated",
    )
    add("--base-url", metavar="URL", help="ask here instead of at the provider's own address")
    add("--protocol", metavar="NAME", help="one of those the provider speaks, such as openai_chat")
    add("--timeout", type=read_seconds, metavar="SECONDS", help="of the whole call, with its retries")
    add(
        "--stream",
        action=BooleanOptionalAction,
        help="show the answer as it comes, which is usual; with --json, a line of JSON for each piece",
    )
    add("--show-reasoning", action="store_true", help="show the model's thoughts, on stderr")
    add("--markdown", action="store_true", help="show the whole answer as Markdown (extra: rich)")
    add("--save", metavar="DIR", help="where pictures and sounds of the answer are kept")
    add_common(parser, "one JSON object with answer, usage, cost and warnings, at the end; errors too")


def add_count(commands: Commands) -> None:
    from betterai.cli.parser import add_common

    parser = commands.add(
        "count",
        "count the tokens that a prompt would have, and what they cost",
        more="\nThe provider counts where it can, else it is an estimate.",
        notes="example: betterai count -m PROVIDER/MODEL -a report.txt",
    )
    add = parser.add_argument
    add("prompt", nargs="*", metavar="PROMPT", help="what would be asked; stdin's text comes after it")
    add("-m", "--model", help="PROVIDER/MODEL, or PROVIDER for its default; else the one of BETTERAI_MODEL")
    add("-s", "--system", metavar="TEXT", help="system message")
    add("-a", "--attach", action="append", default=[], metavar="FILE", help="a file or URL to count; may be repeated")
    add("--base-url", metavar="URL", help="ask here instead of at the provider's own address")
    add_common(parser, "one JSON object with tokens, estimated, cost and warnings")
