"""Generic mutants of a design by Yosys' `mutate`: a list, all in one netlist, verdicts kept."""

import json
import re
from abc import ABC, abstractmethod
from collections import Counter

from triodia_hw.export.yosys import run_yosys
from triodia_hw.files import write_atomic

__all__ = ["MutantSet", "show", "started", "table", "unit_of"]


def unit_of(line, alone="core"):
    """The unit of the machine that a mutation is in: the last submodule in the cell's name."""
    cell = re.search(r"-cell (\S+)", line)[1]
    parts = [part.strip("\\.") for part in re.findall(r"\\[A-Za-z]\w*\.?", cell)]
    parts = [re.sub(r"_\d+$", "", part) for part in parts]
    known = [part for part in parts if part not in ("mem", "core", "lane")]
    return known[-1] if known else ("lane" if "lane" in parts else alone)


def table(results):
    """Verdicts of each unit, counted."""
    rows = {}
    for verdict in results.values():
        rows.setdefault(verdict["unit"], Counter())[verdict["by"] or "survives"] += 1
    return rows


def show(results):
    """Print the verdicts by unit, and what is left."""
    for unit, row in sorted(table(results).items()):
        print(unit, dict(row))
    for line, verdict in results.items():
        if not verdict["by"]:
            print(line)


def started(flat, value):
    """RTLIL of a flattened machine whose counters show ``value`` after reset."""
    reset = r"(cell \$mux \$flatten\\core\.\\counters\.\$procmux\$\d+\[{}\]\n.*?B 16')0{{16}}"
    for part, half in (("31:16", value >> 16), ("15:0", value & 0xFFFF)):
        flat, count = re.subn(reset.format(part), rf"\g<1>{half:016b}", flat, flags=re.S)
        assert count == 5, count
    return flat


class MutantSet(ABC):
    """Mutants of a design in ``folder``; ``lines[k]`` makes mutant ``k + 1``; 0 is none.

    ``results.json`` in the folder keeps every verdict, so a second call goes on from there.
    """

    alone = "core"  # unit of what is in no submodule

    def __init__(self, folder, prepare, count, seed, cells=""):
        """``prepare``: commands that make the flattened design; ``cells``: which may change."""
        self.folder = folder.resolve()
        script = [*prepare, "write_rtlil flat.il"]
        script += [f"mutate -list {count} -seed {seed} -o list.txt {cells}"]
        run_yosys(script, self.folder, "list")
        self.lines = (self.folder / "list.txt").read_text().splitlines()
        self.bits = len(self.lines).bit_length()
        self.file, self.results = self.folder / "results.json", {}
        if self.file.exists():
            self.results = json.loads(self.file.read_text())

    def write_all(self, name):
        """Write ``name``.v, all mutants of ``name``.il in one; the input `mutant` selects one."""
        control = f"mutate -ctrl mutant {self.bits} "
        changes = [
            line.replace("mutate ", f"{control}{k} ", 1) for k, line in enumerate(self.lines, 1)
        ]
        script = [f"read_rtlil {name}.il", *changes, "opt_clean", f"write_verilog -noattr {name}.v"]
        run_yosys(script, self.folder, name)

    @abstractmethod
    def judge(self, mutant):
        """``{"by": bench or proof, ...}``, or by "" for a mutant that survives."""

    def judge_all(self):
        """Judge what has no verdict yet; keeps results as it goes."""
        for k, line in enumerate(self.lines, 1):
            if not self.results.get(line, {}).get("by"):
                self.results[line] = {"unit": unit_of(line, self.alone)} | self.judge(k)
                self.save()

    def save(self):
        """Keep what is known so far."""
        write_atomic(self.file, json.dumps(self.results, indent=0).encode())
