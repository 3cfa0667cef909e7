"""Mutants of what is around the machine: ``python -m tests.sim.mutants_around -o out/mutants``.

100 of the link, 60 of the serial port, 40 to 70 of each bus wrapper, each kind in a folder of its
own below the output; goes on where it stopped.
"""

import argparse
from pathlib import Path

from tests.sim.mutant_set import show
from tests.sim.mutants_bus import BUSES, BusMutants
from tests.sim.mutants_link import LinkMutants, SerialMutants

COUNTS = {"link": 100, "serial": 60, "axi-stream": 40, "axi-lite": 70, "wishbone": 50}


def mutants_of(unit, folder, count, seed):
    """A set of mutants of a unit in :data:`COUNTS`."""
    if unit in BUSES:
        return BusMutants(folder, unit, count, seed)
    return {"link": LinkMutants, "serial": SerialMutants}[unit](folder, count, seed)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--units", nargs="+", choices=COUNTS, default=list(COUNTS))
    parser.add_argument("-o", "--output", type=Path, default=Path("out/mutants"))
    options = parser.parse_args()
    sets = []
    for unit in options.units:
        mutants = mutants_of(unit, options.output / unit, COUNTS[unit], options.seed)
        mutants.compile()
        assert not mutants.run(0), f"{unit} itself"
        mutants.judge_all()
        sets.append(mutants)
    for mutants in sets:
        mutants.prove_left()
        show(mutants.results)


if __name__ == "__main__":
    main()
