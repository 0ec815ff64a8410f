"""Tables and Markdown by way of rich, where that extra is installed."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from importlib.util import find_spec
from io import StringIO
from shutil import get_terminal_size
from typing import TYPE_CHECKING

from betterai.cli.control import ControlFilter
from betterai.cli.output import Channel, Style

if TYPE_CHECKING:
    from rich.console import Console, RenderableType


WHOLE = 24
"""Columns that are no wider than this are not broken into lines, nor is the first."""


def has_rich() -> bool:
    return find_spec("rich") is not None


def render_table(
    headings: Sequence[str],
    rows: Sequence[Sequence[str]],
    numbers: Collection[str],
    styles: Mapping[str, Style],
    channel: Channel,
) -> str:
    """The table as wide as the terminal; `numbers` are the headings of columns that stand at the right."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="none")
    for heading, *cells in zip(headings, *rows, strict=True):
        whole = heading == headings[0] or max(map(len, cells), default=0) <= WHOLE
        table.add_column(heading, justify="right" if heading in numbers else "left", overflow="fold", no_wrap=whole)
    for row in rows:
        table.add_row(*(Text(cell, style=styles.get(cell, "none")) for cell in row))
    return _render(table, channel)


def render_markdown(text: str, channel: Channel) -> str:
    from rich.markdown import Markdown

    return _render(Markdown(ControlFilter().feed(text)), channel)


def _render(content: RenderableType, channel: Channel) -> str:
    console = _open_console(channel)
    console.print(content)
    written = console.file
    assert isinstance(written, StringIO)
    return "".join(f"{line.rstrip()}\n" for line in written.getvalue().splitlines())


def _open_console(channel: Channel) -> Console:
    from rich.console import Console

    return Console(
        file=StringIO(),
        force_terminal=True,
        color_system="standard" if channel.has_colour else None,
        width=get_terminal_size().columns,
    )
