"""Energy: exact counts of work, and an estimate of their price.

Counts follow from the image, the inputs and the machine's structure; register toggles come from
simulation. Prices are estimates, because no power figure is known for spiking networks on these
FPGAs. Rely on ratios: whatever the prices, the ratio of two designs lies between the least and
greatest ratio of their counts (:func:`ratio_range`).
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np

from ..compile.contents import memory_shapes, wheel_shapes
from ..compile.dense import Dense
from ..machine.image import Image
from ..machine.neuron import NEURON
from ..machine.params import MachineParams
from ..machine.reference import Event
from .bound import work_of

__all__ = ["PRICES", "Work", "dense_work", "estimate", "event_work", "ratio_range"]

# pJ each, 45 nm, 0.9 V: M. Horowitz, "Computing's energy problem", ISSCC 2014. An 8 KiB memory
# takes 10 pJ for 64 bits, an 8-bit product 0.2, an 8-bit sum 0.03. A register bit that changes
# counts as a bit of that sum, half of whose bits change, times 14: what logic in an FPGA takes more
# than an ASIC (I. Kuon, J. Rose, IEEE TCAD 26(2), 2007). A clocked bit is guessed as a tenth of it.
PRICES = {
    "memory_bits": 10 / 64,
    "product_bits": 0.2 / 64,
    "register_toggles": 14 * 0.03 / 4,
    "clocked_bits": 14 * 0.03 / 40,
}


@dataclass(frozen=True)
class Work:
    """Mean counts per sample.

    memory_bits : bits read or written on purpose. Block RAM also reads in idle cycles; that share
        is part of ``clocked_bits``.
    product_bits : bits of one factor times bits of the other, over all products.
    register_toggles : register bits that changed, ``nan`` where nothing was simulated.
    clocked_bits : register bits times clock cycles.
    """

    memory_bits: float
    product_bits: float
    register_toggles: float
    clocked_bits: float


def event_work(
    image: Image, sequences: Sequence[list[list[Event]]], registers: dict, cycles: float
) -> Work:
    """Work of the event-driven machine, which takes ``cycles`` per sample.

    ``registers``: register_bits and, from a simulation of ``cycles`` too, toggles.
    """
    p, steps = image.params, work_of(image, list(sequences))
    width = {shape.name: shape.width for shape in memory_shapes(p)}
    events = sum(step.events for step in steps)
    words = sum(float(step.loads.sum()) for step in steps)
    swept = len(steps) * p.lanes * p.slots
    walked = width["pointers"] * p.lanes * events + width["synapses"] * words
    walked += _kept(p, events, len(steps))
    sums = 2 * width["sums_0"] * (words + swept)  # read and written, or read and cleared
    bits = walked + sums + swept * (width["neurons"] + 2 * width["state"])
    product = words * p.weight_bits * _payload(p) + swept * _update(p)
    return _work(bits, product, len(sequences), registers, cycles)


def _kept(p: MachineParams, events: int, steps: int) -> int:
    """Bits that the wheel moves: it writes each new event and reads each delayed one."""
    width = {shape.name: shape.width for shape in wheel_shapes(p)}
    if not width:
        return 0
    return width["wheel"] * events + width["lists"] * steps * len(p.waits)


def dense_work(
    dense: Dense, sequences: Sequence[list[list[Event]]], registers: dict, cycles: float
) -> Work:
    """Work of the dense machine, whose sums are registers."""
    p = dense.image.params
    width = {shape.name: shape.width for shape in memory_shapes(p)}
    steps = sum(len(sequence) for sequence in sequences)
    visits, swept = steps * p.lanes * dense.weight_words, steps * p.lanes * p.slots
    shared = steps * dense.weight_words * max(p.payload_bits, p.lanes)  # inputs and spikes
    bits = visits * p.weight_bits + shared + swept * (width["neurons"] + 2 * width["state"])
    product = visits * p.weight_bits * _payload(p) + swept * _update(p)
    return _work(bits, product, len(sequences), registers, cycles)


def _work(bits: float, product: float, samples: int, registers: dict, cycles: float) -> Work:
    count = registers["register_bits"]
    return Work(
        memory_bits=bits / samples,
        product_bits=product / samples,
        register_toggles=registers.get("toggles_per_cycle", np.nan) * cycles,
        clocked_bits=count * cycles,
    )


def _payload(p: MachineParams) -> int:
    return max(p.payload_bits, p.fraction_bits + 2) if p.graded else 1


def _update(p: MachineParams) -> int:
    """Bits of the leak's products in a neuron's update."""
    return p.state_bits * (p.leak_bits + 1) * NEURON.multipliers(p)


def estimate(work: Work) -> float:
    """Dynamic energy per sample in nJ at :data:`PRICES`, good to an order of magnitude."""
    return sum(PRICES[name] * count for name, count in asdict(work).items()) / 1000


def ratio_range(work: Work, base: Work) -> tuple[float, float]:
    """Least and greatest ratio of the counts; at any prices the energy ratio lies between."""
    ratios = [getattr(work, name) / getattr(base, name) for name in PRICES]
    return min(ratios), max(ratios)
