"""Generic mutants of the exported Verilog, by Yosys' `mutate`, and what the bench says of each.

``python -m tests.sim.mutants --count 400 --seed 1 -o out/mutants`` makes mutants, compiles all of
them into one program (an input selects the fault), runs `cosim`'s bench on each, then harder
benches on what survives. Survivors are checked for equivalence. ``results.json`` in the folder
keeps every verdict, so a second call goes on where the first one stopped. ``--adaptive`` plants
all faults in the update of a machine whose neurons adapt.
"""

import argparse
from pathlib import Path

import numpy as np

from tests.sim.equivalence import Prover
from tests.sim.mutant_set import MutantSet, show, started
from tests.sim.sequential import ReachabilityProver
from tests.support.networks import random_events, random_image
from triodia_hw.export.memories import memory_modules
from triodia_hw.export.rtlil import TOP
from triodia_hw.export.verilog import export_verilog
from triodia_sim.exercise import exercise
from triodia_sim.native import play, samples
from triodia_sim.native_build import compile_native, default_cache

__all__ = ["Mutants"]

MACHINE = {
    "lanes": 2,
    "neurons": 40,
    "readouts": 12,
    "inputs": 20,
    "density": 0.4,
    "synaptic": True,
    "bias_bits": 5,
    "refractory_bits": 2,
    "reset": "value",
    "state_bits": 10,
    "payload_bits": 6,
    "fraction_bits": 3,
    "leak_bits": 4,
    "weight_bits": 4,
    "storage": {"gap_bits": 1, "rows_per_pointer": 2},
}
WRAP = 0x7FFFFE00  # first value of counters in a second program, so that all bits change
PREPARE = [
    f"read_verilog -DSYNTHESIS {TOP}.v",
    f"blackbox {TOP}_ram {TOP}_queue_ram",
    f"hierarchy -top {TOP}",
    "proc",
    "flatten",
    "splitcells",  # register bits that nothing reads: a mutant of one could not be seen
    "wreduce",
    "opt_clean -purge",
]


UPDATE = "c:*update*"  # cells of the unit that steps neurons


def networks(count, **more):
    """Images of the same machine: the first is its own, the others have other contents."""
    first = random_image(11, **MACHINE | more)
    kinds = (crowded, other, drifting, bursting, chained)
    return [first, *(kinds[seed % 5](first, seed) for seed in range(1, count))]


def crowded(image, seed):
    """``image`` with one or two heavy synapses in each row, all of them to four neurons.

    Synapses of one target follow each other closely, and sums are large.
    """
    rng, p = np.random.default_rng(seed), image.params
    chosen = rng.choice(p.neurons, 4, replace=False)
    targets = [
        np.sort(rng.choice(chosen, rng.integers(1, 3), replace=False))
        for _ in range(p.inputs + p.neurons)
    ]
    return heavy(image, targets, rng)


def chained(image, seed):
    """``image`` with one synapse in each row and PE, to slots that differ in one bit mostly.

    A PE adds without a pause, to sums that are one to five cycles apart, or nearly the same.
    """
    rng, p = np.random.default_rng(seed), image.params
    near = [s for s in (0, 1, 0, 1, 2, 3, 4, 8, 16) if s < p.slots]
    of_slot = dict(zip(image.slot.tolist(), range(p.neurons), strict=True))
    targets = []
    for _ in range(p.inputs + p.neurons):
        slots = (lane * p.slots + int(rng.choice(near)) for lane in range(p.lanes))
        targets.append(np.sort([of_slot[slot] for slot in slots if slot in of_slot]))
    return heavy(image, targets, rng)


def heavy(image, targets, rng):
    """``image`` with synapses to ``targets`` alone, by source, as heavy as sums allow."""
    p = image.params
    chosen, target = np.unique(np.concatenate(targets)), np.concatenate(targets)
    row_start = np.concatenate([[0], np.cumsum([len(row) for row in targets])])
    source = np.repeat(np.arange(len(targets)), np.diff(row_start))
    reach = np.where(source < p.inputs, p.greatest_payload, p.one)
    weight = np.zeros(target.size, np.int64)
    most = (1 << (p.accumulator_bits - 1)) - 1
    for neuron in chosen:
        mine = np.flatnonzero(target == neuron)
        greatest = np.minimum(most // reach[mine].sum(), (1 << (p.weight_bits - 1)) - 1)
        weight[mine] = rng.choice([-1, 1], mine.size) * max(1, int(greatest))
    readout = np.isin(np.arange(p.neurons), chosen)  # the others fire by their bias
    values = vars(image.neurons) | {"readout": readout, "spiking": ~readout}
    values |= {"threshold": rng.integers(1, 40, p.neurons), "bias": rng.integers(0, 16, p.neurons)}
    new = {"weight": weight, "target": target, "row_start": row_start}
    return type(image)(**(vars(image) | new | {"neurons": type(image.neurons)(**values)}))


def other(image, seed):
    """``image`` with other weights, thresholds and leaks; its synapses stay where they are."""
    rng, n, p = np.random.default_rng(seed), image.neurons, image.params
    limit = 1 << (p.weight_bits - 1)
    weight = rng.integers(1, limit, image.weight.size)
    weight *= rng.choice([-1, 1] if seed % 2 else [1], weight.size)
    weight = np.minimum(np.abs(weight), np.abs(image.weight)) * np.sign(weight)  # the sums fit
    values = vars(n) | {
        "threshold": rng.integers(1, 60 if seed % 2 else 400, p.neurons),
        "beta": rng.integers(0, (1 << p.leak_bits) + 1, p.neurons),
        "alpha": rng.integers(0, (1 << p.leak_bits) + 1, p.neurons),
        "bias": rng.integers(-16, 16, p.neurons),
    }
    return type(image)(**(vars(image) | {"weight": weight, "neurons": type(n)(**values)}))


def drifting(image, seed):
    """``image`` without leaks, of light weights: potentials creep to the ends of their range."""
    rng, p = np.random.default_rng(seed), image.params
    full = np.full(p.neurons, 1 << p.leak_bits)
    values = vars(image.neurons) | {"alpha": full, "beta": full}
    values |= {"threshold": np.full(p.neurons, p.state_range[1])}
    if p.adaptive:  # thresholds creep up with every spike, and down slowly
        values |= {"threshold": rng.integers(1, 9, p.neurons), "rho": full - seed % 2}
        values |= {"jump": rng.integers(1, p.state_range[1] // 2, p.neurons)}
    values |= {
        "bias": rng.integers(-1, 2, p.neurons),
        "reset_value": rng.integers(-9, 9, p.neurons),
    }
    weight = np.where(rng.random(image.weight.size) < 0.8, 1, -1) * rng.choice([-1, 1])
    return type(image)(
        **(vars(image) | {"weight": weight, "neurons": type(image.neurons)(**values)})
    )


def bursting(image, seed):
    """``image`` whose neurons all fire in every step, readouts aside: records pile up."""
    rng, p = np.random.default_rng(seed), image.params
    values = vars(image.neurons) | {"threshold": rng.integers(1, 5, p.neurons)}
    values |= {"bias": np.full(p.neurons, 15), "refractory": np.zeros(p.neurons, np.int64)}
    values["alpha"] = np.zeros(p.neurons, np.int64)
    weight = np.where(rng.random(image.weight.size) < 0.9, 1, -1)
    return type(image)(
        **(vars(image) | {"weight": weight, "neurons": type(image.neurons)(**values)})
    )


class Mutants(MutantSet):
    """Mutants of one machine; ``lines[k]`` makes mutant ``k + 1``; 0 is none.

    ``adaptive``: only of the update of a machine whose neurons adapt.
    """

    def __init__(self, folder, count, seed, *, adaptive=False):
        self.images, self.provers = networks(11, adaptive=adaptive), None
        folder.mkdir(parents=True, exist_ok=True)
        export_verilog(self.images[0], folder)
        super().__init__(folder, PREPARE, count, seed, UPDATE if adaptive else "")

    def compile(self, cache=None):
        """One program of all mutants, and one whose counters start shortly before they wrap."""
        self.program = self._compile("flat", 0, cache or default_cache())
        flat = (self.folder / "flat.il").read_text()
        (self.folder / "wrap.il").write_text(started(flat, WRAP))
        self.wrapping = self._compile("wrap", WRAP, cache or default_cache())

    def _compile(self, name, start, cache):
        self.write_all(name)
        text = "\n".join([(self.folder / f"{name}.v").read_text(), *memory_modules(TOP, None)])
        text = f'`define TRIODIA_HEX_FOLDER "./"\n{text}'
        how = {"peek": False, "mutants": self.bits, "start": start}
        return compile_native(text, TOP, self.images[0].params, cache, **how)

    def run(self, mutant, number, seed, steps=(6, 1, 9), stall=(0.0, 0.0), wrap=False):
        """What the bench finds first, or None, with network ``number``: samples, exercise."""
        image, folder = (
            self.images[number],
            self.folder / f"network-{self.images[number].digest()[:12]}",
        )
        if not folder.exists():
            export_verilog(image, folder)
        sequences = [random_events(image, count, seed + count) for count in steps]

        def actions():
            if wrap:
                yield ("counters",)
            yield "pace", *stall
            yield from samples(sequences)
            yield ("samples over",)
            yield "pace", 0.0, 0.0
            yield from exercise(image, seed, longest=5000 if number != 1 else 0xFFFF)

        program, start = (self.wrapping, WRAP) if wrap else (self.program, 0)
        how = {"seed": seed, "limit": 1_000_000, "start": start, "mutant": mutant}
        replay = play(program, image, actions(), folder, **how)
        result = replay.result(sequences, exact=not wrap and not any(stall))
        return result.first

    def judge(self, mutant):
        """``{"by": bench, "part": ..., "word": ...}``, or by "" for one that survives."""
        first = self.run(mutant, 0, 0)
        if first:
            return {"by": "cosim", "part": first.part or "samples", "word": first.word}
        for seed in range(1, len(self.images)):
            stall = (0.0, 0.0) if seed % 2 else (0.3, 0.3)
            wrap = seed in (2, 3)
            first = self.run(mutant, seed, seed, steps=(150, 1, 40), stall=stall, wrap=wrap)
            if first:
                return {"by": "more networks", "part": first.part or "samples", "word": first.word}
        return {"by": self.proof(mutant)}

    def proof(self, mutant):
        """Name of the proof that a mutant is the machine, or ""."""
        if self.provers is None:
            flat, folder = self.folder / "flat.il", self.folder / "proofs"
            p = self.images[0].params
            how = {"lanes": p.lanes, "state_bits": p.state_bits}
            self.provers = Prover(flat, folder), ReachabilityProver(flat, folder / "reach", **how)
        if self.provers[0].equivalent(self.lines[mutant - 1]):
            return "proof: local"
        name = self.provers[1].equivalent(self.lines[mutant - 1])
        return name and f"proof: {name}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=400)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--adaptive", action="store_true")
    parser.add_argument("-o", "--output", type=Path, default=Path("out/mutants"))
    options = parser.parse_args()
    mutants = Mutants(options.output, options.count, options.seed, adaptive=options.adaptive)
    mutants.compile()
    assert mutants.run(0, 0, 0) is None, "the machine itself"
    mutants.judge_all()
    show(mutants.results)


if __name__ == "__main__":
    main()
