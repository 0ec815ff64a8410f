"""The commands and their options. Nothing heavy is imported here: help and usage errors come at once."""

from __future__ import annotations

from argparse import Action, ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Sequence
from difflib import get_close_matches
from functools import partial
from typing import Any, NoReturn

from betterai import __version__
from betterai.core.exceptions import ValidationError

NOTES = """\
exit codes:
  0    all went well
  1    the call failed
  2    nothing was sent: the command line or the environment must change
  3    some lines of a batch ended without an answer
  130  ended by Ctrl-C
  141  the reader of the output has gone

example: betterai chat "Why is the sky blue?"
"""
SHELLS = ("bash", "zsh", "fish")


class Layout(RawDescriptionHelpFormatter):
    """Help whose column of commands is wide enough: argparse forgets that they are indented."""

    def add_argument(self, action: Action) -> None:
        super().add_argument(action)
        indent = self._current_indent + 2 * self._indent_increment
        names = [len(choice.metavar or choice.dest) for choice in self._iter_indented_subactions(action)]
        self._action_max_length = max([self._action_max_length, *(indent + length for length in names)])


class Parser(ArgumentParser):
    """An argument parser whose errors are ours, so that they are reported as all others are."""

    def __init__(self, **options: Any) -> None:
        layout = partial(Layout, max_help_position=28)
        super().__init__(formatter_class=layout, allow_abbrev=False, **options)

    def error(self, message: str) -> NoReturn:
        raise ValidationError(message, hint=f"see {self.prog} --help")

    def _check_value(self, action: Action, value: Any) -> None:
        """As argparse does, but the error names the choice that is near."""
        choices = [str(choice) for choice in action.choices or ()]
        if value not in choices and (near := get_close_matches(str(value), choices, n=1)):
            raise ValidationError(f"there is no {value!r} here", hint=f"did you mean {near[0]}?")
        super()._check_value(action, value)

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


class Commands:
    """The commands of a parser. A name may be of two words, as in `betterai models show`."""

    def __init__(self, parser: Parser) -> None:
        self._parsers = parser.add_subparsers(title="commands", dest="command", metavar="COMMAND")

    def add(self, name: str, about: str, *, module: str = "", more: str = "", notes: str = "") -> Parser:
        """A command that `betterai.cli.MODULE.run` carries out."""
        description = f"{about.capitalize()}.{more}"
        parser: Parser = self._parsers.add_parser(name, help=about, description=description, epilog=notes)
        parser.set_defaults(module=module or name.replace(" ", "_").replace("-", "_"))
        return parser

    def add_hidden(self, name: str) -> Parser:
        """One that no list shows: for programs of ours."""
        parser: Parser = self._parsers.add_parser(name)
        parser.set_defaults(module=name, json=False, debug=False)
        return parser

    @property
    def parsers(self) -> dict[str, Parser]:
        return dict(self._parsers.choices)


def build_parser() -> tuple[Parser, Commands]:
    from betterai.cli.batch_options import add_batch
    from betterai.cli.chat_options import add_chat, add_count
    from betterai.cli.files_options import add_files
    from betterai.cli.modality_options import add_modalities
    from betterai.cli.models_options import add_models

    parser = Parser(prog="betterai", description="One command line over every AI provider.", epilog=NOTES)
    parser.add_argument("--version", action="version", version=f"betterai {__version__}")
    commands = Commands(parser)
    add_chat(commands)
    add_count(commands)
    add_modalities(commands)
    add_batch(commands)
    add_files(commands)
    add_models(commands)
    _add_providers(commands)
    _add_demo(commands)
    _add_config(commands)
    _add_new_provider(commands)
    _add_completion(commands)
    _add_replay(commands)
    return parser, commands


def join_words(words: Sequence[str], commands: Commands) -> list[str]:
    """The words, with the two of a command's name as one."""
    name = " ".join(words[:2])
    return [name, *words[2:]] if len(words) > 1 and name in commands.parsers else list(words)


def _add_providers(commands: Commands) -> None:
    parser = commands.add(
        "providers",
        "what is configured, and which variable sets what is missing",
        more="\nValues are never shown.",
        notes="example: betterai providers --json",
    )
    add_common(parser, "one JSON object")


def _add_demo(commands: Commands) -> None:
    parser = commands.add(
        "demo",
        "show what runs in this process, without a key and without a network",
        more="\nA text, a picture, a sentence spoken and written down, vectors, a film.",
        notes="What is not installed is named, with the extra that brings it.\n\nexample: betterai demo --save demo/",
    )
    parser.add_argument("--save", metavar="FOLDER", help="where the files go; a new temporary folder by default")
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    parser.set_defaults(json=False)


def _add_config(commands: Commands) -> None:
    parser = commands.add(
        "config",
        "what the configuration file says, and where it is",
        more="\nSecrets are not shown.",
        notes="The file is BETTERAI_CONFIG, else betterai/config.toml in XDG_CONFIG_HOME or\n"
        "~/.config. What a call or the environment says goes before it: BETTERAI_MODEL,\n"
        "BETTERAI_TIMEOUT, BETTERAI_RETRIES, BETTERAI_UNSUPPORTED, and what\n"
        "`betterai providers` names.\n\n"
        "example: betterai config path",
    )
    parser.add_argument("what", nargs="?", choices=("show", "path"), default="show", help="all of it, or where it is")
    add_common(parser, "one JSON object")


def _add_new_provider(commands: Commands) -> None:
    parser = commands.add(
        "new-provider",
        "write the folder of a new provider that speaks Chat Completions",
        more="\nIt is complete: its tests pass at once.",
        notes="Without --package the folder goes into BetterAI's own source tree, which must be\n"
        "a checkout; with it, into a package that is published on its own.\n\n"
        "example: betterai new-provider acme --base-url https://api.acme.example/v1",
    )
    add = parser.add_argument
    add("name", metavar="NAME", help="lower case letters, digits and _")
    add("--base-url", metavar="URL", help="where /chat/completions is, without that")
    add("--title", metavar="TEXT", help="as people write the name")
    add("--key-env", metavar="VARIABLE", help="where the key is; NAME_API_KEY by default")
    add("--docs", metavar="URL", help="the page on which keys are made")
    add("--model", metavar="ID", help="its default model")
    add("--package", metavar="DIR", help="write a package of its own, into this new folder")
    add_common(parser, "one JSON object with the files")


def _add_completion(commands: Commands) -> None:
    parser = commands.add(
        "completion",
        "print the script that completes our commands in a shell",
        notes="bash  eval it in ~/.bashrc, or write it to\n"
        "      ~/.local/share/bash-completion/completions/betterai\n"
        "zsh   write it to a folder of $fpath, as _betterai\n"
        "fish  write it to ~/.config/fish/completions/betterai.fish\n\n"
        'example: eval "$(betterai completion bash)"',
    )
    parser.add_argument("shell", choices=SHELLS, help="the shell")
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    parser.set_defaults(json=False)
    hidden = commands.add_hidden("complete")
    hidden.add_argument("shell", choices=SHELLS)
    hidden.add_argument("line")


def _add_replay(commands: Commands) -> None:
    parser = commands.add(
        "replay",
        "read recorded exchanges offline, and say what failed",
        notes="exit code: 1 when one of them failed\n\nexample: betterai replay recordings/ --json",
    )
    parser.add_argument("paths", nargs="+", metavar="PATH", help="a recorded exchange, or a folder of them")
    add_common(parser, "one JSON object for each exchange, one a line")


def add_common(parser: Parser, json_help: str) -> None:
    parser.add_argument("--json", action="store_true", help=json_help)
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
