"""Rows of the comparison, from what was measured."""

from statistics import median

from .measure import PEERS, Choice

__all__ = ["rows"]

_BY_NAME = {peer.name: peer for peer in PEERS}
_AREA = ("lut4", "luts", "registers", "blocks", "multipliers")


def rows(choices: list[Choice], speeds: list[dict], placements: list[list[dict]]) -> list[dict]:
    """One row for each design and network: area of the first placement, median Fmax of all.

    ``speeds``, ``placements``: results of :func:`played` and, for every seed, of :func:`placed`;
    none for a design that was simulated only.
    Ratios are to our machine with one PE on the same network. Without a clock there is no time.
    """
    found = [_row(*one) for one in zip(choices, speeds, placements, strict=True)]
    for row in found:
        one = next(r for r in found if r["neurons"] == row["neurons"] and r["lanes"] == 1)
        for key in ("sop_per_second", "sop_per_second_per_cell"):
            both = row[key] is not None and one[key] is not None
            row[f"relative_{key}"] = row[key] / one[key] if both else None
    return found


def _row(choice: Choice, speed: dict, placements: list[dict]) -> dict:
    first = placements[0] if placements else {"reason": "simulated only"}
    clocks = [one["fmax_mhz"] for one in placements if "fmax_mhz" in one]
    peer = _BY_NAME.get(choice.peer or "")
    row = {
        "design": peer.name if peer else f"Triodia, {choice.lanes} PE{'s'[: choice.lanes - 1]}",
        "version": peer.named(choice.digest or "") if peer else None,
        "lanes": choice.lanes,
        "neurons": choice.neurons,
        "why_not_placed": first.get("reason"),
        "fmax_mhz": clocks,
        "fmax_median": median(clocks) if clocks else None,
        "cycles_per_step": speed["cycles"] / speed["steps"],
        "us_per_sample": None,
        "sop_per_second": None,
        "sop_per_second_per_cell": None,
    }
    row |= speed | {key: first.get(key) for key in _AREA}
    if clocks:
        seconds = speed["cycles"] / (row["fmax_median"] * 1e6)
        row["us_per_sample"] = 1e6 * seconds / speed["samples"]
        row["sop_per_second"] = speed["useful"] / seconds
        row["sop_per_second_per_cell"] = row["sop_per_second"] / row["luts"]
    return row
