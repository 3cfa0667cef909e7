"""Populations as blocks of one recurrent network."""

from dataclasses import dataclass, fields

import numpy as np

from ..network.head import Head
from ..network.network import Network
from ..network.recurrent import LONGEST
from ..tasks.own import OWN_TASK
from .neurons import Population, late_subtraction, tau_of_decay
from .parts import Parts, check_size
from .timing import Timing

__all__ = ["Blocks", "blocks_of"]


@dataclass(frozen=True)
class Blocks:
    """Populations in the order of their neurons, ``place`` of each; then relays and clocks.

    Synapses wait where the graph delays spikes or skips a layer. ``relays`` are for what one
    synapse cannot do: wait two times, or more than 63 steps. They are neurons that repeat the
    spikes of a source (a population, or the Input) so many steps later.
    Clock neuron ``k`` spikes in every step from ``k`` on. Weights from them are what is added in
    each step to populations that run ``k + 1`` steps behind the graph, so that it begins in time.
    """

    parts: Parts
    timing: Timing
    cells: dict[str, Population]
    place: dict[str, slice]
    relays: dict[tuple[str, int], slice]
    clocks: int

    @property
    def relay_neurons(self) -> int:
        """Neurons that only repeat others."""
        return sum(here.stop - here.start for here in self.relays.values())

    @property
    def neurons(self) -> int:
        """All neurons, relays and clocks included."""
        own = sum(cells.size for cells in self.cells.values())
        return own + self.relay_neurons + self.clocks

    def network(self, reset: str, tie: str, scaling: dict, factor: float) -> Network:
        """The network; ``scaling`` are its input fields, ``factor`` is for its input weights."""
        weights = self._weights(factor)
        biases = self._add_constants(weights)
        if reset == "subtract-late":
            for name, cells in self.cells.items():
                here, late = self.place[name], late_subtraction(cells)
                weights["w_rec"][here, here] += np.diag(late)
                if cells.current and not cells.resets_first:
                    weights["w_rec"][here, self.relays[name, 1]] -= np.diag(cells.alpha * late)
        delays = {name: weights.pop(name) for name in ("delay_in", "delay_rec", "delay_out")}
        delays = {name: delay for name, delay in delays.items() if delay.any()}
        weights = {name: w.astype(np.float32) for name, w in weights.items()}
        masks = {name.replace("w_", "mask_"): w != 0 for name, w in weights.items()}
        outgoing = weights["w_rec"].sum(0) + weights["w_out"].sum(0)
        values = weights | masks | delays | biases | self._constants(reset) | scaling
        of_head = {f.name: values.pop(f.name) for f in fields(Head) if f.name in values}
        return Network(
            **values,
            sign=np.where(outgoing < 0, -1, 1),
            fires=tie,
            head=Head(**of_head, task=OWN_TASK),
        )

    def _weights(self, factor: float) -> dict[str, np.ndarray]:
        n, source = self.neurons, self.parts.source
        w_in, w_rec = np.zeros((n, self.parts.inputs)), np.zeros((n, n))
        w_out = np.zeros((self.parts.out.bias.size, n))
        delays = [np.zeros(w.shape, np.int64) for w in (w_in, w_rec, w_out)]
        for name, drive in (*self.parts.into.items(), (None, self.parts.out)):
            rows = slice(None) if name is None else self.place[name]
            for before, w in drive.weights.items():
                late = self.timing.waits(before, name, source)
                again = late if (before[0], late) in self.relays else 0
                if before[0] == source and not again:
                    block, waits = w_in[rows], delays[0][rows]
                    w = factor * w
                else:
                    columns = self._sent(before[0], again)
                    whole, wait = (w_rec, delays[1]) if name is not None else (w_out, delays[2])
                    block, waits = whole[rows, columns], wait[rows, columns]
                block += w
                waits[w != 0] = 0 if again else late
        for (name, late), here in self.relays.items():
            if name == source and late == 1:
                w_in[here] = factor * np.eye(self.parts.inputs)
            else:
                w_rec[here, self._sent(name, late - 1)] = np.eye(here.stop - here.start)
        named = dict(zip(("delay_in", "delay_rec", "delay_out"), delays, strict=True))
        return {"w_in": w_in, "w_rec": w_rec, "w_out": w_out} | named

    def _sent(self, name: str, late: int) -> slice:
        """The neurons that send the spikes of ``name``, ``late`` steps after them."""
        return self.relays[name, late] if late else self.place[name]

    def _add_constants(self, weights: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Biases that begin at once; later ones are added to ``weights``, from clock neurons."""
        n, first = self.neurons, self.neurons - self.clocks
        bias = np.zeros(n)
        for name in self.cells:
            here, constant = self.place[name], _constant(self.parts, self.timing, name)
            bias[here] = _from_clocks(*constant, weights["w_rec"][here, first:])
        constant = _constant(self.parts, self.timing, None)
        bias_out = _from_clocks(*constant, weights["w_out"][:, first:])
        if self.clocks:  # the first spikes by itself, each other a step behind the one before
            bias[first] = 1
            weights["w_rec"][np.arange(first + 1, n), np.arange(first, n - 1)] = 1
        return {"bias": bias, "bias_out": bias_out}

    def _constants(self, reset: str) -> dict:
        cells, idle = list(self.cells.values()), np.zeros(self.relay_neurons + self.clocks)
        kind, _, late = reset.partition("-")
        rest = 1 if late and kind == "zero" else 0  # a step at v_reset, whose input is lost
        alpha = tau_of_decay(np.concatenate([*(p.alpha for p in cells), idle]))
        readout = self.parts.readout
        beta_out = np.zeros(self.parts.out.bias.size) if readout is None else readout.beta
        return {
            "tau_mem": tau_of_decay(np.concatenate([*(p.beta for p in cells), idle])),
            "tau_syn": alpha if any(p.current for p in cells) else None,
            "threshold": np.concatenate([*(p.threshold for p in cells), idle + 0.5]),
            "refractory": np.concatenate([*(np.full(p.size, rest) for p in cells), idle]),
            "tau_out": tau_of_decay(beta_out),
            "tau_syn_out": tau_of_decay(readout.alpha) if readout and readout.current else None,
            "reset": kind,
        }


def blocks_of(parts: Parts, timing: Timing, reset: str) -> Blocks:
    """Places for the populations of ``parts``, in the order in which they run."""
    order = sorted(parts.cells, key=lambda name: timing.depth[name])
    cells = {name: parts.cells[name] for name in order}
    place, first = {}, 0
    for name, population in cells.items():
        place[name] = slice(first, first + population.size)
        first += population.size
    relays = {}
    waits = _longest_waits(parts, timing, reset)
    if reset == "subtract-late":
        late = [name for name in order if cells[name].current and not cells[name].resets_first]
        waits |= {name: max(1, waits.get(name, 0)) for name in late}
    for name, longest in sorted(waits.items()):
        size = parts.inputs if name == parts.source else cells[name].size
        for late in range(1, longest + 1):
            relays[name, late] = slice(first, first + size)
            first += size
    check_size("neurons, with those that delay spikes,", first)
    clocks = [_clocks(*_constant(parts, timing, name)) for name in (*order, None)]
    return Blocks(parts, timing, cells, place, relays, max(clocks))


def _longest_waits(parts: Parts, timing: Timing, reset: str) -> dict[str, int]:
    """By source, the longest time that its spikes wait in relays: 0 where synapses can wait."""
    longest: dict[str, int] = {}
    for name, drive in (*parts.into.items(), (None, parts.out)):
        taken: dict[str, np.ndarray] = {}
        if reset == "subtract-late" and name is not None:  # each neuron has a synapse to itself
            taken[name] = np.eye(drive.bias.size, dtype=bool)
        arriving = [
            (timing.waits(source, name, parts.source), source[0], w != 0)
            for source, w in drive.weights.items()
        ]
        for late, source, places in sorted(arriving, key=lambda item: item[:2]):
            own = taken.setdefault(source, np.zeros_like(places))
            if late and (late > LONGEST or np.any(own & places)):
                longest[source] = max(longest.get(source, 0), late)
            else:
                own |= places
    return longest


def _constant(
    parts: Parts, timing: Timing, name: str | None
) -> tuple[int, np.ndarray, np.ndarray, np.ndarray]:
    """Steps behind; what is added to the current, and to the potential; what a current keeps.

    Of population ``name``, or of the readouts (None). Without a current both are one.
    """
    if name is None:
        cells, drive, late = parts.readout, parts.out, timing.delay
    else:
        cells, drive, late = parts.cells[name], parts.into[name], timing.depth[name]
    zero = np.zeros(drive.bias.size)
    return (
        late,
        drive.bias,
        zero if cells is None else cells.bias,
        zero if cells is None else cells.alpha,
    )


def _clocks(late: int, current: np.ndarray, potential: np.ndarray, alpha: np.ndarray) -> int:
    """Clock neurons that these constants take."""
    if not late or not (current.any() or potential.any()):
        return 0
    return late + int(np.any(alpha * potential))


def _from_clocks(
    late: int, current: np.ndarray, potential: np.ndarray, alpha: np.ndarray, columns: np.ndarray
) -> np.ndarray:
    """Fill ``columns`` (targets, clocks) in; the bias that is left for the neurons themselves.

    What arrives goes into the current ``u = alpha u + a``. For ``u`` to be ``p`` from one step on,
    ``p`` arrives in that step and ``p - alpha p`` in each after.
    """
    if not late:
        return current + potential
    if columns.shape[1] >= late:
        columns[:, late - 1] += current + potential
    if columns.shape[1] > late:
        columns[:, late] -= alpha * potential
    return np.zeros_like(current)
