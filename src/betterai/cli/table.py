"""Rows of text under aligned headings."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from betterai.cli.output import Output, Style


def write_table(
    headings: Sequence[str],
    rows: Sequence[Sequence[str]],
    output: Output,
    *,
    numbers: Collection[str] = (),
    styles: Mapping[str, Style] | None = None,
) -> None:
    """The table on stdout: on a terminal with rich no wider than that. `numbers` are the headings of columns that stand
    at the right; a cell that is in `styles` is shown so.
    """
    styles = styles or {}
    if output.answers.is_terminal:
        from betterai.cli.rich_text import has_rich, render_table

        if has_rich():
            output.answers.write_raw(render_table(headings, rows, numbers, styles, output.answers))
            return
    for cells, line in zip((headings, *rows), format_rows(headings, rows, numbers), strict=True):
        marked = next((cell for cell in cells if cell in styles), "")
        before, _, after = line.partition(marked) if marked else (line, "", "")
        output.answers.write(before)
        output.answers.write(marked, styles.get(marked, "plain"))
        output.answers.write(after + "\n")


def format_rows(headings: Sequence[str], rows: Sequence[Sequence[str]], numbers: Collection[str] = ()) -> list[str]:
    """The lines of a table, the headings first. The last column is not padded."""
    widths = [max(len(row[column]) for row in (headings, *rows)) for column in range(len(headings))]
    lines = []
    for row in (headings, *rows):
        cells = zip(headings, row, widths, strict=True)
        padded = (cell.rjust(width) if heading in numbers else cell.ljust(width) for heading, cell, width in cells)
        lines.append("  ".join(padded).rstrip())
    return lines
