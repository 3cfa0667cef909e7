"""The study as a Markdown page and as one self-contained HTML page."""

import html
import json
from pathlib import Path

from triodia.lab.report.frame import figures as shown
from triodia.lab.report.frame import page as whole_page
from triodia_hw.files import write_atomic

from .checks import late_summary
from .figures import figures, legend
from .memory import memory_summary
from .tables import all_tables, counts_of_verdicts

__all__ = ["write_pages"]

_TITLE = "Does Lyapunov Noise Pruning hold what it claims?"
_METHODS = """
- **lnp**: steps I to IV of docs/lnp.md, without task or data. One pruned network a seed and level
  serves every task and training.
- **random**: uniform in neurons, then in synapses between them.
- **weight-sampling**: synapses sampled in proportion to |w|, neurons by betweenness.
- **noise-weights**: the noise rule of Moore & Chaudhuri on W itself, neurons by betweenness.
- **magnitude**: largest |w|, neurons of largest summed |w|.
- **activity** (AP): train the dense network on the task, drop the neurons that spike least on
  training samples, keep the synapses of largest |w| times rate, train again. It alone sees the
  task. Here it gets new inputs as all do, a handicap; a table of its own has it without.
- **born-sparse**: a new random network of the same counts, gain balanced for its graph.
- **slow** (ours, where shown): neurons of longest time constant, synapses as weight-sampling.
- **lnp-degree** (ours, where shown): neurons to which step I leaves the most synapses, instead of
  those of highest betweenness; synapses by the noise rule; time constants stay.
- **dense**: not pruned.
- **esn**: leaky-tanh echo state network of as many units and synapses, the best of three recipes
  and two or three levels of noise, chosen on the test score, which favours it; its free runs end
  after 12 Lyapunov times, not 6. Its synapses carry real numbers, not spikes.
""".strip()

_TRAINING = """
- **ridge**: recurrent part frozen; the readout is a ridge regression on leaky traces of its
  spikes (for series: and on the input).
- **stdp**: recurrent weights by unsupervised pair-based STDP, then ridge.
- **bp**: surrogate gradient through time of all weights: 40 epochs on JapaneseVowels, 20 on
  digits and watch, others by the task's recipe (docs/training.md).
- `vpt`: valid prediction time of a free run in Lyapunov times (error 0.4); `rmse`: one step
  ahead, in standard deviations; accuracy on the test set. fashion-mnist: the first 4,000 and
  2,000 images, rows as steps; fashion-mnist-all: 60,000 and 10,000.
""".strip()


def write_pages(records: list[dict], planned: int, made: dict, page: Path, to: Path) -> dict:
    """Write ``page`` (Markdown), ``to`` (HTML) and, beside ``page``, all results as JSON.

    Returns the counts of wins, ties and losses that the pages begin with.
    """
    tables, counts = all_tables(records), counts_of_verdicts(records)
    lead = _lead(records, planned, made)
    short = [(_COUNTS, counts), (_MEMORY, memory_summary(records)), (_LATE, late_summary(records))]
    short = [(text, rows) for text, rows in short if rows]
    write_atomic(page, _markdown(lead, short, tables).encode())
    rows = [json.dumps(record, sort_keys=True) for record in records]
    data = f'{{"made": {json.dumps(made)}, "records": [\n' + ",\n".join(rows) + "\n]}\n"
    write_atomic(page.with_suffix(".json"), data.encode())
    to.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(to, _html(lead, short, tables, records).encode())
    return {"wins_ties_losses": counts}


def _lead(records: list[dict], planned: int, made: dict) -> list[str]:
    commits = ", ".join(sorted({str(r["commit"]) for r in records}))
    refused = sum("refused" in r for r in records)
    versions = ", ".join(f"{k} {v}" for k, v in made["versions"].items())
    quick = " --quick" if made["quick"] else ""
    command = f"`triodia study lnp --seeds {made['seeds']}{quick}`"
    open_end = " **The study is not complete.**" if len(records) < planned else ""
    size = "100 neurons" if made["quick"] else "300 neurons and 18,000 synapses (density 0.2)"
    return [
        f"Made by {command} from {len(records):,} results of {planned:,} planned ({refused}"
        f" refused: a control could not have so many synapses); code of commit {commits};"
        f" {made['date']}, {made['machine']}; {versions}.{open_end}",
        f"The networks pruned have {size}, unless a table says otherwise: a clustered small world"
        " (CHRSNN), five clusters. The delayed sum, on which recurrent synapses decide, has other"
        " networks and a table of its own; it is not in the counts that follow.",
    ]


_MEMORY = (
    "The delayed sum, on which recurrent synapses decide, by backpropagation, half of the synapses"
    " kept: accuracy of LNP, and by how many points it is above each at equal counts"
)
_LATE = (
    "The same task, 20 epochs and 20 more: networks pruned before both, and networks trained, then"
    " pruned, then trained on"
)
_COUNTS = (
    "Wins / ties / losses of LNP against each, one task counting once (95 % interval of the paired"
    " difference excludes 0 or not)"
)


def _markdown(lead: list[str], short: list[tuple], tables: list) -> str:
    parts = [f"# {_TITLE}", *lead, "## In short"]
    parts += [part for text, rows in short for part in (text + ":", _rows(rows))]
    parts += ["## What is compared", _METHODS, _TRAINING]
    for title, text, rows in tables:
        parts += [f"## {title}", text, _rows(rows)]
    return "\n\n".join(parts) + "\n"


def _rows(rows: list[dict[str, str]]) -> str:
    names = list(dict.fromkeys(name for row in rows for name in row))
    lines = [names, ["---"] * len(names), *([row.get(n, "–") for n in names] for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _html(lead: list[str], short: list[tuple], tables: list, records: list[dict]) -> str:
    body = [*(f"<p>{_inline(text)}</p>" for text in lead), "<h2>In short</h2>"]
    body += [part for text, rows in short for part in (f"<p>{text}</p>", _html_rows(rows))]
    body += [legend(), shown(figures(records))]
    body += ["<h2>What is compared</h2>"]
    body += [_list(_METHODS), _list(_TRAINING)]
    for name, text, rows in tables:
        body += [f"<h2>{html.escape(name)}</h2><p>{html.escape(text)}</p>", _html_rows(rows)]
    return whole_page(_TITLE, "".join(body))


def _inline(text: str) -> str:
    """Escaped, with `code` and **bold** of the Markdown kept."""
    parts = html.escape(text).split("`")
    text = "".join(f"<code>{p}</code>" if k % 2 else p for k, p in enumerate(parts))
    parts = text.split("**")
    return "".join(f"<b>{p}</b>" if k % 2 else p for k, p in enumerate(parts))


def _list(text: str) -> str:
    items = [item for item in ("- " + " ".join(text.split("\n"))).split(" - ") if item.strip("- ")]
    return "<ul>" + "".join(f"<li>{_inline(i.lstrip('- '))}</li>" for i in items) + "</ul>"


def _html_rows(rows: list[dict[str, str]]) -> str:
    names = list(dict.fromkeys(name for row in rows for name in row))
    head = "".join(f"<th>{html.escape(name)}</th>" for name in names)
    body = "".join(
        "<tr>" + "".join(f"<td>{html.escape(row.get(n, '–'))}</td>" for n in names) + "</tr>"
        for row in rows
    )
    return f"<div class=scroll><table><tr>{head}</tr>{body}</table></div>"
