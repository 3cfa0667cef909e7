"""Sections of a comparison's page: recorded samples, baselines, energy."""

from collections.abc import Mapping, Sequence

from triodia_hw.cost.energy import Work, ratio_range

from . import pictures
from .frame import figures, table

__all__ = ["baselines", "energy", "samples"]


def samples(rows: Sequence[Mapping], varies: Mapping[str, str]) -> str:
    """A sample of the sparsest recorded row as hardware and reference have it; what lies behind."""
    done = [row for row in rows if row.get("traced")]
    if not done:
        return ""
    row = min(done, key=lambda row: row["synapses"])
    first = row["traced"]
    wide = [pictures.raster(first), pictures.readouts(first), pictures.waveform(first["step"])]
    small = [
        pictures.spectrum(row["spectra"]),
        pictures.loads(done, _labels(done, varies)),
        pictures.memory(rows, _labels(rows, varies)),
    ]
    named = ", ".join(f"{text} {row[name]}" for name, text in varies.items()) or "the row"
    return (
        f"<h2>A sample in simulation</h2><p>Of {named}: the first of the test samples, in the "
        "exported Verilog with all signals recorded. Dots lie in rings, and on lines, where "
        f"hardware and reference agree; here {first['mismatches']} words differ. The waveform is "
        "of the step in the middle of it: while PEs sweep the neurons of a step, the inputs of the "
        "next one already come. The spectra are of the recurrent part alone, driven by noise.</p>"
        f"{figures(wide, wide=True)}{figures(small)}"
    )


def _labels(rows: Sequence[Mapping], varies: Mapping[str, str]) -> list[str]:
    """What tells each row from the others; what they keep if there is one only."""
    return [", ".join(str(row[name]) for name in varies or ("synapses_kept",)) for row in rows]


def baselines(data: Mapping, varies: Mapping[str, str]) -> str:
    """The dense designs and software, in the same run."""
    rows = data["rows"]
    dense = {_machine(row): row for row in rows if row.get("dense")}
    if not dense:
        return ""
    lines = [
        {**row, "design": "event-driven", "over": _over(row, dense)}
        for row in rows
        if _machine(row) in dense
    ]
    lines += [_dense_line(row) for row in dense.values()]
    headings = {"design": "design", **varies, "synapses_stored": "weights stored"}
    headings |= {"cycles_per_sample": "cycles a sample", "over": "times fewer than dense"}
    headings |= {"blocks": "block RAMs", "luts": "logic cells", "fmax_mhz": "Fmax, MHz"}
    headings |= {"us_per_sample": "µs a sample at Fmax"}
    parts = [row["dense"] for row in dense.values()]
    words, wrong = (sum(part[key] for part in parts) for key in ("words", "mismatches"))
    apart = max(part["model_minus_rtl"] for part in parts)
    text = (
        "<h2>Against a dense design, and software</h2><p>The dense design is generated from the "
        "same network: as many PEs, the same arithmetic, every weight stored and visited in every "
        f"step, whatever is silent. Its Verilog ran too: {wrong} of {words:,} words differed from "
        f"the reference, and its cycle model from its counter by {apart}. Its area is without "
        "link, loader and PLL, in a frame of shift registers; event-driven rows are whole designs "
        "for their board.</p>"
    )
    return text + table(lines, headings) + _software(data, varies)


def _machine(row: Mapping) -> tuple:
    """What rows of the same dense design have in common."""
    names = ("task", "neurons_dense", "nodes_kept", "lanes", "weight_bits")
    return tuple(row[name] for name in names)


def _over(row: Mapping, dense: Mapping[tuple, Mapping]) -> float:
    return dense[_machine(row)]["dense"]["cycles_per_sample"] / row["cycles_per_sample"]


def _dense_line(row: Mapping) -> dict:
    part = row["dense"]
    line = {**row, **part, "design": "dense, time-stepped", "over": 1.0}
    line |= {"synapses_stored": part["weights_stored"], "synapses_kept": None, "seed": None}
    line |= {"blocks": part.get("blocks"), "luts": part.get("luts"), "us_per_sample": None}
    if fmax := part.get("fmax_mhz"):
        line["us_per_sample"] = part["cycles_per_sample"] / fmax
    return line | {"fmax_mhz": fmax}


def _software(data: Mapping, varies: Mapping[str, str]) -> str:
    if not data["software"]:
        return ""
    headings = varies | {"name": "software", "us_per_sample": "µs a sample"}
    headings |= {"spikes_per_sample": "spikes a sample"}
    return (
        "<p>In software, on this machine: one thread, one sample at a time, the median of five "
        "rounds. Equal numbers of spikes are not expected of floats, similar ones are.</p>"
        + table(data["software"], headings)
    )


def energy(rows: Sequence[Mapping], varies: Mapping[str, str]) -> str:
    """Counts of work, and what is known of energy ratios without any price."""
    done = [row for row in rows if row.get("traced")]
    if not done:
        return ""
    base = max(done, key=lambda row: row["synapses"])["traced"]
    lines = [{**row, "design": "event-driven", **_energy(row["traced"], base)} for row in done]
    for row in rows:
        if row.get("dense"):
            lines.append(
                {**_dense_line(row), "sops_per_sample": None} | _energy(row["dense"], base)
            )
    headings = {"design": "design", **varies, "sops_per_sample": "SOPs"}
    headings |= {"memory_bits": "memory bits moved", "product_bits": "bits multiplied"}
    headings |= {
        "register_toggles": "register bits toggled",
        "clocked_bits": "register bits clocked",
    }
    headings |= {
        "energy_nj": "nJ, roughly",
        "ratio": "ratio to densest",
        "range": "whatever the prices",
    }
    return (
        "<h2>Energy</h2><p>Counts a sample: words of memory by the model, exact; register toggles "
        "from simulation of one sample, between clock edges, without what logic and glitches add. "
        "No power of spiking networks on such FPGAs is published, and none was measured here. "
        "nJ take prices of 45 nm silicon (Horowitz, ISSCC 2014; logic times 14, Kuon and Rose "
        "2007), without static power: good for an order of magnitude. Whatever the prices are, the "
        "ratio lies in the range of the last column, that of the ratios of counts.</p>"
        + table(lines, headings)
    )


def _energy(part: Mapping, base: Mapping) -> dict:
    work, densest = Work(**part["work"]), Work(**base["work"])
    least, greatest = ratio_range(work, densest)
    counts = {name: float(f"{count:.3g}") for name, count in part["work"].items()}
    ratio = {"ratio": part["energy_nj"] / base["energy_nj"], "range": f"{least:.2f}–{greatest:.2f}"}
    return counts | ratio | {"energy_nj": float(f"{part['energy_nj']:.2g}")}
