"""Networks as a comparison starts from them: dense, of one layer or of several named by text."""

from collections.abc import Mapping

from triodia_hw.errors import TriodiaError

from .layers import Layers
from .network import Network
from .random import new_network

__all__ = ["START", "check_layers", "dense_start", "first_network", "layer_sizes"]

# The choices that a first network depends on.
START = ("neurons", "layers", "seed", "adaptive", "max_delay")


def layer_sizes(text: str) -> list[int]:
    """Neurons of each layer in ``text``, as "96,32"."""
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isdecimal() for part in parts):
        raise TriodiaError(f"`--layers` must be whole numbers separated by commas, got {text!r}.")
    return [int(part) for part in parts]


def check_layers(text: str, neurons: int) -> None:
    """Raise :class:`TriodiaError` unless ``text`` names layers of ``neurons`` together."""
    sizes = layer_sizes(text)
    Layers(sizes=tuple(sizes), recurrent=(True,) * len(sizes))
    if sum(sizes) != neurons:
        raise TriodiaError(f"layers of {text} neurons must be {neurons} together, not {sum(sizes)}")


def dense_start(
    neurons: int, layers: str, seed: int, adaptive: float = 0.0, max_delay: int = 0
) -> Network:
    """The network before pruning and training; ``layers`` as text ("96,32"), or empty for one.

    ``adaptive``: the fraction of the neurons that adapt. ``max_delay``: the most steps, 0 to 63,
    that a recurrent synapse waits.
    """
    kind = {"adaptive": adaptive, "max_delay": max_delay}
    if layers:
        return new_network(seed=seed, layers=layer_sizes(layers), **kind)
    return new_network(neurons, seed, **kind)


def first_network(choices: Mapping) -> Network:
    """The network before pruning and training of ``choices``, which have those of ``START``."""
    return dense_start(*(choices[name] for name in START))
