"""What may stand where the cursor is: commands and options from the parsers, models and providers from the library."""

from __future__ import annotations

import shlex
from argparse import Action, Namespace
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from betterai.cli.output import Output

if TYPE_CHECKING:
    from betterai.cli.parser import Commands, Parser

WORD_BREAKS = ":="
"""Where bash begins a new word of its own within one of ours."""


class Candidate(NamedTuple):
    value: str
    about: str = ""


def run(arguments: Namespace, output: Output) -> int:
    """One candidate a line, as the shell wants it; none means: complete files."""
    from betterai.cli.parser import build_parser

    words = split_line(arguments.line)
    for candidate in find_candidates(words, *build_parser()):
        output.answers.write(_format(candidate, arguments.shell, words[-1]) + "\n")
    return 0


def split_line(line: str) -> list[str]:
    """The words after the program's name; the last is the one to complete, maybe ""."""
    try:
        words = shlex.split(line)
    except ValueError:
        words = line.split()
    return [*words[1:], ""] if line[-1:].isspace() or len(words) < 2 else words[1:]


def find_candidates(words: list[str], parser: Parser, commands: Commands) -> list[Candidate]:
    *before, current = words
    if not before:
        return _begin_with(current, _list_options(parser) if current[:1] == "-" else _list_commands(commands, ""))
    name = next((name for name in (" ".join(before[:2]), before[0]) if name in commands.parsers), "")
    if not name:
        return []
    command, rest = commands.parsers[name], before[len(name.split()) :]
    option, equals, value = current.partition("=")
    if equals and (action := command._option_string_actions.get(option)):
        return [Candidate(f"{option}={found.value}", found.about) for found in _list_values(action, value)]
    if rest and (action := command._option_string_actions.get(rest[-1])) and action.nargs != 0:
        return _list_values(action, current)
    if current.startswith("-"):
        return _begin_with(current, _list_options(command))
    further = _begin_with(current, _list_commands(commands, name)) if not rest else []
    positional = command._get_positional_actions()
    return [*further, *(_list_values(positional[0], current) if positional else [])]


def _list_commands(commands: Commands, first: str) -> Iterator[Candidate]:
    """The commands, or the second words of those whose first is given."""
    for name, parser in commands.parsers.items():
        start, _, rest = name.partition(" ")
        word = name if not first else rest if start == first else ""
        if parser.description and word and " " not in word:
            yield Candidate(word, parser.description.partition(".")[0])


def _list_options(parser: Parser) -> Iterator[Candidate]:
    for action in parser._actions:
        for option in action.option_strings:
            if option.startswith("--"):
                yield Candidate(option, action.help or "")


def _list_values(action: Action, current: str) -> list[Candidate]:
    """The values that an option or an argument can have; none for files and free text."""
    if action.choices is not None:
        return _begin_with(current, map(Candidate, map(str, action.choices)))
    if action.metavar == "PROVIDER":
        from betterai.runtime.registry import provider_names

        return _begin_with(current, map(Candidate, provider_names()))
    if action.dest == "model" or action.metavar == "MODEL":
        from betterai.config.environment import read_config_file
        from betterai.config.providers import ALL_MODELS
        from betterai.core.routing import ROUTER_PREFIX

        routers = [f"{ROUTER_PREFIX}{name}" for name in read_config_file().routers]
        return _begin_with(current, map(Candidate, [*routers, *sorted(ALL_MODELS)]))
    return []


def _begin_with(current: str, candidates: Iterable[Candidate]) -> list[Candidate]:
    return [candidate for candidate in candidates if candidate.value.startswith(current)]


def _format(candidate: Candidate, shell: str, current: str) -> str:
    if shell == "fish":
        return f"{candidate.value}\t{candidate.about}"
    if shell == "zsh":
        return candidate.value.replace(":", "\\:") + (f":{candidate.about}" if candidate.about else "")
    begun = max(current.rfind(character) for character in WORD_BREAKS) + 1
    return candidate.value[begun:]
