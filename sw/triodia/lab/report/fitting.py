"""What fits on the report page: the table at equal speed, and the designs that do not fit."""

from collections.abc import Mapping, Sequence

from ..equal import shown_columns
from ..rows import Column, Row
from . import charts

__all__ = ["equal_speed", "misfits"]


def equal_speed(lines: Sequence[Mapping]) -> dict:
    """Chart, columns and texts of the table at equal speed; empty without one."""
    if not lines or not all(
        "luts" in one["percent"] and "blocks" in one["percent"] for one in lines
    ):
        return {"equal": None}
    shown = shown_columns(lines)
    names = [c for c in shown if c.key in ("synapses_kept", "max_delay", "board")]
    labels = [", ".join(_named(c, one) for c in names) for one in lines]
    return {
        "equal": charts.equal_speed(lines, labels),
        "equal_columns": shown,
        "equal_rows": [{c.key: c.text(one.get(c.key)) for c in shown} for one in lines],
        "equal_note": _saving(lines),
    }


def _named(column: Column, line: Mapping) -> str:
    """A choice as the label of a bar has it."""
    text = column.text(line[column.key])
    return f"{column.heading} {text}" if column.key == "max_delay" else text


def _saving(lines: Sequence[Mapping]) -> str:
    """What the sparsest network saves against the densest, in one sentence."""
    dense, sparse = (pick(lines, key=lambda one: one["synapses_kept"]) for pick in (max, min))
    if dense is sparse:
        return ""
    logic, blocks = (100 * (1 - sparse[key] / dense[key]) for key in ("luts", "blocks"))
    ends = "does not fit the board" if not dense["fits"] else "fits the board too"
    return (
        f"With {100 * sparse['synapses_kept']:.3g}\u00a0% of the recurrent synapses the machine"
        f" takes {logic:.0f}\u00a0% fewer logic cells and {blocks:.0f}\u00a0% fewer block RAMs than"
        f" with {100 * dense['synapses_kept']:.3g}\u00a0%, which {ends}."
    )


def misfits(rows: Sequence[Row]) -> list[str]:
    """A sentence for each board on which designs do not fit: how many, and what would help one."""
    found = []
    for board in dict.fromkeys(row.board for row in rows):
        mine = [row for row in rows if row.board == board]
        wrong = [row for row in mine if row.fits is False]
        if wrong:
            least = min(wrong, key=lambda row: row.synapses)
            found.append(
                f"{len(wrong)} of {len(mine)} designs do not fit {board}; the table names what"
                f" each would need. The smallest of them: {least.reason}."
            )
    return found
