"""The commands and their options. Nothing heavy is imported here: help and usage errors come at once."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError, RawDescriptionHelpFormatter
from difflib import get_close_matches
from functools import partial
from math import inf
from typing import Any, NoReturn

from betterai import __version__
from betterai.core.exceptions import ValidationError

NOTES = """\
exit codes:
  0    all went well
  1    the call failed
  2    nothing was sent: the command line or the environment must change
  130  ended by Ctrl-C
  141  the reader of the output has gone

example: betterai chat "Why is the sky blue?"
"""

CHAT_NOTES = """\
The prompt is also read from stdin where that is no terminal; with both,
stdin's text comes after PROMPT. With neither, on a terminal, a conversation
begins, and /help lists its commands.

There is no option for keys, as options show in lists of processes: set them
in the environment. `betterai providers` names the variables.

example: git diff | betterai chat -m PROVIDER/MODEL "Write a commit message"
"""


class Parser(ArgumentParser):
    """An argument parser whose errors are ours, so that they are reported as all others are."""

    def __init__(self, **options: Any) -> None:
        layout = partial(RawDescriptionHelpFormatter, max_help_position=28)
        super().__init__(formatter_class=layout, allow_abbrev=False, **options)

    def error(self, message: str) -> NoReturn:
        raise ValidationError(message, hint=f"see {self.prog} --help")

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """As argparse does, but what is left over is an error of this command, with near names for options."""
        known, extra = super().parse_known_args(args, namespace)
        for word in extra:
            name = word.partition("=")[0]
            if name.startswith("-") and (near := get_close_matches(name, self._option_string_actions, n=1)):
                raise ValidationError(f"there is no option {name}", hint=f"did you mean {near[0]}?")
        if extra:
            self.error(f"unrecognized arguments: {' '.join(extra)}")
        return known, extra


def build_parser() -> Parser:
    parser = Parser(
        prog="betterai",
        description="One command line over every AI provider.",
        epilog=NOTES,
    )
    parser.add_argument("--version", action="version", version=f"betterai {__version__}")
    commands = parser.add_subparsers(title="commands", dest="command", metavar="COMMAND")
    _add_chat(commands)
    _add_providers(commands)
    _add_replay(commands)
    return parser


def _add_chat(commands: Any) -> None:
    about = "ask a text model, once or in a conversation"
    parser = commands.add_parser("chat", help=about, description=f"{about.capitalize()}.", epilog=CHAT_NOTES)
    add = parser.add_argument
    add("prompt", nargs="*", metavar="PROMPT", help="what to ask, its words in one place")
    add("-m", "--model", help="PROVIDER/MODEL, or PROVIDER for its default; else BETTERAI_MODEL, else an embedded one")
    add("-s", "--system", metavar="TEXT", help="system message")
    for flags, metavar, name, text in (
        (("-t", "--temperature"), "NUMBER", "temperature", "how freely words are chosen, mostly 0 to 2"),
        (("--max-tokens",), "COUNT", "max_tokens", "at most so many tokens in the answer"),
        (("-r", "--reasoning"), "EFFORT", "reasoning", "none, low, medium, high …; or tokens; or true, false"),
    ):
        add(*flags, dest="options", action="append", type=partial(_name_option, name), metavar=metavar, help=text)
    add(
        "-o",
        "--option",
        dest="options",
        action="append",
        type=_split_option,
        metavar="NAME=VALUE",
        help="any field of GenerationSettings, as JSON or as text; may be repeated",
    )
    add("--base-url", metavar="URL", help="ask here instead of at the provider's own address")
    add("--timeout", type=_read_seconds, metavar="SECONDS", help="of the whole call, with its retries")
    add("--no-stream", dest="stream", action="store_false", help="show the answer when it is complete")
    add("--show-reasoning", action="store_true", help="show the model's thoughts, on stderr")
    _add_common(parser, "one JSON object with answer, usage, cost and warnings, at the end; errors too")


def _add_providers(commands: Any) -> None:
    about = "what is configured, and which variable sets what is missing"
    parser = commands.add_parser(
        "providers",
        help=about,
        description=f"{about.capitalize()}.\nValues are never shown.",
        epilog="example: betterai providers --json",
    )
    _add_common(parser, "one JSON object")


def _add_replay(commands: Any) -> None:
    about = "read recorded exchanges offline, and say what failed"
    parser = commands.add_parser(
        "replay",
        help=about,
        description=f"{about.capitalize()}.",
        epilog="exit code: 1 when one of them failed\n\nexample: betterai replay recordings/ --json",
    )
    parser.add_argument("paths", nargs="+", metavar="PATH", help="a recorded exchange, or a folder of them")
    _add_common(parser, "one JSON object for each exchange, one a line")


def _add_common(parser: ArgumentParser, json_help: str) -> None:
    parser.add_argument("--json", action="store_true", help=json_help)
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")


def _name_option(name: str, text: str) -> tuple[str, str]:
    return name, text


def _split_option(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise ArgumentTypeError(f"{text!r} is not NAME=VALUE")
    return name, value


def _read_seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < inf:
        raise ArgumentTypeError(f"{text!r} is not a number of seconds above 0")
    return seconds
