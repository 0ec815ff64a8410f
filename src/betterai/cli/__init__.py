"""The command line `betterai`: which command is meant, and what its exit code says."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module

from betterai.cli.output import Output

UNWRITABLE = 1
NO_COMMAND = 2
INTERRUPTED = 130
PIPE_CLOSED = 141


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the exit code. 0 well, 1 the call failed, 2 nothing was sent: the command line or the
    environment must change, 3 some lines of a batch have no answer, 130 after Ctrl-C, 141 when the reader of the
    output has gone.
    """
    output = Output()
    try:
        return _run(sys.argv[1:] if argv is None else list(argv), output)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        code = PIPE_CLOSED
    except OSError:
        code = UNWRITABLE
    output.silence()
    return code


def _run(words: list[str], output: Output) -> int:
    from betterai.cli.parser import build_parser, join_words

    debug, as_json = "--debug" in words, "--json" in words
    try:
        parser, commands = build_parser()
        arguments = parser.parse_args(join_words(words, commands))
        if arguments.command is None:
            output.notes.write(parser.format_help())
            return NO_COMMAND
        debug, as_json = arguments.debug, arguments.json
        code: int = import_module(f"betterai.cli.{arguments.module}").run(arguments, output)
        output.flush()
        return code
    except SystemExit as finished:
        output.flush()
        return int(finished.code or 0)
    except BrokenPipeError:
        raise
    except Exception as error:
        from betterai.cli.failure import describe_failure, exit_code, show_error

        show_error(error, output, debug=debug)
        if as_json:
            output.write_json({"error": describe_failure(error)})
        return exit_code(error)
