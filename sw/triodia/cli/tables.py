"""Tables as text that fits the terminal: headings wrap between words, numbers never break."""

import re
from collections.abc import Sequence
from textwrap import wrap

__all__ = ["pairs", "table"]

_GAP = "  "
_NUMBER = re.compile(r"[-+±≤≥<>~]?\d[\d,._]*([eE][-+]?\d+)?\s?%?|–|")


def table(headings: Sequence[str], rows: Sequence[Sequence[str]], width: int) -> str:
    """``rows`` under ``headings`` in lines of at most ``width`` characters.

    Columns of numbers are right-aligned. Columns that do not fit beside the others follow in a
    second table, which repeats the first column. A single word longer than ``width`` stays whole.
    """
    columns = [[str(row[k]) for row in rows] for k in range(len(headings))]
    blocks, widths = _blocks(headings, columns, width)
    return "\n\n".join(
        _block([headings[k] for k in block], [columns[k] for k in block], widths, width)
        for block, widths in zip(blocks, widths, strict=True)
    )


def pairs(rows: Sequence[tuple[str, str]], width: int) -> str:
    """Names and values, one pair per line; long values wrap beside the names."""
    column = max((len(name) for name, _ in rows), default=0) + len(_GAP)
    lines = []
    for name, value in rows:
        room = max(width - column, 20)
        parts = wrap(value, room, break_long_words=False, break_on_hyphens=False) or [""]
        lines += [f"{name:<{column}}{parts[0]}", *(" " * column + part for part in parts[1:])]
    return "\n".join(line.rstrip() for line in lines)


def _is_numeric(cells: Sequence[str]) -> bool:
    return all(_NUMBER.fullmatch(cell) for cell in cells)


def _longest_word(text: str) -> int:
    return max(map(len, text.split()), default=0)


def _least(heading: str, cells: Sequence[str]) -> int:
    """Least width of a column: that of its longest word, or of its longest number."""
    measure = len if _is_numeric(cells) else _longest_word
    return max([_longest_word(heading), *map(measure, cells)])


def _blocks(
    headings: Sequence[str], columns: list[list[str]], width: int
) -> tuple[list[list[int]], list[list[int]]]:
    """Columns of each block by number, and the least width of each."""
    least = [_least(*both) for both in zip(headings, columns, strict=True)]
    blocks, used = [[0]], least[0]
    for k in range(1, len(columns)):
        used += len(_GAP) + least[k]
        if used > width and blocks[-1] != [0]:
            blocks.append([0])
            used = least[0] + len(_GAP) + least[k]
        blocks[-1].append(k)
    return blocks, [[least[k] for k in block] for block in blocks]


def _grown(
    headings: Sequence[str], columns: list[list[str]], least: list[int], width: int
) -> list[int]:
    """Widths of the columns of a block: as much as each would like, as far as there is room."""
    widths = list(least)
    wanted = [max(map(len, (h, *cells))) for h, cells in zip(headings, columns, strict=True)]
    room = width - sum(widths) - len(_GAP) * (len(widths) - 1)
    while room > 0:
        short = max(range(len(widths)), key=lambda k: wanted[k] - widths[k])
        if widths[short] >= wanted[short]:
            break
        widths[short] += 1
        room -= 1
    return widths


def _block(headings: Sequence[str], columns: list[list[str]], least: list[int], width: int) -> str:
    widths = _grown(headings, columns, least, width)
    right = [_is_numeric(cells) for cells in columns]
    lines = _lines(headings, widths, right, bottom=True)
    lines += [_GAP.join("─" * w for w in widths)]
    for row in zip(*columns, strict=True):
        lines += _lines(row, widths, right)
    return "\n".join(lines)


def _lines(
    cells: Sequence[str], widths: list[int], right: list[bool], bottom: bool = False
) -> list[str]:
    """A row as lines; short cells stand at its top, or at its ``bottom``."""
    parts = [
        wrap(cell, max(w, 1), break_long_words=False, break_on_hyphens=False) or [""]
        for cell, w in zip(cells, widths, strict=True)
    ]
    height = max(map(len, parts))
    filled = [
        [""] * (height - len(part)) + part if bottom else part + [""] * (height - len(part))
        for part in parts
    ]
    return [
        _GAP.join(
            text.rjust(w) if to_right else text.ljust(w)
            for text, w, to_right in zip(line, widths, right, strict=True)
        ).rstrip()
        for line in zip(*filled, strict=True)
    ]
