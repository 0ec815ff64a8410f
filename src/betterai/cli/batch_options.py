"""The options of `betterai batch`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from betterai.cli.arguments import read_seconds, split_option

if TYPE_CHECKING:
    from betterai.cli.parser import Commands, Parser

CATEGORIES = ("text", "embeddings", "moderation", "image")


def add_batch(commands: Commands) -> None:
    from betterai.cli.parser import add_common

    parser = commands.add(
        "batch",
        "list the batches that were submitted",
        more="\nMany requests, answered later and at a lower price.",
        notes="They are kept in batches.sqlite in BETTERAI_STATE, else in betterai in\n"
        "XDG_STATE_HOME or ~/.local/state.\n\n"
        "example: betterai batch --running",
    )
    parser.add_argument("--running", action="store_true", help="those alone that are not over")
    add_common(parser, "one JSON object with the batches")
    _add_submit(commands)
    status = commands.add(
        "batch status",
        "say how a batch stands",
        module="batch",
        notes="example: betterai batch status 3f2a --wait",
    )
    _add_which(status)
    status.add_argument("--wait", action="store_true", help="until it is over")
    _add_waiting(status)
    add_common(status, "one JSON object")
    results = commands.add(
        "batch results",
        "wait for a batch, and write the outcome of each request",
        module="batch",
        notes="A line of JSON comes out for each request, in no order: its id and state, then\n"
        "the answer, or the error. Where some are errors, the exit code is 3.\n\n"
        "example: betterai batch results 3f2a > answers.jsonl",
    )
    _add_which(results)
    results.add_argument("--no-wait", action="store_true", help="only what there is by now")
    results.add_argument("--save", metavar="FILE", help="write the lines here instead of to stdout")
    _add_waiting(results)
    add_common(results, "errors as JSON; the lines are JSON in any case")
    for name, about in (
        ("cancel", "stop a batch: what was answered by then is answered"),
        ("forget", "take a batch out of the list; at the provider nothing changes"),
    ):
        other = commands.add(f"batch {name}", about, module="batch", notes=f"example: betterai batch {name} 3f2a")
        _add_which(other)
        if name == "cancel":
            _add_where(other)
        add_common(other, "errors as JSON")


def _add_submit(commands: Commands) -> None:
    from betterai.cli.parser import add_common

    parser = commands.add(
        "batch submit",
        "submit many requests, and print the id of the batch",
        module="batch",
        notes='Each line of the file is a request: {"id": "1", "input": "Hello"}. Its input is\n'
        "a text or messages; it may have a model and settings of its own.\n\n"
        "example: betterai batch submit -m PROVIDER/MODEL requests.jsonl",
    )
    add = parser.add_argument
    add("file", metavar="FILE", help="a file of JSON lines, or - for stdin")
    add("-m", "--model", default="", help="PROVIDER/MODEL, or PROVIDER for its default; else the one of BETTERAI_MODEL")
    add("-s", "--system", metavar="TEXT", help="what the model is told before each text")
    add("--category", choices=CATEGORIES, help="what is asked for, where the model's name does not say it")
    add(
        "-o",
        "--option",
        dest="options",
        action="append",
        default=[],
        type=split_option,
        metavar="NAME=VALUE",
        help="any setting of the category, for all requests, as JSON or as text; may be repeated",
    )
    add("--base-url", metavar="URL", help="ask here instead of at the provider's own address")
    add("--timeout", type=read_seconds, metavar="SECONDS", help="of each request to the provider, with its retries")
    add("--line-by-line", action="store_true", help="plain calls at the usual price, also where there is an endpoint")
    add("--concurrency", type=int, metavar="N", help="line by line: how many calls at once (16)")
    _add_database(parser)
    add_common(parser, "one JSON object with id and handle")


def _add_which(parser: Parser) -> None:
    parser.add_argument("batch", metavar="BATCH", help="its id, the beginning of it, or its handle")


def _add_waiting(parser: Parser) -> None:
    parser.add_argument("--concurrency", type=int, metavar="N", help="line by line: how many calls at once (16)")
    _add_where(parser)
    parser.add_argument("--timeout", type=read_seconds, metavar="SECONDS", help="how long to wait")
    parser.add_argument(
        "--retry-in-doubt", action="store_true", help="send once more what may have been sent: it may cost twice"
    )


def _add_where(parser: Parser) -> None:
    _add_database(parser)
    parser.add_argument(
        "--base-url", metavar="URL", help="where it was submitted, if not at the provider's own address"
    )


def _add_database(parser: Parser) -> None:
    parser.add_argument(
        "--database", metavar="WHERE", help="line by line: a file or postgresql://…, where the lines are kept"
    )
