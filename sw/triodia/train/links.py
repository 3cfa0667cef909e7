"""Products with the recurrent weights in a run and back, dense or along the synapses only."""

import warnings
from functools import cache
from typing import Protocol

import numpy as np
import torch
from torch import Tensor, nn

from ..network.network import Network

__all__ = ["Dense", "Links", "Synapses", "links_of", "pays"]

# Sparse products are as fast or faster up to this density, forward and backward on one thread, and
# updates much faster (docs/performance.md, "Large sparse networks"). Up to 600 neurons a step takes
# about a millisecond either way, and results stay what they were.
_NEURONS, _DENSITY = 600, 0.2


def pays(net: Network) -> bool:
    """Whether training ``net`` along its synapses only is faster than with a dense matrix."""
    return net.neurons > _NEURONS and net.synapses <= _DENSITY * net.neurons**2


class Links(Protocol):
    """What a run needs of the recurrent weights; batches are ``(B, N)``."""

    def add_to(self, x: Tensor, sent: Tensor) -> None:
        """Add to ``x`` what the spikes ``sent`` bring."""

    def back(self, grad: Tensor) -> Tensor:
        """Gradient of the spikes sent from that of what they brought."""

    def weight_grad(self, sent: Tensor, grad: Tensor) -> Tensor:
        """Gradient of the weights, for ``sent`` ``(T, B, N)`` that brought what has ``grad``."""


class Dense:
    """Links by a dense matrix ``w`` ``(N, N)``, columns being targets."""

    def __init__(self, w: Tensor) -> None:
        self.w = w

    def add_to(self, x: Tensor, sent: Tensor) -> None:
        """See :class:`Links`."""
        x.addmm_(sent, self.w)

    def back(self, grad: Tensor) -> Tensor:
        """See :class:`Links`."""
        return grad @ self.w.T

    def weight_grad(self, sent: Tensor, grad: Tensor) -> Tensor:
        """See :class:`Links`."""
        return sent.flatten(0, 1).T @ grad.flatten(0, 1)


class Synapses(nn.Module):
    """The places of the synapses of ``net``, in rows of targets and in rows of sources.

    Weights are ``(M,)``, by target, then source. Products run on the CPU, in torch's CSR format.
    """

    def __init__(self, net: Network) -> None:
        super().__init__()
        _heard()
        self.neurons = net.neurons
        target, source = np.nonzero(net.mask_rec)
        order = np.lexsort((target, source))
        places = {"target": target, "source": source, "by_source": order}
        # Indices of 32 bits are what MKL takes; others are converted in every product.
        rows = {"first": _starts(target, self.neurons), "column": source}
        rows |= {"first_back": _starts(source, self.neurons), "column_back": target[order]}
        places |= {name: array.astype(np.int32) for name, array in rows.items()}
        for name, array in places.items():
            self.register_buffer(name, torch.tensor(array), persistent=False)

    def values(self, w: Tensor) -> Tensor:
        """The weights ``(M,)`` of a matrix ``(N, N)``, rows being targets."""
        return w[self.target, self.source]

    def matrix(self, values: Tensor) -> Tensor:
        """The matrix ``(N, N)`` of weights ``(M,)``, rows being targets."""
        whole = values.new_zeros(self.neurons, self.neurons)
        return whole.index_put((self.target, self.source), values)


@cache
def _heard() -> None:
    """Let torch say once, unheard, that its CSR format is in beta state."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.zeros(1, 1).to_sparse_csr()


def _starts(rows: np.ndarray, neurons: int) -> np.ndarray:
    """Where each row begins, ``(N + 1,)``."""
    return np.concatenate([[0], np.bincount(rows, minlength=neurons).cumsum()])


class _Sparse:
    """Links along ``places`` with the weights ``values``."""

    def __init__(self, places: Synapses, values: Tensor) -> None:
        n = places.neurons
        self.rows = torch.sparse_csr_tensor(
            places.first, places.column, values, (n, n), check_invariants=False
        )
        self.columns = torch.sparse_csr_tensor(
            places.first_back,
            places.column_back,
            values[places.by_source],
            (n, n),
            check_invariants=False,
        )

    def add_to(self, x: Tensor, sent: Tensor) -> None:
        x.add_((self.rows @ sent.T.contiguous()).T)

    def back(self, grad: Tensor) -> Tensor:
        return (self.columns @ grad.T.contiguous()).T

    def weight_grad(self, sent: Tensor, grad: Tensor) -> Tensor:
        total = torch.zeros_like(self.rows.values())
        place = (self.rows.crow_indices(), self.rows.col_indices(), total, self.rows.shape)
        sums = torch.sparse_csr_tensor(*place, check_invariants=False)
        for now, later in zip(sent, grad, strict=True):  # a step's values stay in the cache
            sums = torch.sparse.sampled_addmm(sums, later.T, now)
        return sums.values()


def links_of(w: Tensor, places: Synapses | None) -> Links:
    """Links of dense weights, or of weights along ``places``."""
    return Dense(w) if places is None else _Sparse(places, w)
