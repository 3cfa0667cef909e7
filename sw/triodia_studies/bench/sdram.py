"""Synapses outside the chip: words a cycle from an SDRAM, by the exact cycle model.

``python -m triodia_studies.bench.sdram`` prints a row for each network, as JSON; ``--verilog`` also
plays the largest one on the exported machine, compiled.
"""

import json
import sys
import time
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from triodia.network.random import new_network
from triodia.nn import with_inputs
from triodia.prune.pipeline import prune
from triodia.quantize.quantize import QuantizeOptions, quantize
from triodia_hw.compile.options import SDRAM_AT_100_MHZ
from triodia_hw.cost.cycles import planned_cycles
from triodia_hw.cost.sdram import SdramTimeline
from triodia_hw.machine.image import Image
from triodia_sim.native import cosimulate_native

__all__ = ["CASES", "image_of", "measured", "verified"]

# neurons, share of the recurrent synapses that is kept, how they are chosen
CASES = (
    (1000, 0.05, "magnitude"),
    (1000, 0.1, "magnitude"),
    (1000, 0.1, "random"),
    (1000, 1.0, "none"),
    (2048, 0.02, "random"),
    (2048, 0.1, "magnitude"),
    (4096, 0.01, "magnitude"),
    (4096, 0.06, "magnitude"),
    (4096, 0.06, "random"),
)
_INPUTS, _READOUTS, _RATE = 20, 4, 0.05
_STEPS = 40


def image_of(neurons: int, kept: float, method: str, seed: int = 0) -> Image:
    """A pruned network in integers, its synapses in an SDRAM."""
    net = new_network(neurons, seed)
    if method != "none":
        net, _ = prune(net, method=method, synapses=kept, steps=("I",), seed=seed)
    samples = np.random.default_rng(seed).normal(size=(1, 50, _INPUTS)).astype(np.float32)
    net = with_inputs(net, samples, _READOUTS)
    net = replace(net, bias=np.zeros(neurons))
    return quantize(net, None, QuantizeOptions(lanes=1, external=True))


def measured(image: Image, rate: float = _RATE, seed: int = 0) -> dict[str, float]:
    """Words and synapses a cycle while ``rate`` of the neurons fire in each step, at 100 MHz.

    Over a whole run, from the first cycle in which the memory serves to the last end. ``refresh``:
    the share of the cycles that would not be there without refreshes.
    """
    p, rng = image.params, np.random.default_rng(seed)
    fired = (rng.random((_STEPS, p.neurons)) < rate) & image.neurons.spiking
    events = [[(channel, 1) for channel in range(p.inputs)]] * _STEPS
    cycles, without = (
        int(planned_cycles(image, events, fired, timing)[-1] - SdramTimeline(timing).ready)
        for timing in (SDRAM_AT_100_MHZ, replace(SDRAM_AT_100_MHZ, refresh_every=0))
    )
    times = np.concatenate([np.full(p.inputs, _STEPS), fired[:-1].sum(axis=0)])
    words = int(times @ image.segment_words()[:, 0])
    operations = int(times @ np.diff(image.row_start))
    return {
        "neurons": p.neurons,
        "synapses": image.synapses,
        "words_per_row": round(float(image.segment_words()[p.inputs :].mean()), 1),
        "us_per_step": round(cycles / _STEPS / 100, 1),
        "words_per_cycle": round(words / cycles, 3),
        "synapses_per_cycle": round(operations / cycles, 3),
        "refresh": round(1 - without / cycles, 4),
    }


def verified(image: Image, folder: Path, steps: int = 6) -> dict[str, object]:
    """Some steps on the exported machine beside the memory's model; words and cycles compared."""
    rng, limit = np.random.default_rng(1), image.params.greatest_payload
    payloads = rng.integers(-limit, limit, (steps, image.params.inputs)).tolist()
    sequence = [[(c, value) for c, value in enumerate(row) if value] for row in payloads]
    start = time.monotonic()
    result = cosimulate_native(image, [sequence], folder, more=False)
    return {
        "verilog_words": result.words,
        "differ": result.mismatches,
        "operations": result.counters["operations"],
        "cycles": result.cycles,
        "seconds": round(time.monotonic() - start, 1),
    }


def main() -> None:
    """Print a row for each network."""
    for case in CASES:
        start = time.process_time()
        image = image_of(*case)
        row = {"method": case[2], "kept": case[1]} | measured(image)
        print(json.dumps(row | {"cpu_s": round(time.process_time() - start, 1)}), flush=True)
    if "--verilog" in sys.argv[1:]:
        with TemporaryDirectory() as folder:
            print(json.dumps(verified(image, Path(folder))))


if __name__ == "__main__":
    main()
