"""snnTorch modules as networks, without a file in between."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import nn

from triodia_hw.errors import TriodiaError

from ..network.head import Head
from ..network.network import Network
from ..tasks.own import OWN_TASK

__all__ = ["from_snntorch"]

_RESETS = {"subtract": "subtract", "zero": "zero"}


def from_snntorch(modules: Sequence[nn.Module], *, input_max: float = 4.0) -> Network:
    """The network of ``[Linear, Leaky or RLeaky, Linear, Leaky]``.

    The hidden layer must reset in the same step (``reset_delay=False``), the last layer must not
    reset (``reset_mechanism="none"``): its membrane potential is the readout. Spikes come at
    potentials above the threshold, as snnTorch has it. ``input_max``: the largest input.

    Spikes are equal as long as no potential reaches twice its threshold: one that is above the
    threshold after its reset is reset once more by snnTorch's "subtract" in the next step.

    A readout of snnTorch sees the spikes of its own step, one of Triodia those of the step before:
    its potentials are those of snnTorch one step later, plus what is left of the one more step of
    bias, ``bias * beta^t``.

    Raises
    ------
    TriodiaError
        If a module is of another kind, or has options that do not map; the sentence names it.
    """
    try:
        into, hidden, out, last = modules
    except ValueError:
        raise TriodiaError(
            "Pass four modules: Linear, Leaky or RLeaky, Linear, Leaky (the readout)."
        ) from None
    for place, module in ((0, into), (2, out)):
        if not isinstance(module, nn.Linear):
            raise TriodiaError(f"Module {place} must be a Linear, got {type(module).__name__}.")
    _check_neurons(hidden, last)
    neurons, inputs = into.weight.shape
    w_rec, bias = np.zeros((neurons, neurons), np.float32), _values(into.bias, neurons)
    if type(hidden).__name__ == "RLeaky":
        w_rec, bias = _recurrent(hidden, neurons, bias)
    head = Head(
        task=OWN_TASK,
        w_in=_array(into.weight),
        mask_in=np.ones((neurons, inputs), bool),
        w_out=_array(out.weight),
        mask_out=np.ones(out.weight.shape, bool),
        tau_out=_taus(last.beta, len(out.weight)),
        bias_out=_values(out.bias, len(out.weight)),
        input_mean=np.zeros(inputs),
        input_std=np.ones(inputs),
        input_clip=input_max,
    )
    net = Network(
        w_rec=w_rec,
        mask_rec=w_rec != 0,
        tau_mem=_taus(hidden.beta, neurons),
        threshold=_values(hidden.threshold, neurons),
        refractory=np.zeros(neurons, int),
        bias=bias,
        sign=np.where(w_rec.sum(0) < 0, -1, 1),
        reset=_RESETS[hidden._reset_mechanism],
        fires="above",
        head=head,
    )
    return net.with_provenance(command="from-snntorch", neurons=neurons)


def _check_neurons(hidden: nn.Module, last: nn.Module) -> None:
    if type(hidden).__name__ not in ("Leaky", "RLeaky"):
        raise TriodiaError(f"Module 1 must be a Leaky or RLeaky, got {type(hidden).__name__}.")
    if type(last).__name__ != "Leaky" or last._reset_mechanism != "none":
        raise TriodiaError(
            'Module 3 must be a Leaky with reset_mechanism="none"; its potential is the readout.'
        )
    if hidden._reset_mechanism not in _RESETS:
        raise TriodiaError("Module 1 must reset: reset_mechanism subtract or zero.")
    if getattr(hidden, "reset_delay", True):
        raise TriodiaError(
            "Module 1 must have reset_delay=False; a reset one step late needs `import-nir`."
        )


def _recurrent(hidden: nn.Module, neurons: int, bias: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Recurrent weights, and biases with those of the recurrent layer."""
    if not getattr(hidden, "all_to_all", True):
        return np.diag(_values(hidden.recurrent.V, neurons)), bias
    layer = hidden.recurrent
    return _array(layer.weight), bias + _values(layer.bias, neurons)


def _array(tensor: torch.Tensor) -> np.ndarray:
    return tensor.detach().cpu().numpy().astype(np.float32)


def _values(tensor: torch.Tensor | None, count: int) -> np.ndarray:
    """A value per neuron, from one for all or one each."""
    if tensor is None:
        return np.zeros(count, np.float32)
    return np.broadcast_to(_array(torch.as_tensor(tensor)).reshape(-1), (count,)).copy()


def _taus(beta: torch.Tensor, count: int) -> np.ndarray:
    """Time constants of decays ``beta``, ``exp(-1 / tau)``."""
    values = np.clip(_values(beta, count).astype(np.float64), 1e-12, 1 - 1e-12)
    return -1 / np.log(values)
