"""`betterai models update`: build the vendors' `models.json` anew from published data."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from betterai.cli.output import Output

if TYPE_CHECKING:
    from betterai.catalogue.update.run import Outcome

ABOUT = "build the catalogue of models anew, from published data"
NOTES = """\
Sources: the newest litellm and genai-prices from the package registry, opened
and never installed; or models.dev. The first that knows a price wins; the
overlay betterai/catalogue/overlay.toml wins over all. What cannot be right is
refused, and so is an update that loses a fifth of a vendor's models.

exit code: with --check, 1 when files would change

example: betterai models update --check
"""


def add_options(parser: ArgumentParser) -> None:
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--families", action="store_true", help="only make families.json from families.toml")
    source.add_argument("--from-wheels", action="store_true", help="litellm and genai-prices (the default)")
    source.add_argument(
        "--from-models-dev", nargs="?", const="", metavar="FILE", help="models.dev, fetched, or its api.json in FILE"
    )
    parser.add_argument("--wheels", type=Path, metavar="FOLDER", help="take the wheels from here, and fetch nothing")
    parser.add_argument("--check", action="store_true", help="write nothing; say what would change")
    parser.add_argument("--force", action="store_true", help="lose models, however many")
    parser.add_argument("--report", type=Path, metavar="FILE", help="list where sources disagree, and what they lack")
    parser.add_argument("--as-of", metavar="DAY", help="the day of prices that changed (default: today)")


def run(arguments: Namespace, output: Output) -> int:
    from betterai.catalogue.update import run as update
    from betterai.catalogue.update.write import find_changed

    outcome = None if arguments.families else _prepare(arguments)
    texts = update.render_families() if outcome is None else outcome.texts
    changed = find_changed(texts) if arguments.check else update.write(texts)
    if outcome is not None and arguments.report is not None:
        arguments.report.write_text(outcome.report(), encoding="utf-8")
    if arguments.json:
        output.write_json({"changed": [str(path) for path in changed], "update": outcome and outcome.summary()})
    else:
        _say(outcome, changed, output, written=not arguments.check)
    return 1 if arguments.check and changed else 0


def _prepare(arguments: Namespace) -> Outcome:
    from betterai.catalogue.update import run as update
    from betterai.catalogue.update.vendors import read_vendors

    vendors = read_vendors()
    today = arguments.as_of or f"{datetime.now(UTC):%Y-%m-%d}"
    if arguments.from_models_dev is None:
        sources = update.read_wheels(vendors, today, arguments.wheels)
    else:
        sources = update.read_dev(
            vendors, today, Path(arguments.from_models_dev) if arguments.from_models_dev else None
        )
    return update.prepare(sources, update.FOLDER, today, vendors=vendors, force=arguments.force)


def _say(outcome: Outcome | None, changed: Sequence[Path], output: Output, *, written: bool) -> None:
    write = output.answers.write
    for path in changed:
        write(f"{'written' if written else 'would change'}: {path}\n")
    if not changed:
        write("nothing changed\n")
    if outcome is not None:
        found = outcome.summary()
        write(f"{sum(found['models'].values())} models of {len(found['models'])} providers\n")
        doubts = len(outcome.disagreements), len(outcome.remarks)
        write(f"{doubts[0]} disagreements between sources, {doubts[1]} remarks: --report FILE lists them\n")
