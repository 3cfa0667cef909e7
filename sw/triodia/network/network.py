"""The network that every command reads and writes: plain arrays, checked on construction."""

from dataclasses import dataclass, replace

import numpy as np

from triodia_hw.errors import TriodiaError

from .head import Head
from .recurrent import Recurrent, check_shapes

__all__ = ["Network"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Network(Recurrent):
    """A recurrent network, its task part once it has one, and its history.

    Parameters
    ----------
    head : inputs and readouts; None before training.
    lane : a hint for the compiler: ``(N,)`` at least 0, the PE that pruning balanced each neuron
        for, or None. It changes where neurons live in a machine, never what they compute.
    provenance : one dict a step: command, parameters, seed, version, what it measured.

    The other parameters are those of :class:`Recurrent`.

    Raises
    ------
    TriodiaError
        If a shape or value is out of range.
    """

    head: Head | None = None
    lane: np.ndarray | None = None
    provenance: tuple[dict, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "provenance", tuple(self.provenance))
        check_shapes(self, lane=(self.neurons,))
        if self.lane is not None and np.any(self.lane < 0):
            raise TriodiaError(f"lane must be 0 or more, not {self.lane.min()}")
        if self.head is not None and len(self.head.w_in) != self.neurons:
            raise TriodiaError(
                f"the head must be of {self.neurons} neurons, not {len(self.head.w_in)}"
            )

    @property
    def task(self) -> str | None:
        """Name of the task; None before training."""
        return None if self.head is None else self.head.task

    @property
    def inputs(self) -> int:
        """Input channels; 0 before training."""
        return 0 if self.head is None else self.head.inputs

    @property
    def readouts(self) -> int:
        """Readout neurons; 0 before training."""
        return 0 if self.head is None else self.head.readouts

    @property
    def delays(self) -> tuple[int, ...]:
        """Distinct steps, above 0, that synapses of the graph wait, ascending."""
        head = self.head
        parts = [(self.delay_rec, self.mask_rec)]
        parts += [(head.delay_in, head.mask_in), (head.delay_out, head.mask_out)] if head else []
        found = [np.unique(delay[mask]) for delay, mask in parts if delay is not None]
        return tuple(d for d in np.unique(np.concatenate([[0], *found])).astype(int).tolist() if d)

    def trained(self) -> Head:
        """The head; :class:`TriodiaError` says what to do if there is none."""
        if self.head is None:
            raise TriodiaError("The network has no inputs and readouts yet. Run `triodia train`.")
        return self.head

    def counts(self) -> dict[str, int]:
        """Neurons, synapses, and the same with input and readout counted."""
        s_in = 0 if self.head is None else int(self.head.mask_in.sum())
        s_out = 0 if self.head is None else int(self.head.mask_out.sum())
        return {
            "neurons": self.neurons,
            "inputs": self.inputs,
            "readouts": self.readouts,
            "synapses": self.synapses,
            "synapses_in": s_in,
            "synapses_out": s_out,
            "synapses_total": self.synapses + s_in + s_out,
        }

    def scale_input(self, x: np.ndarray) -> np.ndarray:
        """Standardise ``(..., I)`` by the training set's mean and std, then clip; float32."""
        head = self.trained()
        if x.shape[-1] != head.inputs:
            raise TriodiaError(f"inputs must have {head.inputs} channels, not {x.shape[-1]}")
        return head.coding.scale(x)

    def model_inputs(self, x: np.ndarray, lengths: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Samples ``(B, T, I)`` of ``(B,)`` steps as a model runs them: scaled, tails added.

        Returns ``(B, T + tail, I)`` float32 and the lengths with tails; inputs in a tail are 0.
        """
        scaled, tail = self.scale_input(x), self.trained().input_tail
        if not tail:
            return scaled, lengths
        valid = np.arange(x.shape[1]) < np.asarray(lengths)[:, None]
        return np.pad(scaled * valid[..., None], ((0, 0), (0, tail), (0, 0))), lengths + tail

    def subnetwork(self, keep: np.ndarray) -> "Network":
        """The network of the neurons ``keep`` (distinct indices), in that order."""
        keep = np.asarray(keep, np.int64)
        inside = keep.ndim == 1 and keep.size and np.all((keep >= 0) & (keep < self.neurons))
        if not inside or np.unique(keep).size != keep.size:
            raise TriodiaError(f"keep must be distinct neurons in 0..{self.neurons - 1}")
        part = {name: getattr(self, name)[np.ix_(keep, keep)] for name in ("w_rec", "mask_rec")}
        if self.delay_rec is not None:
            part["delay_rec"] = self.delay_rec[np.ix_(keep, keep)]
        for name in (*self.BY_NEURON, "lane"):
            value = getattr(self, name)
            part[name] = None if value is None else value[keep]
        return replace(self, **part, head=None if self.head is None else self._head_of(keep))

    def _head_of(self, keep: np.ndarray) -> Head:
        h = self.head
        part = {name: getattr(h, name) for name in ("w_in", "mask_in", "delay_in")}
        part = {name: a if a is None else a[keep] for name, a in part.items()}
        columns = {name: getattr(h, name) for name in ("w_out", "mask_out", "delay_out")}
        return replace(h, **part, **{n: a if a is None else a[:, keep] for n, a in columns.items()})

    def with_head(self, **changes: object) -> "Network":
        """The same network with changed fields of its head."""
        return replace(self, head=replace(self.trained(), **changes))

    def with_provenance(self, **step: object) -> "Network":
        """The same network with one more step (JSON values) in its history."""
        return replace(self, provenance=(*self.provenance, step))
