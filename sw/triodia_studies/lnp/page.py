"""The study as a short Markdown page and as one self-contained, interactive HTML page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from triodia.lab.report.render import render
from triodia.lab.rows import Column
from triodia_hw.files import write_atomic

from .checks import late_summary
from .figures import charts, picture
from .memory import memory_summary
from .tables import all_tables, counts_of_verdicts

__all__ = ["METHODS", "write_pages"]

_TEMPLATES = Path(__file__).parent.parent / "templates"
_TITLE = "Does Lyapunov noise pruning help?"
METHODS = {
    "lnp": "steps I to IV of docs/lnp.md, without task or data. One pruned network per seed and "
    "level serves every task and training.",
    "random": "uniform in neurons, then in synapses between them.",
    "weight-sampling": "synapses sampled in proportion to |w|, neurons by betweenness.",
    "noise-weights": "the noise rule of Moore & Chaudhuri on W itself, neurons by betweenness.",
    "magnitude": "largest |w|, neurons of largest summed |w|.",
    "activity": "train the dense network on the task, drop the neurons that spike least on "
    "training samples, keep the synapses of largest |w| times rate, train again. It alone sees the "
    "task. Here it gets new inputs as all do, a handicap; a table of its own has it without.",
    "born-sparse": "a new random network of the same counts, gain balanced for its graph.",
    "slow": "ours: neurons of longest time constant, synapses as weight-sampling.",
    "lnp-degree": "ours: neurons to which step I leaves the most synapses, synapses by the noise "
    "rule; time constants stay.",
    "dense": "not pruned.",
    "esn": "leaky-tanh echo state network of as many units and synapses, the best of three recipes "
    "and two or three levels of noise, chosen on the test score, which favours it. Its free runs "
    "end after 12 Lyapunov times, not 6; its synapses carry real numbers, not spikes.",
    "ridge": "recurrent part frozen; the readout is a ridge regression on leaky traces of its "
    "spikes (for series: and on the input).",
    "stdp": "recurrent weights by unsupervised pair-based STDP, then ridge.",
    "bp": "surrogate gradient through time of all weights: 40 epochs on JapaneseVowels, 20 on "
    "digits and watch, others by the task's recipe (docs/training.md).",
    "metrics": "vpt is the valid prediction time of a free run in Lyapunov times (error 0.4); rmse "
    "is one step ahead, in standard deviations; accuracy is on the test set. fashion-mnist is the "
    "first 4,000 and 2,000 images, rows as steps; fashion-mnist-all 60,000 and 10,000.",
}


@dataclass(frozen=True)
class _Table:
    """A table whose cells are text by heading."""

    title: str
    text: str
    rows: Sequence[Mapping[str, str]]

    @property
    def columns(self) -> list[Column]:
        """Every heading of a row, in order of first use."""
        names = dict.fromkeys(name for row in self.rows for name in row)
        return [Column(name, name, name or "verdict") for name in names]


def write_pages(records: list[dict], planned: int, made: dict, page: Path, to: Path) -> dict:
    """Write ``page`` (Markdown, with its picture beside it) and ``to`` (HTML).

    Returns the counts of wins, ties and losses that the tables begin with.
    """
    counts = counts_of_verdicts(records)
    short = [
        ("Wins, ties and losses", _COUNTS, counts),
        ("The delayed sum", _MEMORY, memory_summary(records)),
        ("Trained before pruning", _LATE, late_summary(records)),
    ]
    short = [_Table(*parts) for parts in short if parts[2]]
    tables = [_Table(*parts) for parts in all_tables(records)]
    quick = " --quick" if made["quick"] else ""
    values = {
        "title": _TITLE,
        "answer": answer(records, counts),
        "short": short,
        "methods": METHODS,
        "method": _method(records, planned, made),
        "command": f"triodia-studies study lnp --seeds {made['seeds']}{quick}",
    }
    for path in (page, to):
        path.parent.mkdir(parents=True, exist_ok=True)
    drawing = page.parent / "pictures" / f"{page.stem}.svg"
    drawing.parent.mkdir(exist_ok=True)
    write_atomic(drawing, picture(records).encode())
    names = {"picture": f"pictures/{drawing.name}", "results": f"{page.stem}.json.gz"}
    write_atomic(
        page, render(folder=_TEMPLATES, template="study.md.j2", **values, **names).encode()
    )
    data, tabs = charts(records)
    html = render(
        folder=_TEMPLATES, template="study.html.j2", data=data, tables_of=tables, **values, **tabs
    )
    write_atomic(to, html.encode())
    return {"wins_ties_losses": counts}


def answer(records: list[dict], counts: list[dict[str, str]]) -> list[str]:
    """The finding in five sentences; only what the records support."""
    rivals = [name for name in counts[0] if name in METHODS and name not in ("dense", "activity")]
    said = [tuple(map(int, row[r].split(" / "))) for row in counts for r in rivals]
    wins, ties, losses = (sum(one[k] for one in said) for k in range(3))
    dense = [tuple(map(int, row["dense"].split(" / "))) for row in counts]
    sums = {(row["network"], row["steps"]): row for row in memory_summary(records)}
    text = [
        f"On most tasks it does not matter how synapses are chosen: against {len(rivals)} other "
        f"methods of equal size, LNP ties {ties} of {wins + ties + losses} times, wins {wins} and "
        f"loses {losses}.",
        f"Pruning this hard costs accuracy: against the network before pruning, LNP loses "
        f"{sum(d[2] for d in dense)} of {sum(map(sum, dense))} times.",
    ]
    if row := sums.get(("clustered", "I")):
        text.append(
            "Where recurrent synapses decide, the choice matters: on the delayed sum, with half of "
            f"the synapses kept, LNP reaches {row['lnp']} and is above random choice by "
            f"{_number(row['random'])} points."
        )
        text.append(
            "A simpler rule may do as well there: above the noise rule applied to the weights "
            f"themselves, LNP is by {_number(row['noise-weights'])} points, which is not resolved."
            if row["noise-weights"].startswith("ties")
            else "No simpler rule that was tried does as well there."
        )
    late = {row["method"]: row["trained, pruned, trained on"] for row in late_summary(records)}
    if {"activity", "lnp"} <= late.keys():
        text.append(
            "If the network may be trained first, pruning by activity, which sees the task, "
            f"reaches {late['activity']} there, and LNP {late['lnp']}."
        )
    return text


def _number(difference: str) -> str:
    return difference.split(": ")[-1]


def _method(records: list[dict], planned: int, made: dict) -> list[str]:
    commits = ", ".join(sorted({str(r["commit"]) for r in records}))
    refused = sum("refused" in r for r in records)
    versions = ", ".join(f"{k} {v}" for k, v in made["versions"].items())
    hours = sum(r.get("seconds", 0.0) for r in records) / 3600
    size = "100 neurons" if made["quick"] else "300 neurons and 18,000 synapses (density 0.2)"
    open_end = " The study is not complete." if len(records) < planned else ""
    return [
        f"{len(records):,} results of {planned:,} planned, {refused} of them refused because a "
        f"control could not have so many synapses; {hours:.1f} hours of computing.{open_end}",
        f"The networks pruned have {size}, unless a table says otherwise: a clustered small world "
        "(CHRSNN), five clusters. The delayed sum has other networks and tables of its own.",
        f"Code of commits {commits}; {made['date']}, {made['machine']}; {versions}.",
    ]


_MEMORY = (
    "Trained by backpropagation, half of the synapses kept: accuracy of LNP, and by how many "
    "points LNP is above each method at equal counts."
)
_LATE = (
    "The same task, 20 epochs and 20 more: networks pruned before both, and networks trained, then "
    "pruned, then trained on."
)
_COUNTS = (
    "Wins / ties / losses of LNP against each method, one task counting once. A tie means that the "
    "95 % interval of the paired difference includes 0, not that the methods are equal."
)
