"""Quantization: a trained network in the machine's integers.

A LIF neuron is scale-invariant: multiply all weights into it, its threshold, bias and state by
one factor and it spikes at the same times. So each target neuron gets the scale that uses its
weight bits best, and the threshold absorbs it: per-neuron scales cost no hardware.
"""

from dataclasses import dataclass, replace

import numpy as np

from triodia_hw.compile.build import build_image, stored_share
from triodia_hw.compile.family import FAMILIES
from triodia_hw.compile.retarget import whole_blocks
from triodia_hw.compile.sdram import WORD_BITS
from triodia_hw.errors import TriodiaError
from triodia_hw.machine.image import Image, accumulator_bound
from triodia_hw.machine.neuron import NeuronParams
from triodia_hw.machine.params import MachineParams

from ..network.network import Network
from ..tasks.catalog import TaskData
from .grid import exact_scale
from .inference import event_record, input_events
from .placement import as_planned, layers_of

__all__ = ["QuantizeOptions", "float_delays", "float_weights", "quantize"]

_HALF = 0.5  # shared rows are placed in runs, which balances PEs less well: they must save much
# payload, fraction, state and leak bits; weights of more than 8 bits need the others to match
_USUAL, _WIDE, _FINE = (8, 5, 18, 10), (10, 7, 24, 16), (12, 9, 24, 10)


@dataclass(frozen=True, kw_only=True)
class QuantizeOptions:
    """Widths of the machine; see :class:`triodia_hw.machine.params.MachineParams`.

    ``family``: of the FPGA (``FAMILIES``) whose block RAMs are to be few;
    Widths that are None suit the network: 8 payload bits, 5 of them fractional, 18 state bits (16
    for an iCE40) and 10 leak bits; or 10, 7, 24 and 16 where weights have more than 8 bits.
    Where every neuron's integers are exact, neurons that leak get 12 payload bits, 9 of them
    fractional, so that their leak is rounded less, and state gets 24 bits, since the potential of
    neurons that do not leak can drift far below zero.
    ``external``: synapses lie in an SDRAM outside the chip, in words of 16 bits; for one PE.
    ``shared_rows``: whether alike rows share their words; None: where that halves their memory.
    ``tight``: even at the price of cycles (:func:`triodia_hw.compile.storage.fit_storage`).
    """

    weight_bits: int = 8
    lanes: int = 4
    payload_bits: int | None = None
    fraction_bits: int | None = None
    state_bits: int | None = None
    leak_bits: int | None = None
    family: str = "ecp5"
    tight: bool = False
    external: bool = False
    shared_rows: bool | None = None


def float_weights(net: Network) -> np.ndarray:
    """All weights, ``(M, inputs + M)`` with ``M = neurons + readouts``: rows are targets.

    Readouts come last, as targets and as sources; as sources they never fire.
    """
    head = net.trained()
    neurons, readouts, inputs = net.neurons, head.readouts, head.inputs
    weights = np.zeros((neurons + readouts, inputs + neurons + readouts))
    weights[:neurons, :inputs] = head.w_in
    weights[:neurons, inputs : inputs + neurons] = net.w_rec
    weights[neurons:, inputs : inputs + neurons] = head.w_out
    return weights


def float_delays(net: Network) -> np.ndarray:
    """Steps that each synapse of :func:`float_weights` waits, in the same shape."""
    head = net.trained()
    neurons, readouts, inputs = net.neurons, head.readouts, head.inputs
    delays = np.zeros((neurons + readouts, inputs + neurons + readouts), np.int64)
    inside = slice(inputs, inputs + neurons)
    for delay, rows, columns in (
        (head.delay_in, slice(neurons), slice(inputs)),
        (net.delay_rec, slice(neurons), inside),
        (head.delay_out, slice(neurons, None), inside),
    ):
        if delay is not None:
            delays[rows, columns] = delay
    return delays


def quantize(net: Network, data: TaskData | None, options: QuantizeOptions) -> Image:
    """Image of a trained network.

    ``data`` is the task's: its *training* part says how often each source fires, for the placer;
    no value is fitted to it. With None all sources count alike. Raises :class:`TriodiaError` for
    an untrained network, and where the machine's ranges cannot hold it.
    """
    head, weights = net.trained(), float_weights(net)
    options = _widths(net, weights, options)
    if head.input_clip * 2**options.fraction_bits > 2 ** (options.payload_bits - 1):
        raise TriodiaError(
            f"inputs reach ±{head.input_clip:g}, which {options.payload_bits} payload bits of "
            f"which {options.fraction_bits} are fractional cannot hold; use fewer fraction bits"
        )
    scale, exact = _scales(net, weights, options)
    integers = np.rint(weights * scale[:, None]).astype(np.int64)
    neurons = _neurons(net, scale, options)
    waits = float_delays(net) * (integers != 0)
    delays = tuple(np.unique(waits[waits > 0]).tolist())
    if delays:
        integers = np.stack([integers * (waits == wait) for wait in (0, *delays)])
    params = MachineParams(
        inputs=head.inputs,
        neurons=len(weights),
        lanes=options.lanes,
        weight_bits=options.weight_bits,
        payload_bits=options.payload_bits,
        fraction_bits=options.fraction_bits,
        state_bits=options.state_bits,
        leak_bits=options.leak_bits,
        synaptic=net.tau_syn is not None or head.tau_syn_out is not None,
        adaptive=net.adaptive,
        delays=delays,
        reset="subtract" if net.reset == "subtract" else "value",
        fires=net.fires,
        bias_bits=_bits(neurons.bias),
        refractory_bits=int(neurons.refractory.max()).bit_length(),
        external=options.external,
        gap_bits=max(1, min(14, WORD_BITS - options.weight_bits)) if options.external else 14,
    )
    meta = _meta(net, scale, options) | {"exact_neurons": int(exact.sum())}
    storage = {"family": FAMILIES[options.family], "tight": options.tight}
    given = {"coding": head.coding, "meta": meta, "layers": layers_of(net)}
    params = replace(params, shared_rows=_shares(params, integers, options, given["layers"]))
    draft = build_image(params, neurons, integers, **given)
    recording = None
    if data is not None:
        events = input_events(draft, data.x_train, data.len_train, limit=64)
        recording = event_record(draft, events)
    image = build_image(params, neurons, integers, activity=recording, **given, **storage)
    planned = net.lane is not None and net.lane.max() < options.lanes and not params.shared_rows
    if recording is not None and planned:
        image = as_planned(image, net.lane, recording, **storage)
    params = whole_blocks(image.params, storage["family"])
    bound = accumulator_bound(params, image.row_start, image.target, image.weight)
    return replace(image, params=params, meta=meta | {"accumulator_bound": bound})


def _shares(
    params: MachineParams, weights: np.ndarray, o: QuantizeOptions, layers: list[int]
) -> bool:
    """Whether rows are to share their words: as asked, or where that halves a PE's memory."""
    if o.shared_rows is not None:
        return o.shared_rows
    return not o.external and stored_share(params, weights, layers) <= _HALF


def _scales(net: Network, weights: np.ndarray, o: QuantizeOptions) -> tuple[np.ndarray, np.ndarray]:
    """Integer units per unit of float weight, for each target; and which targets lose nothing.

    A neuron whose weights, threshold and bias lie on a grid that the widths can hold keeps it.
    """
    largest = np.abs(weights).max(axis=1)
    full = (1 << (o.weight_bits - 1)) - 1
    scale = np.divide(full, largest, out=np.full(len(weights), np.inf), where=largest > 0)
    # Threshold and jump take at most a quarter of the state's range, or a 32nd of a wide one: room
    # for inhibition below, and for the rise of the threshold.
    room = 2.0 ** (o.state_bits - (3 if o.weight_bits <= 8 else 6) - o.fraction_bits)
    hidden = len(net.threshold)
    jump = np.zeros(hidden, np.float32) if net.jump is None else net.jump
    scale[:hidden] = np.minimum(scale[:hidden], room / np.maximum(net.threshold, jump))
    # Readouts share a scale, so that their integers compare as they are.
    scale[hidden:] = min(scale[hidden:].min(), room)
    exact = np.zeros(len(weights), bool)
    limits = {"least": -full - 1, "greatest": full, "parts": 2**o.fraction_bits, "room": room}
    for i in range(hidden):
        fine = np.array([net.threshold[i], net.bias[i], jump[i]], np.float64)
        found = exact_scale(weights[i], fine, **limits)
        if found is not None:
            scale[i], exact[i] = found, True
    bias_out = net.trained().bias_out.astype(np.float64)
    shared = exact_scale(weights[hidden:].ravel(), bias_out, **limits)
    if shared is not None:
        scale[hidden:], exact[hidden:] = shared, True
    return scale, exact


def _widths(net: Network, weights: np.ndarray, o: QuantizeOptions) -> QuantizeOptions:
    """``o`` with a number for every width."""

    def filled(*widths: int) -> QuantizeOptions:
        names = ("payload_bits", "fraction_bits", "state_bits", "leak_bits")
        given = {name: getattr(o, name) for name in names}
        default = dict(zip(names, widths, strict=True))
        return replace(o, **{n: default[n] if v is None else v for n, v in given.items()})

    usual = (*_USUAL[:2], FAMILIES[o.family].state_bits, _USUAL[3])
    usual = filled(*(usual if o.weight_bits <= 8 else _WIDE))
    if not _scales(net, weights, usual)[1][: net.neurons].all():
        return usual
    kept = np.exp(-1 / net.tau_mem.astype(np.float64))
    leaks = net.adaptive or np.any((kept > 0) & (kept < 1))
    finer = filled(*(_FINE if leaks else (*_USUAL[:2], *_FINE[2:])))
    return finer if _scales(net, weights, finer)[1][: net.neurons].all() else usual


def _neurons(net: Network, scale: np.ndarray, o: QuantizeOptions) -> NeuronParams:
    head, hidden = net.trained(), net.neurons
    readouts = head.readouts
    unit = scale * 2**o.fraction_bits
    zeros = np.zeros(readouts)

    def integers(hidden_values: np.ndarray, readout_values: np.ndarray) -> np.ndarray:
        return np.rint(np.concatenate([hidden_values, readout_values])).astype(np.int64)

    def leak(tau: np.ndarray) -> np.ndarray:
        return np.exp(-1 / np.asarray(tau, np.float64)) * 2**o.leak_bits

    alpha = leak(net.tau_syn) if net.tau_syn is not None else np.zeros(hidden)
    alpha_out = leak(head.tau_syn_out) if head.tau_syn_out is not None else zeros
    rho = leak(net.tau_adapt) if net.adaptive else np.zeros(hidden)
    jump = net.jump * unit[:hidden] if net.adaptive else np.zeros(hidden)
    return NeuronParams(
        threshold=np.maximum(integers(net.threshold * unit[:hidden], zeros + 1), 1),
        beta=integers(leak(net.tau_mem), leak(head.tau_out)),
        alpha=integers(alpha, alpha_out),
        reset_value=integers(np.zeros(hidden), zeros),
        refractory=integers(net.refractory, zeros),
        bias=integers(net.bias * unit[:hidden], head.bias_out * unit[hidden:]),
        rho=integers(rho, zeros),
        jump=integers(jump, zeros),
        spiking=np.arange(hidden + readouts) < hidden,
        readout=np.arange(hidden + readouts) >= hidden,
    )


def _bits(values: np.ndarray) -> int:
    """Bits of a signed field that holds ``values``; 0 if all are 0."""
    if not values.any():
        return 0
    return int(max(values.max(), -values.min() - 1)).bit_length() + 1


def _meta(net: Network, scale: np.ndarray, o: QuantizeOptions) -> dict:
    hidden = len(net.threshold)
    return {
        "task": net.task,
        "readout_unit": float(scale[hidden] * 2**o.fraction_bits),
        "recurrent_neurons": hidden,
        "recurrent_synapses": int(np.count_nonzero(net.w_rec)),
        "provenance": [*net.provenance],
    }
