"""The task part of a network: inputs, readouts, and how samples become inputs."""

from dataclasses import dataclass

import numpy as np

from triodia_hw.errors import TriodiaError
from triodia_hw.machine.coding import InputCoding

from .recurrent import check_delays, check_mask, check_positive, check_shapes, freeze_arrays

__all__ = ["Head"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Head:
    """Input weights, readouts and input coding of a network of ``N`` neurons.

    Readouts are leaky integrators that never spike. Their time constants are in time steps.

    Parameters
    ----------
    task : name of the task.
    w_in, mask_in : ``(N, I)``.
    w_out, mask_out : ``(O, N)``.
    tau_out, bias_out : ``(O,)``.
    tau_syn_out : ``(O,)`` synaptic time constants, or None (always, but for imported networks).
    delay_in, delay_out : whole steps in 0..63 that events wait at each synapse, as ``w_in`` and
        ``w_out``; or None.
    input_mean, input_std : ``(I,)`` of the training set, to standardise inputs with.
    input_clip : standardised inputs are clipped to ``+-input_clip``.
    input_tail : steps without input after each sample, at least 0. A spike takes a step from layer
        to layer, so that without them the last inputs would never reach the readouts.

    Raises
    ------
    TriodiaError
        If a shape or value is out of range.
    """

    task: str
    w_in: np.ndarray
    mask_in: np.ndarray
    w_out: np.ndarray
    mask_out: np.ndarray
    tau_out: np.ndarray
    bias_out: np.ndarray
    input_mean: np.ndarray
    input_std: np.ndarray
    input_clip: float
    tau_syn_out: np.ndarray | None = None
    delay_in: np.ndarray | None = None
    delay_out: np.ndarray | None = None
    input_tail: int = 0

    def __post_init__(self) -> None:
        freeze_arrays(self)
        if self.w_in.ndim != 2 or self.w_out.ndim != 2 or not self.w_in.size or not self.w_out.size:
            raise TriodiaError(
                "w_in and w_out must be matrices with at least one input and readout"
            )
        (n, i), o = self.w_in.shape, self.w_out.shape[0]
        check_shapes(self, w_in=(n, i), mask_in=(n, i), w_out=(o, n), mask_out=(o, n))
        check_shapes(self, tau_out=(o,), bias_out=(o,), tau_syn_out=(o,))
        check_shapes(self, input_mean=(i,), input_std=(i,))
        check_delays(self, delay_in=(n, i), delay_out=(o, n))
        check_positive(self, "tau_out", "tau_syn_out", "input_std")
        if not 0 < self.input_clip < np.inf:
            raise TriodiaError(f"input_clip must be above 0, not {self.input_clip!r}")
        if not isinstance(self.input_tail, int) or self.input_tail < 0:
            raise TriodiaError(f"input_tail must be 0 or more, not {self.input_tail!r}")
        check_mask(self.w_in, self.mask_in, "w_in")
        check_mask(self.w_out, self.mask_out, "w_out")

    @property
    def inputs(self) -> int:
        """Input channels."""
        return self.w_in.shape[1]

    @property
    def readouts(self) -> int:
        """Readout neurons."""
        return self.w_out.shape[0]

    @property
    def coding(self) -> InputCoding:
        """How samples become inputs, as the machine image carries it."""
        scaling = {"mean": self.input_mean, "std": self.input_std, "clip": self.input_clip}
        return InputCoding(**scaling, tail=self.input_tail)
