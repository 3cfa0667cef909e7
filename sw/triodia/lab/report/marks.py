"""Charts as plain data: axes and marks, which a small script in the page draws.

A chart is a dictionary ``{"x": axis, "y": axis, "marks": [mark, …], "height": pixels}``. Everything
is drawn in the reader's browser, at the width of the screen and in the colours of its theme.
"""

from collections.abc import Iterable, Sequence

__all__ = ["axis", "chart", "mark"]

# x, y, then optionally a text to show on hover and a label; of rectangles x0, x1, y0, y1, then
# the same.
Point = Sequence[object]


def axis(
    label: str,
    ticks: Iterable[tuple[float, str]] | None = None,
    *,
    log: bool = False,
    limits: tuple[float, float] | None = None,
    unit: str = "",
    zero: bool = False,
) -> dict:
    """An axis; without ``ticks`` the page chooses round ones. ``unit`` follows hover values.

    ``limits``: first and last value; ``zero``: the axis starts at 0 where there are no limits.
    """
    found = {"label": label, "log": log, "unit": unit, "zero": zero}
    if ticks is not None:
        found["ticks"] = [list(tick) for tick in ticks]
    return found | ({"limits": list(limits)} if limits else {})


def mark(
    kind: str,
    points: Iterable[Point],
    *,
    name: str = "",
    colour: int = 0,
    of: int = 4,
    dash: bool = False,
) -> dict:
    """A mark: "line", "steps", "dots", "rings", "band", "whiskers", "bars" or "rule".

    ``colour`` is the index among ``of`` colours, each different; -1 is the colour of text.
    ``name`` puts the mark into the legend; marks of the same name share an entry. ``dash``: a
    dotted line.
    """
    made = {"kind": kind, "name": name, "colour": colour, "of": max(of, 4), "points": [*points]}
    return made | ({"dash": True} if dash else {})


def chart(x: dict, y: dict, marks: Iterable[dict], *, height: int = 320) -> dict:
    """A chart of ``height`` pixels; its width is that of the page."""
    return {"x": x, "y": y, "marks": [m for m in marks if m["points"]], "height": height}
