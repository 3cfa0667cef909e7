"""Convolutions and pools as matrices from their inputs to their outputs, in C order."""

import math
from itertools import product

import nir
import numpy as np

from triodia_hw.errors import TriodiaError

__all__ = ["POOLS", "UNROLLED", "input_channels", "output_shape", "unrolled"]

POOLS = (nir.SumPool2d, nir.AvgPool2d)
UNROLLED = (nir.Conv1d, nir.Conv2d, *POOLS)
_MOST = 1 << 28  # entries of a matrix, 2 GiB

Shape = tuple[int, ...]


def unrolled(name: str, node: nir.NIRNode, shape: Shape) -> tuple[np.ndarray, np.ndarray]:
    """Matrix ``(outputs, inputs)`` and bias ``(outputs,)`` of a node for inputs of ``shape``.

    ``shape`` is channels and then one size per axis. A pool sums, or averages over its whole
    kernel, each channel by itself; padding adds zeros.
    """
    kernel, groups = _kernel(name, node, shape[0])
    to = output_shape(name, node, shape)
    if math.prod(to) * math.prod(shape) > _MOST:
        raise TriodiaError(
            f"node {name!r} maps {math.prod(shape)} values to {math.prod(to)}, whose synapses take"
            " more than 2 GiB; train a smaller layer"
        )
    matrix = np.zeros((*to, *shape))
    stride, padding, dilation = _geometry(name, node, shape)
    outs, ins = len(kernel) // groups, shape[0] // groups
    for out, into in product(range(len(kernel)), range(ins)):
        source = out // outs * ins + into
        for tap in product(*(range(n) for n in kernel.shape[2:])):
            places = [
                _places(n, m, s, t * d - p)
                for n, m, s, t, d, p in zip(
                    to[1:], shape[1:], stride, tap, dilation, padding, strict=True
                )
            ]
            for pairs in product(*places):
                at, fr = zip(*pairs, strict=True)
                matrix[(out, *at, source, *fr)] += kernel[(out, into, *tap)]
    bias = np.zeros(to)
    if getattr(node, "bias", None) is not None:
        values = np.ravel(np.asarray(node.bias, np.float64))
        if values.size not in (1, to[0]):
            raise TriodiaError(
                f"bias of node {name!r} must have {to[0]} values, one per channel, got"
                f" {values.size}"
            )
        bias += values.reshape(-1, *(1 for _ in to[1:]))
    return matrix.reshape(math.prod(to), math.prod(shape)), bias.ravel()


def output_shape(name: str, node: nir.NIRNode, shape: Shape) -> Shape:
    """Shape of a node's outputs for inputs of ``shape``."""
    axes = 1 if isinstance(node, nir.Conv1d) else 2
    if len(shape) != axes + 1:
        raise TriodiaError(
            f"node {name!r} takes channels and {axes} axes, not values of shape {shape};"
            " export it again with the shape of its inputs"
        )
    kernel, _ = _kernel(name, node, shape[0])
    stride, padding, dilation = _geometry(name, node, shape)
    sizes = [
        (n + 2 * p - d * (k - 1) - 1) // s + 1
        for n, p, d, k, s in zip(
            shape[1:], padding, dilation, kernel.shape[2:], stride, strict=True
        )
    ]
    if min(sizes) < 1:
        raise TriodiaError(f"the kernel of node {name!r} must fit into its inputs of shape {shape}")
    return (len(kernel), *sizes)


def input_channels(name: str, node: nir.NIRNode) -> int:
    """Channels that the weights of a convolution take."""
    return _convolution(name, node)[2]


def _convolution(name: str, node: nir.NIRNode) -> tuple[np.ndarray, int, int]:
    """Weights, groups and input channels of a convolution."""
    rank = 3 if isinstance(node, nir.Conv1d) else 4
    weight, groups = np.asarray(node.weight, np.float64), int(node.groups)
    if weight.ndim != rank or not weight.size:
        raise TriodiaError(
            f"weight of node {name!r} must have {rank} axes (channels out, channels in, kernel),"
            f" none of them empty, got the shape {weight.shape}"
        )
    if groups < 1:
        raise TriodiaError(f"groups of node {name!r} must be at least 1, got {groups}")
    return weight, groups, weight.shape[1] * groups


def _places(outputs: int, inputs: int, stride: int, offset: int) -> list[tuple[int, int]]:
    """Output and input positions that one tap of a kernel joins along an axis."""
    return [(k, k * stride + offset) for k in range(outputs) if 0 <= k * stride + offset < inputs]


def _kernel(name: str, node: nir.NIRNode, channels: int) -> tuple[np.ndarray, int]:
    """Weights ``(out, in per group, *taps)`` and the number of groups."""
    if isinstance(node, POOLS):
        taps = _per_axis(name, "kernel_size", node.kernel_size, 2, least=1)
        share = 1 / math.prod(taps) if isinstance(node, nir.AvgPool2d) else 1.0
        return np.full((channels, 1, *taps), share), channels
    weight, groups, takes = _convolution(name, node)
    if takes != channels or len(weight) % groups:
        raise TriodiaError(f"weight of node {name!r} takes {takes} channels, not {channels}")
    return weight, groups


def _geometry(name: str, node: nir.NIRNode, shape: Shape) -> tuple[Shape, Shape, Shape]:
    """Stride, padding and dilation along each axis."""
    axes = len(shape) - 1
    stride = _per_axis(name, "stride", node.stride, axes, least=1)
    dilation = _per_axis(name, "dilation", getattr(node, "dilation", 1), axes, least=1)
    padding = node.padding
    if isinstance(padding, str | bytes):
        text = padding if isinstance(padding, str) else padding.decode()
        taps = np.shape(node.weight)[2:]
        spans = [d * (k - 1) for d, k in zip(dilation, taps, strict=True)]
        if text not in ("valid", "same") or (text == "same" and any(n % 2 for n in spans)):
            raise TriodiaError(
                f"padding of node {name!r} must be numbers, 'valid', or 'same' with an odd kernel"
            )
        padding = [n // 2 if text == "same" else 0 for n in spans]
    return stride, _per_axis(name, "padding", padding, axes), dilation


def _per_axis(name: str, key: str, value: object, axes: int, *, least: int = 0) -> Shape:
    flat = np.ravel(np.asarray(value))
    if flat.size not in (1, axes) or np.any(flat != flat.astype(int)) or np.any(flat < least):
        raise TriodiaError(
            f"{key} of node {name!r} must be whole numbers from {least}, one per axis ({axes}), got"
            f" {', '.join(map(str, flat.tolist()))}"
        )
    return tuple(int(v) for v in np.broadcast_to(flat, (axes,)))
