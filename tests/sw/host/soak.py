"""Soak a small machine: ``python -m tests.sw.host.soak --steps 10000000``."""

import argparse
import json
import tempfile
from dataclasses import replace
from pathlib import Path

from tests.support.networks import random_image
from triodia.host.soak import Soak
from triodia_boards.catalog import BOARDS
from triodia_boards.virtual_source import top_source
from triodia_hw.compile.retarget import fit_capacity
from triodia_sim.virtual_board import BoardPins, VirtualBoard, compile_board

BAUD = 25_000_000  # 4 clock cycles a bit

__all__ = ["networks"]


def networks():
    """Four networks of 8 to 14 neurons, two of them with a readout, for one machine of 2 lanes."""
    case = {"inputs": 3, "synaptic": True, "refractory_bits": 2, "density": 0.3, "lanes": 2}
    images = [random_image(s, neurons=8 + 2 * s, readouts=s % 2, **case) for s in range(4)]
    wide = max(image.params.accumulator_bits for image in images)
    capacity = replace(images[-1].params, accumulator_bits=wide, synapse_words=200)
    return [fit_capacity(image, capacity) for image in images]


def main():
    """Print a line of JSON per burst and at the end; exit with 1 if anything was wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=10_000_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    images = networks()
    rtlil, pins, divisor = top_source(images[0].params, BOARDS["ulx3s-25f"], baud=BAUD)
    with tempfile.TemporaryDirectory(prefix="triodia-soak-") as folder:
        program = compile_board(rtlil, BoardPins(**pins), Path(folder))
        soak = Soak(
            images,
            lambda seed: VirtualBoard(program, divisor, seed=seed),
            seed=options.seed,
            baud=BAUD,
        )
        report = soak.run(options.steps, lambda r: print(json.dumps(vars(r)), flush=True))
    print(json.dumps(soak.as_dict()))
    return int(bool(report.wrong or report.failures))


if __name__ == "__main__":
    raise SystemExit(main())
