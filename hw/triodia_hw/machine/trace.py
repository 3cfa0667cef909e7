"""One pass of the reference over a sequence, kept whole: spikes, readouts, counts, state.

:func:`trace` computes the same words as :class:`triodia_hw.machine.reference.Reference`, bit for
bit (``tests/hw/test_trace.py``), by a compiled loop where numba is installed. The plain reference
stays the definition; without numba it computes the trace.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module

import numpy as np

from .events import EventList
from .image import Image
from .neuron import State
from .reference import Event, Reference

__all__ = ["Trace", "compiled", "trace"]


@dataclass(frozen=True, eq=False)
class Trace:
    """What a machine puts out in the steps of one sequence, from reset.

    Parameters
    ----------
    spikes : ``(steps, neurons)`` bool.
    readouts : ``(steps, readouts)`` int64, in the order of ``Image.readouts``.
    sops, events : ``(steps,)`` synaptic operations, and the events that cause them: inputs, spikes
        of the step before, and both again after each delay.
    state : arrays ``(steps, neurons)`` after each step, if they were asked for.
    """

    spikes: np.ndarray
    readouts: np.ndarray
    sops: np.ndarray
    events: np.ndarray
    state: State | None = None

    @property
    def scores(self) -> np.ndarray:
        """Sum of each readout over the steps, ``(readouts,)``; the class is the largest."""
        return self.readouts.sum(axis=0)


@cache
def compiled() -> bool:
    """Whether numba is there to compile the loop, and finds a folder to keep it in."""
    try:
        import_module("triodia_hw.machine.kernel")
    except (ImportError, RuntimeError):  # no numba; nowhere to write its cache
        return False
    return True


def trace(
    image: Image, sequence: EventList | Sequence[Sequence[Event]], *, states: bool = False
) -> Trace:
    """Run a sequence from reset; ``states`` keeps the state after every step.

    Raises
    ------
    ContractError
        If the machine does not take an event.
    """
    events = sequence if isinstance(sequence, EventList) else EventList.of(sequence)
    events.check(image.params)
    return _compiled(image, events, states) if compiled() else _plain(image, events, states)


def _plain(image: Image, events: EventList, states: bool) -> Trace:
    """The same by the plain reference."""
    p, reference = image.params, Reference(image)
    results = [reference.step(step) for step in events.lists()]
    spikes = np.zeros((len(results), p.neurons), bool)
    for row, result in zip(spikes, results, strict=True):
        row[result.spikes] = True

    def whole(name: str) -> np.ndarray:
        return np.array([getattr(result.state, name) for result in results]).reshape(spikes.shape)

    return Trace(
        spikes,
        np.array([r.readouts for r in results], np.int64).reshape(len(results), -1),
        np.array([r.sops for r in results], np.int64),
        np.array([r.events for r in results], np.int64),
        State(*(whole(name) for name in "vurb")) if states else None,
    )


def _compiled(image: Image, events: EventList, states: bool) -> Trace:
    from .kernel import run  # numba is slow to import

    p, n, steps = image.params, image.neurons, events.steps
    spikes = np.zeros((steps, p.neurons), bool)
    readouts = np.zeros((steps, len(image.readouts)), np.int64)
    sops, arriving = np.zeros(steps, np.int64), np.zeros(steps, np.int64)
    kept = np.zeros((4, steps if states else 0, p.neurons), np.int64)
    graph = [np.ascontiguousarray(image.row_start, np.uint64)]  # if signed, numba looks for < 0
    graph += [np.ascontiguousarray(image.target, np.uint16)]
    graph += [np.ascontiguousarray(image.weight, np.int16)]
    constants = (n.threshold, n.beta, n.alpha, n.reset_value, n.refractory, n.bias, n.rho, n.jump)
    values = [np.ascontiguousarray(a, np.int64) for a in constants]
    payload = events.payload if p.graded else events.payload * p.one
    low, high = p.state_range
    rules = (p.inputs, p.one, p.leak_bits, low, high)
    delays = np.array(p.delays, np.int64)
    flags = (p.synaptic, p.reset == "value", p.fires == "above", bool(n.refractory.any()))
    flags += (p.adaptive,)
    run(
        (events.start, events.channel, payload),
        tuple(graph),
        (*values, np.ascontiguousarray(n.spiking)),
        np.asarray(image.readouts, np.int64),
        (rules, flags, delays),
        (spikes, readouts, sops, arriving, kept),
    )
    return Trace(spikes, readouts, sops, arriving, State(*kept) if states else None)
