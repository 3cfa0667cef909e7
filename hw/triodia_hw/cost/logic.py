"""Look-up tables and flip-flops that a machine and its link take, foretold from its parameters.

The model is linear in :func:`features`, and its coefficients are fitted to synthesised machines:
``triodia-studies run logic --seeds 24`` makes ``logic.json`` anew. None of those machines adapts or
has delays. What adaptation and the wheel of events take is added: linear in :func:`more_features`,
fitted to pairs of ECP5 machines with and without (``python -m triodia_studies.more_logic``), and
taken for every family.
"""

import json
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files

from ..compile.contents import memory_shapes
from ..compile.options import DEFAULT, QUEUES, Options
from ..machine.params import MachineParams
from ..machine.words import input_fields, neuron_fields, output_fields, width_of
from .resources import block_rams, blocks_by_memory, multipliers, queue_widths

__all__ = ["Logic", "features", "logic", "more_features"]

_CELL = 16  # words of the smallest memory in look-up tables


@dataclass(frozen=True)
class Logic:
    """Logic of a machine with its link and serial port, as place-and-route counts it.

    ``luts`` : look-up tables (Lattice iCE40: logic cells, which hold the flip-flops too).
    ``registers`` : flip-flops. ``error`` : greatest relative error of each, by name, on designs
    that the fit did not see.
    """

    luts: int
    registers: int
    error: dict[str, float]


def logic(p: MachineParams, options: Options = DEFAULT) -> Logic:
    """Logic of a machine of ``p`` built with ``options``, its link included."""
    model, plain = _models()[options.family], replace(p, delays=(), adaptive=False)
    known, more = features(plain, options), more_features(p, options)
    luts, registers = (
        round(
            sum(model[kind][name] * value for name, value in known.items())
            + sum(_more()[kind][name] * value for name, value in more.items())
        )
        for kind in ("luts", "registers")
    )
    return Logic(luts, registers, model["error"])


@cache
def _models() -> dict:
    return json.loads((files(__package__) / "logic.json").read_text())


@cache
def _more() -> dict:
    return json.loads((files(__package__) / "more_logic.json").read_text())


def more_features(p: MachineParams, options: Options = DEFAULT) -> dict[str, float]:
    """What the logic of adaptation and delays grows with, by name; empty without both."""
    found: dict[str, float] = {}
    if p.adaptive:
        found |= {"adapting lanes": p.lanes, "adapting state": p.lanes * p.state_bits}
    if p.delays:
        blocks = blocks_by_memory(p, options)
        held = sum(blocks.get(name, 0) for name in ("wheel", "lists", "replays"))
        found |= {"wheel": 1.0, "delays": len(p.delays), "wheel blocks": held}
    return found


def features(p: MachineParams, options: Options = DEFAULT) -> dict[str, float]:
    """What the logic of a machine grows with, by name; all are at least 0."""
    queues, lanes = queue_widths(p), p.lanes
    states = p.state_bits * (1 + p.synaptic + p.adaptive)
    sums = next(s.width for s in memory_shapes(p) if s.name == "sums_0")
    adders = multipliers(p) if options.multiplier_parts > 1 else 0
    return {
        "fixed": 1.0,
        "lanes": lanes,
        "state": lanes * states,
        "neuron": lanes * width_of(neuron_fields(p)),
        "sum": lanes * sums,
        "row": lanes * queues["rows"],
        "adders": adders * p.state_bits * p.leak_bits / 4,
        "words": width_of(input_fields(p)) + width_of(output_fields(p)),
        "small": _small(p, options),
        "blocks": block_rams(p, options),
    }


def _small(p: MachineParams, options: Options) -> float:
    """Bits of memories outside block RAM, in cells of 16 words by 1 bit; in registers, bits."""
    cells, registers = 0, options.blocks.small == "logic"
    for shape in memory_shapes(p):
        if shape.name in options.distributed:
            cells += p.lanes * shape.width * -(-shape.depth // _CELL)
    for name, width in queue_widths(p).items():
        if name in QUEUES and name not in options.queues:
            count = p.lanes if name in ("rows", "records") else 1
            cells += count * width * (options.depth(name) if registers else 1)
    return cells
